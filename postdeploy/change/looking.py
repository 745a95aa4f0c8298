"""Where the look at the change gets what it needs: from the job and its secrets, or from a rehearsal."""

from __future__ import annotations

import json
from typing import Any

from pydantic import SecretStr

from postdeploy.change.objects import Change, Said
from postdeploy.change.observe import Asked, Proofs, Way, observe, proofs_of
from postdeploy.environment import Environment
from postdeploy.secrets import load_gitlab_token
from postdeploy.standin import Standin


def look(
    environment: Environment,
    release: str,
    commit: str,
    standin: Standin | None,
    suite: tuple[str, bool | None],
) -> Change:
    """The look; a rehearsal brings a job and a GitLab of its own, and ignores the CI it runs in. Raises Unverified."""
    if standin is None:
        asked = Asked(environment, release, commit, suite)
        return observe(asked, proofs_of(), lambda: load_gitlab_token(environment.name))
    told: dict[str, Any] = dict(standin.job)
    asked = Asked(environment, release, commit, (told.get("suite_commit", "unknown"), told.get("suite_dirty")))
    said = Said(**told.get("said", {}))
    proofs = Proofs(said, told.get("id_token", ""), json.dumps(told["keys"]) if "keys" in told else "", "none told")
    # What is public lies behind one door of the rehearsal, the independent host too.
    front = standin.hosts[environment.api.host]
    places = {environment.web.control: front, **standin.hosts} if environment.web.control else standin.hosts
    return observe(asked, proofs, lambda: SecretStr(told.get("api_token", "")), Way(places, standin.ca_pem))
