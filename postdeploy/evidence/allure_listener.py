"""What allure-pytest records of a test, without what says nothing and costs as much as what does."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest
from allure_pytest.listener import AllureListener

SUBJECT = "get_direct_param_fixture_func"
"""What pytest calls the fixture behind a parameter: it hands out a value, and cannot fail."""


class Listener(AllureListener):  # type: ignore[misc]
    """Allure's listener where the user did not ask for one of his own."""

    @pytest.hookimpl(hookwrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any, request: Any) -> Generator[None, Any, None]:
        """Leave out the subject of a check, which is among its parameters."""
        if fixturedef.func.__name__ == SUBJECT:
            yield
        else:
            yield from super().pytest_fixture_setup(fixturedef, request)
