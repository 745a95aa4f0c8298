"""The pytest plugin: options and hooks, each handing over to the run behind it."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Any

import pytest

from postdeploy import collection, options, reporting
from postdeploy.reporting import RUN

if TYPE_CHECKING:
    from collections.abc import Generator

pytest_plugins = ["postdeploy.fixtures", "postdeploy.browsing", "postdeploy.clients"]


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser.getgroup("postdeploy", "post-deploy verification"))


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    asked = collection.read_options(config)
    if not asked.is_fleet or config.option.collectonly or asked.plan:
        return None
    from postdeploy import fleet

    return fleet.main(config, asked)


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    collection.declare_marks(config)
    run = collection.prepare(config)
    config.stash[RUN] = run
    if run is not None:
        # The same way out as Ctrl-C: clean up, record how far the run came, end by the contract's list.
        config.stash[reporting.SIGTERM] = signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    collection.parametrize(metafunc)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    collection.mark_by_folder(config, items)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    collection.begin(session)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> object:
    return reporting.look_or_plan(session)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> bool | None:
    return reporting.stop_when_spent(item.session)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> None:
    reporting.carry_over(pyfuncitem)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[Any]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    reporting.note(item, call)
    return reporting.conclude(item, (yield))


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: Any) -> Any:
    return reporting.letter(report)


def pytest_report_header(config: pytest.Config) -> list[str]:
    return reporting.header(config)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    reporting.close(session, exitstatus)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    reporting.summarise(terminalreporter, config)


def pytest_unconfigure(config: pytest.Config) -> None:
    reporting.release(config)
