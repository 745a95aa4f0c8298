"""A token is believed for its signature alone: with an issuer of our own, offline."""

from __future__ import annotations

import json
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from postdeploy.change.identity import NotBelieved, read_keys, verify
from tests.change.build import NOW

ISSUER, AUDIENCE = "https://gitlab.example", "postdeploy"
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "exp": int(NOW.timestamp()) + 3600,
    "nbf": int(NOW.timestamp()) - 5,
    "user_login": "dora",
    "pipeline_id": 77,
    "sha": "a" * 40,
    "ref_protected": "true",
    "user_email": "dora@example.org",
}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="module")
def keys(key) -> dict[str, Any]:
    public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key()))
    return {"keys": [public | {"kid": "k1", "alg": "RS256", "use": "sig"}]}


def token(key, kid: str = "k1", algorithm: str = "RS256", **difference: Any) -> str:
    claims = {name: value for name, value in {**CLAIMS, **difference}.items() if value is not None}
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})


def test_the_claims_that_matter_are_kept_and_no_other(key, keys):
    found = verify(token(key), keys, ISSUER, AUDIENCE, NOW)
    assert (found.user_login, found.pipeline_id, found.sha) == ("dora", "77", "a" * 40)
    assert "example.org" not in repr(found)


@pytest.mark.parametrize(
    ("difference", "why"),
    [
        ({"iss": "https://evil.example"}, "iss"),
        ({"aud": "vault"}, "aud"),
        ({"exp": int(NOW.timestamp()) - 60}, "ended 60 s before"),
        ({"nbf": int(NOW.timestamp()) + 600}, "begins"),
        ({"exp": None}, "no token that can be read"),
        ({"kid": "k2"}, "not in the key set"),
    ],
)
def test_a_token_that_is_not_for_us_now_proves_nothing(key, keys, difference, why):
    kid = difference.pop("kid", "k1") if "kid" in difference else "k1"
    with pytest.raises(NotBelieved, match=why):
        verify(token(key, kid, **difference), keys, ISSUER, AUDIENCE, NOW)


def test_it_is_judged_by_the_time_of_the_observation_with_a_little_leeway(key, keys):
    assert verify(token(key, exp=int(NOW.timestamp()) - 10), keys, ISSUER, AUDIENCE, NOW).user_login == "dora"


def test_another_key_under_the_same_name_is_found_out(keys):
    other = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    with pytest.raises(NotBelieved, match="signature"):
        verify(token(other), keys, ISSUER, AUDIENCE, NOW)


def test_a_token_cannot_choose_how_it_is_checked(key, keys):
    symmetric = jwt.encode(CLAIMS, "a secret of our own, of some length", algorithm="HS256", headers={"kid": "k1"})
    with pytest.raises(NotBelieved, match="RS256"):
        verify(symmetric, keys, ISSUER, AUDIENCE, NOW)
    unsigned = jwt.encode(CLAIMS, "", algorithm="none", headers={"kid": "k1"})
    with pytest.raises(NotBelieved):
        verify(unsigned, keys, ISSUER, AUDIENCE, NOW)


@pytest.mark.parametrize("text", ["", "x.y.z", "eyJhbGciOiJSUzI1NiJ9.e30.x"])
def test_what_is_no_token_is_said_without_a_byte_of_it(keys, text):
    with pytest.raises(NotBelieved) as caught:
        verify(text, keys, ISSUER, AUDIENCE, NOW)
    assert not text or text not in str(caught.value)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"keys": 1}'])
def test_what_is_no_key_set_is_refused(text):
    with pytest.raises(ValueError, match=r"keys|Expecting"):
        read_keys(text)
