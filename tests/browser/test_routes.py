"""Names lead where they are declared to lead, and nowhere else."""

from __future__ import annotations

import trustme

from postdeploy.browser.routes import arguments, key_hash


def test_declared_hosts_lead_to_their_places_and_every_other_name_nowhere() -> None:
    pem = trustme.CA().cert_pem.bytes().decode()
    rules, trust = arguments({"a.example": "127.0.0.1:1", "b.example": "127.0.0.1:2"}, pem)
    assert rules == ("--host-resolver-rules=MAP a.example 127.0.0.1:1,MAP b.example 127.0.0.1:2,MAP * ~NOTFOUND")
    assert trust == f"--ignore-certificate-errors-spki-list={key_hash(pem)}"


def test_a_living_environment_needs_neither() -> None:
    assert arguments({}, "") == []
