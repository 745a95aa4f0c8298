"""What holds for every test."""

from __future__ import annotations

import signal

from hypothesis import HealthCheck, settings

# No test asks how fast this machine is; while others use it, drawing an example takes its time too.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


def pytest_configure() -> None:
    """A shell lets what it puts in the background ignore Ctrl-C, and so would every run that a test starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
