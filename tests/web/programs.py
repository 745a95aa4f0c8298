"""Programs and servers that nobody here wrote. Without one of them a test is skipped, but never where CI is set."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HTTPBIN = ROOT / ".venv" / "httpbin" / "bin" / "python"
STARTS_S = 20.0
SBIN = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/usr/local/sbin"


def needs(name: str, package: str) -> str:
    """The path of a program; a skip that says so where it is missing, a failure where CI promises to install it."""
    found = shutil.which(name, path=SBIN)
    if found is None:
        missing = f"{name} is not installed (Debian: apt-get install {package})"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    return found


def httpbin_python() -> str:
    """The interpreter of the environment that holds httpbin and nothing of ours."""
    if not HTTPBIN.exists():
        missing = "httpbin is not installed (make .venv/.httpbin)"
        pytest.fail(missing) if os.environ.get("CI") == "true" else pytest.skip(missing)
    return str(HTTPBIN)


def free_port() -> int:
    """A port nobody listens at just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@contextmanager
def running(command: list[str], port: int, log: Path) -> Iterator[None]:
    """A server as a process of its own, for as long as the block."""
    with log.open("w", encoding="utf-8") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            _wait(process, port, log)
            yield
        finally:
            process.terminate()
            process.wait(timeout=10)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + STARTS_S
    while time.monotonic() < until:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if process.poll() is not None:
            break
        time.sleep(0.05)
    pytest.fail(f"it does not listen at port {port}: {log.read_text(encoding='utf-8')[-800:]}")


def said(*command: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """What a program says, whatever its exit code."""
    return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=30, check=False)
