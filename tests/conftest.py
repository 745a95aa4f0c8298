"""What holds for every test."""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """A shell lets what it puts in the background ignore Ctrl-C, and so would every run that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
