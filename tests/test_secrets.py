from __future__ import annotations

import copy
import json
import pickle
from types import SimpleNamespace

import pytest

from postdeploy import secrets
from postdeploy.redact import Redactor
from postdeploy.secrets import (
    Sealed,
    Secrets,
    load_feed_token,
    load_loki_token,
    load_registry_token,
    load_secrets,
)
from postdeploy.verdict import Unverified

OWN, GENERIC = "POSTDEPLOY_UK_PROD_PASSWORD", "POSTDEPLOY_PASSWORD"


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    for name in (OWN, GENERIC, f"{OWN}_FILE", f"{GENERIC}_FILE", secrets.DIRECTORY, secrets.PROJECT):
        monkeypatch.delenv(name, raising=False)


def password() -> str:
    return load_secrets("uk-prod").password.get_secret_value()


class FakeGoogle:
    """Not Google's client: an object with the one method we call, answering from a dictionary."""

    def __init__(self, **held: str | Exception) -> None:
        self.held, self.asked = held, []

    def access_secret_version(self, *, name: str) -> object:
        self.asked.append(name)
        held = self.held.get(name.split("/")[3], NotFound("404"))
        if isinstance(held, Exception):
            raise held
        return SimpleNamespace(payload=SimpleNamespace(data=held.encode()))


class NotFound(Exception):
    """Named like google.api_core.exceptions.NotFound."""


class PermissionDenied(Exception):
    pass


def test_the_environments_own_variable_comes_first(monkeypatch):
    monkeypatch.setenv(OWN, "own")
    monkeypatch.setenv(GENERIC, "generic")
    assert password() == "own"


def test_the_generic_variable_serves_every_environment(monkeypatch):
    monkeypatch.setenv(GENERIC, "generic")
    assert password() == "generic"


def test_an_empty_variable_is_none(monkeypatch):
    monkeypatch.setenv(OWN, "")
    monkeypatch.setenv(GENERIC, "generic")
    assert password() == "generic"


def test_a_file_variable_names_a_file(monkeypatch, tmp_path):
    (tmp_path / "held").write_text("from a file \n")
    monkeypatch.setenv(f"{OWN}_FILE", str(tmp_path / "held"))
    monkeypatch.setenv(GENERIC, "generic")
    assert password() == "from a file "


def test_a_variable_beats_its_file(monkeypatch, tmp_path):
    monkeypatch.setenv(OWN, "own")
    monkeypatch.setenv(f"{OWN}_FILE", str(tmp_path / "never read"))
    assert password() == "own"


@pytest.mark.parametrize(("content", "reason"), [(None, "No such file"), (b"\xff\xfe", "not UTF-8")])
def test_a_file_that_cannot_be_read_is_unverified_and_named(monkeypatch, tmp_path, content, reason):
    path = tmp_path / "held"
    if content:
        path.write_bytes(content)
    monkeypatch.setenv(f"{OWN}_FILE", str(path))
    with pytest.raises(Unverified, match=reason) as caught:
        password()
    assert f"{OWN}_FILE names {path}" in str(caught.value)


def test_a_secrets_directory_holds_files_by_name(monkeypatch, tmp_path):
    (tmp_path / GENERIC).write_text("generic\n")
    monkeypatch.setenv(secrets.DIRECTORY, str(tmp_path))
    assert password() == "generic"
    (tmp_path / OWN).write_text("own\n")
    assert password() == "own"


def test_a_secrets_directory_that_is_none_is_unverified(monkeypatch, tmp_path):
    monkeypatch.setenv(secrets.DIRECTORY, str(tmp_path / "absent"))
    with pytest.raises(Unverified, match=r"POSTDEPLOY_SECRETS_DIR names .*absent, which is no directory"):
        password()


def test_secret_manager_is_asked_by_name_last(monkeypatch):
    monkeypatch.setenv(secrets.PROJECT, "northgate-secrets")
    google = FakeGoogle(**{GENERIC: "from google\n"})
    assert load_secrets("uk-prod", client=google).password.get_secret_value() == "from google"
    asked = [each.split("/")[3] for each in google.asked if each.endswith("PASSWORD/versions/latest")]
    own = "POSTDEPLOY_UK_PROD_TRADER_PASSWORD"
    assert asked == [own, OWN, "POSTDEPLOY_TRADER_PASSWORD", GENERIC]
    monkeypatch.setenv(own, "own")
    google.asked.clear()
    assert load_secrets("uk-prod", client=google).password.get_secret_value() == "own"
    assert not [each for each in google.asked if "PASSWORD" in each]


def test_each_role_has_its_own_password_and_only_the_traders_needs_no_name(monkeypatch):
    monkeypatch.setenv(OWN, "the trader's")
    assert load_secrets("uk-prod", "trader").password.get_secret_value() == "the trader's"
    with pytest.raises(Unverified, match=r"\(other\).*POSTDEPLOY_UK_PROD_OTHER_PASSWORD"):
        load_secrets("uk-prod", "other")
    monkeypatch.setenv("POSTDEPLOY_OTHER_PASSWORD", "the other's")
    assert load_secrets("uk-prod", "other").password.get_secret_value() == "the other's"


