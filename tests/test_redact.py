from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from postdeploy.redact import MASK, Redactor, names_secret

SECRET = 'hünter "2"/&+ok='
PEM = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\nAAAA\n-----END EC PRIVATE KEY-----"
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"

NOTHING = Redactor(())


@pytest.mark.parametrize(
    "form",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower().replace("h%c3", "h%c3"),
        quote_plus(SECRET),
        json.dumps(SECRET),
        json.dumps(SECRET, ensure_ascii=False),
        html.escape(SECRET),
        SECRET.encode().hex(),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
        *(base64.b64encode(b"user:"[:n] + SECRET.encode() + b"more").decode() for n in range(4)),
    ],
)
def test_a_registered_secret_is_masked_in_every_encoding(form):
    core = form.strip('"').rstrip("=")[4:-4]
    assert core in form
    masked = Redactor([SecretStr(SECRET)]).text(f"before {form} after")
    assert core not in masked
    assert MASK in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")


def test_the_lines_of_a_registered_key_are_masked_one_by_one():
    masked = Redactor([PEM.replace("MHcCAQEE", "MHcCAQEEsomething")]).text("first line: MHcCAQEEsomething")
    assert masked == f"first line: {MASK}"


def test_a_very_short_secret_is_not_registered():
    assert Redactor(["abc", "", SecretStr("")]).text("abc and others") == "abc and others"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"got {JWT}!", f"got {MASK}!"),
        (f"key:\n{PEM}\nend", f"key:\n{MASK}\nend"),
        ("-----BEGIN PRIVATE KEY-----\nMIIE and the log is cut", MASK),
        ("Authorization: Bearer abc", f"Authorization: {MASK}"),
        ("authorization=Basic dXNlcjpwYXNz, next", f"authorization={MASK}, next"),
        ('{"Authorization": "Bearer abc def"}', f'{{"Authorization": "{MASK} def"}}'),
        ("Set-Cookie: sid=38afes7a8; Path=/", f"Set-Cookie: {MASK}; Path=/"),
        ("sent Bearer 0123456789abcdef on", f"sent Bearer {MASK} on"),
        ("password=hunter2&next=1", f"password={MASK}&next=1"),
        ("DB_PASSWORD: hunter2", f"DB_PASSWORD: {MASK}"),
        ('{"password": "hun \\"ter2", "a": 1}', f'{{"password": "{MASK}", "a": 1}}'),
        ('{\\"password\\": \\"hunter2\\", \\"a\\": 1}', f'{{\\"password\\": \\"{MASK}\\", \\"a\\": 1}}'),
        ("{'client_secret': 'x y'}", f"{{'client_secret': '{MASK}'}}"),
        ('token="never closed', f'token="{MASK}'),
        ("api-key => s3cr3t", f"api-key => {MASK}"),
        ("otp=123456 totp: 654321", f"otp={MASK} totp: {MASK}"),
        ("postgres://crm:p@ss@pg-crm:5432/crm", f"postgres://{MASK}@pg-crm:5432/crm"),
        ("card 4111 1111 1111 1111 12/28", f"card {MASK} 12/28"),
        ("4111-1111-1111-1111 5500000000000004", f"{MASK} {MASK}"),
        ("order 77 4111111111111111", f"order 77 {MASK}"),
        ("amex 378282246310005.", f"amex {MASK}."),
        ("IBAN GB82 WEST 1234 5698 7654 32 PAID", f"IBAN {MASK} PAID"),
        ("GB82 WEST 1234 5698 7654 32 DE89 3704 0044 0532 0130 00", f"{MASK} {MASK}"),
        ("to DE89370400440532013000.", f"to {MASK}."),
        ("write to jane.doe+x@mail.example.com now", f"write to {MASK} now"),
        ("ghp_abcdefghijklmnopqrstuvwxyz0123456789", MASK),
    ],
)
def test_known_forms_are_masked_and_the_rest_of_the_line_stays(text, expected):
    assert NOTHING.text(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "Back-off restarting failed container crm-web in pod crm-web-6d4cf56db6-x2x7q",
        "europe-docker.pkg.dev/northgate-prod/crm/crm@sha256:4b825dc642cb6eb9a060e54bf8d69288fbee4904a1b2c3d4e5f60718293a4b5c",
        "v2026.47.1@sha1:0123456789012345678901234567890123456789",
        "card 4111 1111 1111 1112 is no card",
        "1795377600123 2026-11-22T19:45:22.123456789Z 12345678901234567",
        "GB82 WEST 1234 5698 7654 33 has the wrong check digits",
        'MountVolume.SetUp failed for volume "tls": secret "crm-tls" not found',
        "Basic authentication is off, the bearer of bad news",
        "no secret and no token here",
        "https://api.uk.northgate.example/health?at=12:30",
    ],
)
def test_what_only_looks_like_a_secret_stays_readable(text):
    assert NOTHING.text(text) == text


