"""What allure-pytest records of a test, without what says nothing and costs as much as what does."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import suppress
from typing import Any

import pytest
from allure_pytest.listener import AllureListener, _test_fixtures

SUBJECT = "get_direct_param_fixture_func"
"""What pytest calls the fixture behind a parameter: it hands out a value, and cannot fail."""
FACADES = "postdeploy.fixtures"
"""Where fixtures only hand out what a test asks: no step, nothing attached, no end of their own."""


class Listener(AllureListener):  # type: ignore[misc]
    """Allure's listener where the user did not ask for one of his own."""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, None]:
        """Leave out the subject of a check, which is among its parameters, and each facade that did not fail.

        Beside a record of its own, Allure wraps every end of every fixture: a fifth of what a check costs.
        """
        quiet = fixturedef.func.__name__ == SUBJECT or fixturedef.func.__module__ == FACADES
        setup = super().pytest_fixture_setup(fixturedef, request)
        if not quiet:
            yield from setup
            return
        done = yield
        if done.excinfo is not None:
            next(setup)
            with suppress(StopIteration):
                setup.send(done)

    def _update_fixtures_children(self, item: Any) -> None:
        """The test is one of those that each recorded fixture is for; no record is begun for another one."""
        uuid = self._cache.get(item.nodeid)
        for each in filter(None, map(self._cache.get, _test_fixtures(item))):
            if uuid not in self.allure_logger.get_item(each).children:
                self.allure_logger.update_group(each, children=uuid)
