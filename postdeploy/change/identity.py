"""The job's id_token, verified offline against a key set; its claims are kept, the token never."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from postdeploy.change.objects import Identity

ALGORITHMS = ("RS256",)
"""GitLab's, and no other: a token must not choose how it is checked."""
LEEWAY_S = 30


class NotBelieved(Exception):
    """The token is there and proves nothing; the message says why, without a byte of it."""


def verify(token: str, keys: Mapping[str, Any], issuer: str, audience: str, now: datetime) -> Identity:
    """Who the job is. Raises NotBelieved."""
    import jwt

    try:
        known = {each.key_id: each for each in jwt.PyJWKSet.from_dict(dict(keys)).keys}
        key = known.get(jwt.get_unverified_header(token).get("kid"))
        if key is None:
            raise NotBelieved("it is signed by a key that is not in the key set")
        claims = jwt.decode(
            token,
            key,
            algorithms=list(ALGORITHMS),
            issuer=issuer,
            audience=audience,
            # Time is the observation's, not that of the library's own clock.
            options={"verify_exp": False, "verify_nbf": False, "verify_iat": False, "require": ["exp", "iss", "aud"]},
        )
    except (jwt.PyJWTError, jwt.PyJWKSetError) as error:
        raise NotBelieved(_reason(error)) from None
    _expect_current(claims, now)
    return Identity(**{name: str(claims.get(name, "")) for name in Identity.__struct_fields__})


def _expect_current(claims: Mapping[str, Any], now: datetime) -> None:
    moment = now.timestamp()
    try:
        ends, begins = float(claims["exp"]), float(claims.get("nbf", 0))
    except (TypeError, ValueError):
        raise NotBelieved("its times are none") from None
    if moment > ends + LEEWAY_S:
        raise NotBelieved(f"it ended {moment - ends:.0f} s before")
    if moment < begins - LEEWAY_S:
        raise NotBelieved(f"it begins {begins - moment:.0f} s from now")


def _reason(error: Exception) -> str:
    return {
        "InvalidSignatureError": "its signature is not one of the key that it names",
        "InvalidAudienceError": "it is made out to somebody else (aud)",
        "InvalidIssuerError": "somebody else issued it (iss)",
        "InvalidAlgorithmError": f"it is not signed by {', '.join(ALGORITHMS)}",
        "PyJWKSetError": "the key set holds no key that can be used",
    }.get(type(error).__name__, f"it is no token that can be read ({type(error).__name__})")


def read_keys(text: str) -> Mapping[str, Any]:
    """A key set (JWKS). Raises ValueError."""
    found = json.loads(text)
    if not isinstance(found, dict) or not isinstance(found.get("keys"), list):
        raise ValueError("it has no list of keys")
    return found
