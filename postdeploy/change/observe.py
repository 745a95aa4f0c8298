"""One look at the change: GitLab's word, the job's token, its variables, and the clocks."""

from __future__ import annotations

import os
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import msgspec
from pydantic import SecretStr

from postdeploy.change import clocks, identity
from postdeploy.change.gitlab import GitLab, of_run
from postdeploy.change.objects import Change, Said
from postdeploy.environment import Environment
from postdeploy.verdict import Unverified

TOKEN, KEYS = "POSTDEPLOY_ID_TOKEN", "POSTDEPLOY_ID_TOKEN_KEYS"
"""Variables: the job's id_token, and the file with the key set of the GitLab that issued it."""
VARIABLES = {
    "actor": "GITLAB_USER_LOGIN",
    "approver": "POSTDEPLOY_APPROVER",
    "approved_at": "POSTDEPLOY_APPROVED_AT",
    "ticket": "POSTDEPLOY_TICKET",
    "pipeline": "CI_PIPELINE_ID",
    "pipeline_url": "CI_PIPELINE_URL",
}
TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Way:
    """How hosts are reached; of a rehearsal: where on loopback, under which authority."""

    places: Mapping[str, str] = field(default_factory=dict)
    ca_pem: str | None = None

    def client(self, host: str, headers: Mapping[str, str] | None = None) -> httpx.Client:
        """A client for one host."""
        place = self.places.get(host, host)
        tls = ssl.create_default_context(cadata=self.ca_pem)

        def named(request: httpx.Request) -> None:
            request.extensions["sni_hostname"] = host

        given = {"Host": host, "User-Agent": "postdeploy (read-only verification)", **(headers or {})}
        return httpx.Client(
            base_url=f"https://{place}",
            headers=given,
            verify=tls,
            timeout=TIMEOUT_S,
            trust_env=self.ca_pem is None,
            event_hooks={"request": [named]},
        )


@dataclass(frozen=True)
class Proofs:
    """What the job brings: its token, the keys to check it by, and what its variables say."""

    said: Said
    token: str = field(default="", repr=False)
    keys: str = ""
    """JSON of the key set."""
    unknown: str = ""
    """Why there is no key set."""


def proofs_of(variables: Mapping[str, str] = os.environ) -> Proofs:
    """The proofs of a job in GitLab."""
    said = Said(**{name: variables.get(variable, "") for name, variable in VARIABLES.items()})
    token, file = variables.get(TOKEN, ""), variables.get(KEYS, "")
    if not file:
        return Proofs(said, token, unknown=f"no key set: {KEYS} names no file")
    try:
        return Proofs(said, token, Path(file).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        return Proofs(said, token, unknown=f"the key set {file} of {KEYS} cannot be read: {error}")


@dataclass(frozen=True)
class Asked:
    """What the look is about."""

    environment: Environment
    release: str
    commit: str
    suite: tuple[str, bool | None]
    """Commit of the checks, and whether the checkout differs from it."""


def observe(
    asked: Asked,
    proofs: Proofs,
    api_token: Callable[[], SecretStr],
    way: Way | None = None,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Change:
    """What can be known of the change. Raises Unverified where the environment asks for nothing of the kind."""
    declared = asked.environment.change
    if declared is None:
        raise Unverified("the environment declares no change control")
    way = way or Way()
    change = Change(
        taken=now(),
        project=declared.gitlab.project,
        commit=asked.commit,
        said=proofs.said,
        suite_commit=asked.suite[0],
        suite_dirty=asked.suite[1],
    )
    change = _identified(change, proofs, declared.gitlab.host, declared.audience)
    change = _deployed(change, asked, api_token, way)
    return msgspec.structs.replace(change, witnesses=_witnesses(asked.environment, way, now))


def _identified(change: Change, proofs: Proofs, host: str, audience: str) -> Change:
    def with_(**found: Any) -> Change:
        return msgspec.structs.replace(change, **found)

    if not proofs.token:
        return with_(identity_unknown=f"the job brought no id_token ({TOKEN})")
    if not proofs.keys:
        return with_(identity_unknown=proofs.unknown)
    try:
        keys = identity.read_keys(proofs.keys)
        return with_(identity=identity.verify(proofs.token, keys, f"https://{host}", audience, change.taken))
    except ValueError as error:
        return with_(identity_unknown=f"the key set cannot be read: {error}")
    except identity.NotBelieved as error:
        return with_(identity_wrong=str(error))


def _deployed(change: Change, asked: Asked, api_token: Callable[[], SecretStr], way: Way) -> Change:
    declared = asked.environment.change
    assert declared is not None  # noqa: S101  for the type checker: observe has looked
    name = declared.gitlab.environment or asked.environment.name
    try:
        token = {"PRIVATE-TOKEN": api_token().get_secret_value()}
        with way.client(declared.gitlab.host, token) as client:
            gitlab = GitLab(client, declared.gitlab.project)
            newest = gitlab.newest()
            mine = tuple(each for each in newest if each.environment == name)
            pipeline = change.identity.pipeline_id if change.identity else change.said.pipeline
            found = of_run(mine, pipeline, asked.commit, asked.release)
            found = gitlab.one(found.id) if found is not None else None
    except Unverified as error:
        return msgspec.structs.replace(change, gitlab_unknown=str(error))
    numbers = tuple(each.iid for each in newest)
    return msgspec.structs.replace(change, deployment=found, listed=mine, numbers=numbers)


def _witnesses(environment: Environment, way: Way, now: Callable[[], datetime]) -> tuple[Any, ...]:
    """Three clocks that nobody sets together: GitLab's, the independent host's, and the product's own."""
    gitlab = environment.change.gitlab.host if environment.change else None
    found = []
    for host in filter(None, (gitlab, environment.web.control, environment.api.host)):
        with way.client(host) as client:
            found.append(clocks.ask(host, client, "/", now))
    return tuple(found)
