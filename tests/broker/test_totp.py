"""One-time codes by the book, each used once."""

from __future__ import annotations

import base64

import pytest
from pydantic import SecretStr

from postdeploy.broker.totp import next_code, seed_mark
from rehearsal.doors import one_time

RFC = SecretStr(base64.b32encode(b"12345678901234567890").decode())


@pytest.mark.parametrize(
    ("now", "digits"), [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]
)
def test_codes_are_those_of_rfc_6238(now, digits):
    code = next_code(RFC, now, None, margin_s=0)
    assert code.digits.get_secret_value() == digits == one_time(RFC.get_secret_value(), now // 30)


def test_a_step_that_was_used_is_waited_out():
    code = next_code(RFC, 65.0, last_step=2)
    assert (code.step, code.wait_s) == (3, 25.0)


def test_a_code_that_is_about_to_expire_is_waited_out():
    code = next_code(RFC, 88.0, None, margin_s=3)
    assert (code.step, code.wait_s) == (3, 2.0)


def test_an_older_step_costs_no_wait():
    assert next_code(RFC, 65.0, last_step=1).wait_s == 0


def test_the_mark_tells_seeds_apart_and_nothing_of_them():
    other = SecretStr("JBSWY3DPEHPK3PXP")
    assert seed_mark(RFC) != seed_mark(other)
    assert seed_mark(RFC) == seed_mark(SecretStr(RFC.get_secret_value()))
    assert len(seed_mark(RFC)) == 12


def test_a_code_is_never_shown():
    code = next_code(RFC, 59, None)
    assert code.digits.get_secret_value() not in repr(code)
