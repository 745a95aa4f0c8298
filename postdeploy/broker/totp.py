"""One-time codes (RFC 6238): a step is used once, and not in its last seconds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from pydantic import SecretStr

STEP_S = 30
MARGIN_S = 3.0
"""A code that has less time left may be too old when it arrives."""


@dataclass(frozen=True)
class Code:
    """One code, and when it can be sent."""

    digits: SecretStr
    step: int
    wait_s: float


def next_code(seed: SecretStr, now: float, last_step: int | None, margin_s: float = MARGIN_S) -> Code:
    """The next code that nobody has used: in this step, or in the next one after a wait."""
    import pyotp  # late: a run that logs nobody in does not pay for it

    step, left = int(now) // STEP_S, STEP_S - now % STEP_S
    if left < margin_s:
        step += 1
    if last_step is not None:
        step = max(step, last_step + 1)
    digits = pyotp.TOTP(seed.get_secret_value()).generate_otp(step)
    return Code(SecretStr(digits), step, max(0.0, step * STEP_S - now))


def seed_mark(seed: SecretStr) -> str:
    """What tells one seed from the next without telling anything of it: after a rotation old steps do not count."""
    return hashlib.sha256(b"postdeploy/" + seed.get_secret_value().encode()).hexdigest()[:12]
