"""GitLab's deployments API, read only: the newest deployments of a project, and the approvals of one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx

from postdeploy.change.objects import Approval, Deployment
from postdeploy.verdict import Unverified

LISTED = 100
"""Deployments of a project that are looked at, over all its environments."""


class GitLab:
    """One project of one GitLab."""

    def __init__(self, client: httpx.Client, project: str) -> None:
        self._client = client
        self._base = f"/api/v4/projects/{quote(project, safe='')}/deployments"

    def newest(self) -> tuple[Deployment, ...]:
        """The newest deployments of the project, newest first. Raises Unverified."""
        found = self._get(self._base, order_by="id", sort="desc", per_page=LISTED)
        return tuple(deployment(each) for each in found)

    def one(self, number: int) -> Deployment:
        """One deployment, with its approvals where this GitLab has them. Raises Unverified."""
        return deployment(self._get(f"{self._base}/{number}"))

    def _get(self, path: str, **query: Any) -> Any:
        try:
            answer = self._client.get(path, params=query)
            if answer.status_code != httpx.codes.OK:
                raise Unverified(f"GitLab answered {answer.status_code} to {path}{_advice(answer.status_code)}")
            return answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise Unverified(f"GitLab could not be asked ({path}): {error or type(error).__name__}") from error


def deployment(told: Mapping[str, Any]) -> Deployment:
    """A deployment from the API's answer. Raises Unverified for what is none."""
    try:
        job = told.get("deployable") or {}
        pipeline = job.get("pipeline") or {}
        return Deployment(
            id=told["id"],
            iid=told["iid"],
            environment=str(told["environment"]["name"]),
            sha=str(told.get("sha") or ""),
            ref=str(told.get("ref") or ""),
            status=str(told.get("status") or ""),
            by=_login(told.get("user")),
            created=_moment(told.get("created_at")),
            began=_moment(job.get("started_at")),
            finished=_moment(job.get("finished_at")),
            pipeline=str(pipeline.get("id") or ""),
            pipeline_url=str(pipeline.get("web_url") or ""),
            approvals=_approvals(told),
        )
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise Unverified(f"GitLab's answer is no deployment: {type(error).__name__}: {error}") from error


def _approvals(told: Mapping[str, Any]) -> tuple[Approval, ...] | None:
    """From both places where versions of GitLab tell them, each once."""
    if "approvals" not in told and "approval_summary" not in told:
        return None
    rules = (told.get("approval_summary") or {}).get("rules") or ()
    given = [*(told.get("approvals") or ()), *(each for rule in rules for each in rule["deployment_approvals"])]
    return tuple(dict.fromkeys(map(_approval, given)))


def _approval(told: Mapping[str, Any]) -> Approval:
    at, comment = _moment(told.get("created_at")), str(told.get("comment") or "")
    return Approval(by=_login(told.get("user")), status=str(told["status"]), at=at, comment=comment)


def _login(user: Mapping[str, Any] | None) -> str:
    return str((user or {}).get("username") or "")


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _advice(status: int) -> str:
    if status in (401, 403):
        return ": the token needs the scope read_api, and Reporter in the project"
    return ": the project is not there, or the token may not see it" if status == 404 else ""


def of_run(listed: Iterable[Deployment], pipeline: str, commit: str, ref: str) -> Deployment | None:
    """The deployment a run is about: its own pipeline's, else the newest that has begun of this very commit or tag."""
    known = [each for each in listed if each.is_done]
    mine = [each for each in known if pipeline and each.pipeline == pipeline]
    same = [each for each in known if (commit and each.sha == commit) or (not commit and each.ref == ref)]
    return next(iter([*mine, *same]), None)
