"""The tokens of what is read beside the accounts: a rehearsal's own, or those of the secret store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING

from postdeploy.environment import Environment
from postdeploy.standin import Standin
from postdeploy.verdict import Unverified

if TYPE_CHECKING:
    from pydantic import SecretStr


def registry_token(environment: Environment, standin: Standin | None) -> SecretStr | None:
    """What opens the registry; None in a rehearsal, whose registry lets anybody read. Raises Unverified."""
    from postdeploy.secrets import load_registry_token

    return None if standin else load_registry_token(environment.name)


def feed_token(environment: Environment, standin: Standin | None) -> tuple[SecretStr | None, str]:
    """What opens the quote feed, or why there is nothing that does."""
    feed = environment.web.feed
    if feed is None or feed.login != "token":
        return None, ""
    if standin is not None:
        return standin.feed_token, ""
    from postdeploy.secrets import load_feed_token

    try:
        return load_feed_token(environment.name), ""
    except Unverified as error:
        return None, str(error)


def known(environment: Environment, standin: Standin | None) -> Iterator[SecretStr]:
    """All of them, as far as they are declared and there: nothing that is kept may hold one."""
    from pydantic import SecretStr

    from postdeploy import secrets

    if standin is not None:
        yield from (standin.password, standin.feed_token)
        yield from (SecretStr(standin.job.get(name, "")) for name in ("id_token", "api_token"))
        return
    yield SecretStr(os.environ.get("POSTDEPLOY_ID_TOKEN", ""))
    declared: tuple[tuple[bool, Callable[[str], SecretStr]], ...] = (
        (environment.registry is not None, secrets.load_registry_token),
        (environment.web.feed is not None, secrets.load_feed_token),
        (environment.logs.loki is not None, secrets.load_loki_token),
        (environment.change is not None, secrets.load_gitlab_token),
    )
    for is_declared, token in declared:
        with suppress(Unverified):
            if is_declared:
                yield token(environment.name)