def test_a_name_known_to_be_harmless_stays():
    redactor = Redactor((), keep=["synthetic-uk-01@northgate.example"])
    assert redactor.text("synthetic-uk-01@northgate.example, jane@northgate.example") == (
        f"synthetic-uk-01@northgate.example, {MASK}"
    )


def test_json_is_masked_by_key_at_any_depth():
    seen = Redactor(["s3cr3t-value"]).json(
        {
            "password": "x",
            "otp": 123456,
            "token": None,
            "token_type": "bearer",
            "secret": {"nested": 1},
            "otp_required": True,
            "has_password": True,
            "accessToken": "y",
            "headers": [["Authorization", "Bearer z"], ["accept", "*/*"]],
            "env": [{"name": "DB_PASSWORD", "value": "v"}, {"name": "LANG", "value": "C"}],
            "note": ["an s3cr3t-value inside", SecretStr("hidden"), 3.5, ("a", "b", "c")],
            7: "jane@example.com",
        }
    )
    assert seen == {
        "password": MASK,
        "otp": MASK,
        "token": None,
        "token_type": "bearer",
        "secret": MASK,
        "otp_required": True,
        "has_password": True,
        "accessToken": MASK,
        "headers": [["Authorization", MASK], ["accept", "*/*"]],
        "env": [{"name": "DB_PASSWORD", "value": MASK}, {"name": "LANG", "value": "C"}],
        "note": [f"an {MASK} inside", MASK, 3.5, ["a", "b", "c"]],
        7: MASK,
    }


@pytest.mark.parametrize(
    "key", ["otp", "TOTPSecret", "X-Api-Key", "password_hash", "db.password2", "cardNumber", "pan"]
)
def test_keys_that_name_a_secret(key):
    assert names_secret(key)


@pytest.mark.parametrize("key", ["token_type", "company", "timespan", "keys", "", "42", "secretName", "otp_required"])
def test_keys_that_name_none(key):
    assert not names_secret(key)


@given(
    st.text(max_size=80),
    st.text(st.characters(exclude_characters="[]", exclude_categories=["Cs"]), min_size=4, max_size=20),
)
def test_masking_twice_changes_nothing_and_leaves_no_secret(text, secret):
    redactor = Redactor([secret])
    once = redactor.text(text + secret + text)
    assert redactor.text(once) == once
    assert secret in MASK or secret not in once.replace(MASK, "\0")


SECRETS = ["a-password", "kürzer", "0123456789abcde", "0123456789abcdef", "0123456789" * 20, "日本語のパスワード"]


@given(st.lists(st.sampled_from(SECRETS) | st.text(max_size=9), max_size=9), st.integers(0, 200))
def test_a_secret_is_struck_out_wherever_it_begins_and_whatever_part_of_it_stands_alone(pieces, cut):
    text = "".join(pieces)
    text += text[:cut]
    expected, count = text, 0
    for each in sorted(SECRETS, key=len, reverse=True):
        count += expected.count(each)
        expected = expected.replace(each, MASK)
    assert Redactor(SECRETS).strike(text) == (expected, count)


@given(st.integers(0, 16), st.sampled_from(SECRETS))
def test_a_secret_learnt_later_is_struck_out_too(before, secret):
    redactor = Redactor(["something else that is kept secret"])
    text = "x" * before + secret + "x"
    assert redactor.strike(text) == (text, 0)
    redactor.learn(secret)
    assert redactor.strike(text)[1] == (len(secret) >= 16)


def test_a_secret_inside_the_mask_does_not_grow_it():
    assert Redactor(["redacted"]).text(f"password={MASK}") == f"password={MASK}"


@pytest.mark.parametrize(
    "line",
    [
        "1 " * 50_000 + "x",
        "1" * 100_000 + "x",
        "a" * 100_000 + "@",
        "password" * 10_000,
        "eyJ" * 30_000,
        "://" * 30_000,
        "GB82" * 20_000,
        "Bearer " * 15_000,
        'token="' * 15_000,
        "\\" * 100_000,
        "-----BEGIN PRIVATE KEY-----" * 3_000,
    ],
    ids=lambda line: line[:12],
)
def test_no_line_makes_it_backtrack(line):
    """A pattern that tries every split of such a line would not come to an end before the test run does."""
    once = NOTHING.text(line)
    assert NOTHING.text(once) == once


def test_a_redactor_shows_nothing():
    assert SECRET not in repr(Redactor([SECRET]))


@pytest.mark.parametrize(
    ("page", "kept"),
    [
        (
            '<input type="hidden" name="csrfmiddlewaretoken" value="abc123">',
            '<input type="hidden" name="csrfmiddlewaretoken" value="[redacted]">',
        ),
        ("<meta content='abc123' name='csrf-token'>", "<meta content='[redacted]' name='csrf-token'>"),
        ('<input name="username" value="abc123">', '<input name="username" value="abc123">'),
        ('<meta name="robots" content="noindex">', '<meta name="robots" content="noindex">'),
    ],
)
def test_a_token_in_a_pages_field_is_masked_and_what_a_claim_reads_stays(page, kept):
    assert Redactor().text(page) == kept
    assert Redactor().text(kept) == kept
