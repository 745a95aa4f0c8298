"""Literal observations of a change: a healthy one, and whatever is different about it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from postdeploy.change.claims import ChangeClaims
from postdeploy.change.objects import Approval, Change, Deployment, Identity, Said, Witness
from postdeploy.environment import load

NOW = datetime(2026, 11, 25, 9, 0, tzinfo=UTC)
BEGAN = NOW - timedelta(minutes=8)
SHA = "a" * 40
UK = load("uk-prod")
APPROVED = Approval(by="ann", status="approved", at=BEGAN - timedelta(minutes=20), comment="checked")
DEPLOYED = Deployment(
    id=7,
    iid=42,
    environment="uk-prod",
    sha=SHA,
    ref="v1",
    status="success",
    by="dora",
    began=BEGAN,
    pipeline="77",
    approvals=(APPROVED,),
)
IDENTITY = Identity(
    user_login="dora",
    project_path="brokerage/crm",
    pipeline_id="77",
    job_id="9",
    sha=SHA,
    ref_protected="true",
    environment="uk-prod",
)
WITNESSES = tuple(Witness(name=name, skew_s=0.2) for name in ("gitlab", "api", "brand"))
WELL = Change(
    taken=NOW,
    commit=SHA,
    said=Said(actor="dora", ticket="CHG-1"),
    identity=IDENTITY,
    deployment=DEPLOYED,
    suite_commit="c" * 40,
    suite_dirty=False,
    witnesses=WITNESSES,
)


def change(**difference: Any) -> Change:
    return msgspec.structs.replace(WELL, **difference)


def deployed(**difference: Any) -> Change:
    return change(deployment=msgspec.structs.replace(DEPLOYED, **difference))


def claims(seen: Change = WELL, **declared: Any) -> ChangeClaims:
    asked = UK.change.model_copy(update=declared)
    return ChangeClaims(seen, UK.model_copy(update={"change": asked}), "v1")
