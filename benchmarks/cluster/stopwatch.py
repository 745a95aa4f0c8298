"""A pytest plugin that times what a run does with its looks: judging its checks, and recording what came of them."""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from postdeploy.reporting import RUN

OUT = "STOPWATCH_FILE"


class Spent:
    """Seconds on the infrastructure checks, and on closing the run."""

    judging = 0.0
    checks = 0
    closing = 0.0


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, Any, Any]:
    began = time.perf_counter()
    done = yield
    if "infra" in item.keywords:
        Spent.judging += time.perf_counter() - began
        Spent.checks += 1
    return done


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_sessionfinish() -> Generator[None, Any, Any]:
    began = time.perf_counter()
    done = yield
    Spent.closing += time.perf_counter() - began
    return done


def pytest_unconfigure(config: pytest.Config) -> None:
    run = config.stash.get(RUN, None)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    told = {"judging_s": Spent.judging, "closing_s": Spent.closing, "checks": Spent.checks, "rss_mb": peak}
    told["recorded"] = len(run.results) if run else 0
    Path(os.environ[OUT]).write_text(json.dumps(told), encoding="utf-8")