def test_seed_of_the_one_time_codes_is_a_secret_like_the_password(monkeypatch):
    monkeypatch.setenv(OWN, "own")
    assert load_secrets("uk-prod").totp is None
    monkeypatch.setenv("POSTDEPLOY_UK_PROD_TRADER_TOTP", "JBSWY3DPEHPK3PXP")
    held = load_secrets("uk-prod")
    assert held.totp is not None
    assert held.totp.get_secret_value() == "JBSWY3DPEHPK3PXP"
    assert "JBSWY3DP" not in repr(held)
    assert len(held.all) == 2


def test_secret_manager_that_refuses_is_unverified(monkeypatch):
    monkeypatch.setenv(secrets.PROJECT, "northgate-secrets")
    with pytest.raises(Unverified, match=f"Secret Manager of northgate-secrets: {OWN}: PermissionDenied: 403"):
        load_secrets("uk-prod", client=FakeGoogle(**{OWN: PermissionDenied("403")}))


@pytest.mark.parametrize(
    ("problem", "said"), [(ImportError(), "extra is not installed"), (RuntimeError("no ADC"), "credentials: no ADC")]
)
def test_secret_manager_that_is_not_there_is_unverified(monkeypatch, problem, said):
    monkeypatch.setenv(secrets.PROJECT, "northgate-secrets")
    monkeypatch.setattr(secrets.importlib, "import_module", lambda _: (_ for _ in ()).throw(problem))
    with pytest.raises(Unverified, match=said):
        password()


def test_googles_own_client_is_made_only_when_a_project_is_named(monkeypatch):
    google = FakeGoogle(**{OWN: "from google"})
    monkeypatch.setattr(
        secrets.importlib, "import_module", lambda _: SimpleNamespace(SecretManagerServiceClient=lambda: google)
    )
    monkeypatch.setenv(secrets.PROJECT, "northgate-secrets")
    assert password() == "from google"


def test_a_missing_password_names_what_would_supply_it():
    with pytest.raises(Unverified) as caught:
        password()
    for name in (OWN, f"{OWN}_FILE", GENERIC, f"{GENERIC}_FILE", secrets.DIRECTORY, secrets.PROJECT):
        assert name in str(caught.value)


@pytest.mark.parametrize(("kind", "load"), [("REGISTRY_TOKEN", load_registry_token), ("FEED_TOKEN", load_feed_token)])
def test_token_is_found_where_the_password_is(monkeypatch, tmp_path, kind, load):
    for name in (f"POSTDEPLOY_UK_PROD_{kind}", f"POSTDEPLOY_{kind}"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unverified, match=f"POSTDEPLOY_UK_PROD_{kind}"):
        load("uk-prod")
    monkeypatch.setenv(OWN, "the password")
    google = FakeGoogle(**{f"POSTDEPLOY_{kind}": "from google"})
    monkeypatch.setenv(secrets.PROJECT, "northgate-secrets")
    assert load("uk-prod", client=google).get_secret_value() == "from google"
    monkeypatch.delenv(secrets.PROJECT)
    file = tmp_path / "token"
    file.write_text("from a file\n")
    monkeypatch.setenv(f"POSTDEPLOY_{kind}_FILE", str(file))
    assert load("uk-prod").get_secret_value() == "from a file"
    monkeypatch.setenv(f"POSTDEPLOY_UK_PROD_{kind}", "own")
    assert load("uk-prod").get_secret_value() == "own"


def test_secrets_are_never_printed_pickled_or_encoded():
    held = Secrets(Sealed("hunter2"))
    for shown in (repr(held), str(held), f"{held}", f"{held.password!r} {held.password}", f"{held.all}"):
        assert "hunter2" not in shown
    for hidden in (held, held.password):
        for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
            with pytest.raises(TypeError, match="never pickled"):
                pickle.dumps(hidden, protocol)
        with pytest.raises(TypeError):
            json.dumps(hidden)


def test_a_copied_secret_is_the_same_object():
    held = Sealed("hunter2")
    assert copy.copy(held) is held
    assert copy.deepcopy([held])[0] is held


def test_the_redactor_takes_them_all():
    assert "hunter2" not in Redactor(Secrets(Sealed("hunter2")).all).text("it is hunter2")


def test_the_token_of_a_loki_is_found_where_the_password_is(monkeypatch):
    for name in ("POSTDEPLOY_UK_PROD_LOKI_TOKEN", "POSTDEPLOY_LOKI_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(Unverified, match="POSTDEPLOY_UK_PROD_LOKI_TOKEN"):
        load_loki_token("uk-prod")
    monkeypatch.setenv("POSTDEPLOY_LOKI_TOKEN", "l0ki")
    assert load_loki_token("uk-prod").get_secret_value() == "l0ki"
