"""The GitLab of the rehearsal: the deployments of one project by its API, to read, and the identity of one job."""

from __future__ import annotations

import hmac
import json
import secrets
import time
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from rehearsal.delivery import commit_of
from rehearsal.front import Answer
from rehearsal.office import Approval, Deployed
from rehearsal.world import World

KID = "rehearsal-1"
API = "/api/v4/projects/{project}/deployments"


class GitLab:
    """Serves the office's books; whoever asks needs its token."""

    def __init__(self, world: World) -> None:
        self.world, self.office = world, world.office
        self.api_token = "glpat-" + secrets.token_urlsafe(15)

    @property
    def hosts(self) -> tuple[str, ...]:
        """The host it stands in for."""
        declared = self.world.environment.change
        return (declared.gitlab.host,) if declared else ()

    def app(self) -> web.Application:
        """The application."""
        app = web.Application(middlewares=[self._clock])
        app.router.add_get("/", self._front)
        app.router.add_get(API, self._list)
        app.router.add_get(API + "/{number:\\d+}", self._one)
        return app

    def job(self) -> dict[str, object]:
        """What a job of the pipeline would bring."""
        office = self.office
        told: dict[str, object] = {
            "said": office.said,
            "api_token": self.api_token,
            "suite_commit": office.suite_commit,
            "suite_dirty": office.suite_dirty,
        }
        if office.token_missing:
            return told
        token, keys = identity(self.world)
        return told | {"id_token": token, "keys": keys}

    @web.middleware
    async def _clock(self, request: web.Request, handler: Any) -> web.StreamResponse:
        response: web.StreamResponse = await handler(request)
        if self.office.clock_s:
            response.headers["Date"] = http_date(time.time() + self.office.clock_s)
        return response

    async def _front(self, _: web.Request) -> web.Response:
        return web.Response(text="GitLab")

    async def _list(self, request: web.Request) -> web.Response:
        refused = self._refused(request)
        return refused or _json([_told(each, alone=False) for each in reversed(self.office.deployed)])

    async def _one(self, request: web.Request) -> web.Response:
        number = int(request.match_info["number"])
        found = next((each for each in self.office.deployed if each.id == number), None)
        refused = self._refused(request)
        return refused or (_json(_told(found)) if found else _json({"message": "404 Not found"}, 404))

    def _refused(self, request: web.Request) -> web.Response | None:
        if self.office.unreachable:
            return _json({"message": "502 Bad Gateway"}, 502)
        sent = request.headers.get("PRIVATE-TOKEN", "")
        if not hmac.compare_digest(sent.encode(), self.api_token.encode()):
            return _json({"message": "401 Unauthorized"}, 401)
        declared = self.world.environment.change
        if declared is None or request.match_info["project"] != declared.gitlab.project:
            return _json({"message": "404 Project Not Found"}, 404)
        return None


def identity(world: World) -> tuple[str, dict[str, Any]]:
    """The job's id_token as GitLab issues it, and the key set it is checked by."""
    import jwt
    from cryptography.hazmat.primitives.asymmetric import rsa

    declared, office, now = world.environment.change, world.office, int(time.time())
    assert declared is not None
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    newest = office.deployed[-1]
    claims: dict[str, object] = {
        "iss": f"https://{declared.gitlab.host}",
        "aud": declared.audience,
        "sub": f"project_path:{declared.gitlab.project}:ref_type:tag:ref:{world.release}",
        "exp": now + 3600,
        "nbf": now - 5,
        "iat": now,
        "project_path": declared.gitlab.project,
        "user_login": office.said["actor"],
        "pipeline_id": newest.pipeline,
        "job_id": "990017",
        "ref": world.release,
        "ref_protected": "true",
        "sha": commit_of(world.release),
        "environment": declared.gitlab.environment or world.environment.name,
        "environment_protected": "true",
    }
    signer = rsa.generate_private_key(public_exponent=65537, key_size=2048) if office.token_forged else key
    token = jwt.encode({**claims, **office.token}, signer, algorithm="RS256", headers={"kid": KID})
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return token, {"keys": [public | {"kid": KID, "use": "sig", "alg": "RS256"}]}


def shifted(seconds: float, age_s: int = 0) -> Any:
    """Bends what a public host says the time is: it is off, or a cache kept the answer for a while and says so."""

    def bend(answer: Answer, request: web.Request) -> Answer:
        if request.method == "HEAD":
            answer.headers["Date"] = http_date(time.time() + seconds)
            if age_s:
                answer.headers["Age"] = str(age_s)
        return answer

    return bend


def http_date(moment: float) -> str:
    """A moment as HTTP writes it."""
    from email.utils import formatdate

    return formatdate(moment, usegmt=True)


def _told(deployed: Deployed, *, alone: bool = True) -> dict[str, object]:
    """A deployment as the API tells it; its approvals come only where it is asked for alone."""
    user = {"id": 7, "username": deployed.by, "name": deployed.by.title(), "state": "active"}
    pipeline = {"id": deployed.pipeline, "ref": deployed.ref, "sha": deployed.sha, "status": "success"}
    pipeline["web_url"] = f"https://gitlab.northgate.example/brokerage/crm/-/pipelines/{deployed.pipeline}"
    job = {
        "id": deployed.pipeline + 1,
        "name": "deploy",
        "ref": deployed.ref,
        "status": "success",
        "created_at": _time(deployed.created),
        "started_at": _time(deployed.began),
        "finished_at": _time(deployed.began + timedelta(seconds=70)),
        "pipeline": pipeline,
        "user": user,
    }
    told: dict[str, object] = {
        "id": deployed.id,
        "iid": deployed.iid,
        "ref": deployed.ref,
        "sha": deployed.sha,
        "created_at": _time(deployed.created),
        "updated_at": _time(deployed.began),
        "status": "success",
        "user": user,
        "environment": {"id": 9, "name": deployed.environment, "tier": "production"},
        "deployable": job,
    }
    if alone:
        given = [_approval(each) for each in deployed.approvals]
        told |= {"pending_approval_count": 0, "approvals": given}
        told["approval_summary"] = {"rules": [{"required_approvals": 1, "deployment_approvals": given}]}
    return told


def _approval(approval: Approval) -> dict[str, object]:
    user = {"id": 8, "username": approval.by, "name": approval.by.title()}
    return {"user": user, "status": "approved", "created_at": _time(approval.at), "comment": approval.comment}


def _time(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _json(body: object, status: int = 200) -> web.Response:
    return web.json_response(body, status=status)
