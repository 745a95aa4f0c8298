"""Where credentials come from: environment variables, files, a secrets directory, Google Secret Manager; never YAML."""

from __future__ import annotations

import importlib
import os
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn, Protocol

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from postdeploy.verdict import Unverified

DIRECTORY = "POSTDEPLOY_SECRETS_DIR"
PROJECT = "POSTDEPLOY_GCP_PROJECT"
GENERIC = "POSTDEPLOY_"
TRADER = "trader"
"""The role whose variables need not name it."""


class Sealed(SecretStr):
    """A secret that is neither printed nor pickled; a copy is the same object."""

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is never pickled")

    def __copy__(self) -> Sealed:
        return self

    def __deepcopy__(self, _: dict[int, Any]) -> Sealed:
        return self


@dataclass(frozen=True, slots=True)
class Secrets:
    """What opens one synthetic account."""

    password: Sealed
    """Its password."""
    totp: Sealed | None = None
    """The seed of its one-time codes, in base32."""

    @property
    def all(self) -> tuple[Sealed, ...]:
        """Every secret, for the redactor."""
        return (self.password,) if self.totp is None else (self.password, self.totp)

    def __reduce__(self) -> NoReturn:
        raise TypeError("secrets are never pickled")


class SecretClient(Protocol):
    """What is used of Google's SecretManagerServiceClient."""

    def access_secret_version(self, *, name: str) -> Any:
        """The payload of one version of a secret."""
        ...


def prefixes(environment_name: str) -> tuple[str, str]:
    """Variables of this environment begin with the first; the second serves every environment, and is asked last."""
    return f"{GENERIC}{environment_name.upper().replace('-', '_')}_", GENERIC


def load_secrets(environment_name: str, role: str = TRADER, *, client: SecretClient | None = None) -> Secrets:
    """What opens the account of a role; Unverified says where it was looked for. `client` stands in for Google's."""
    password = _find(_Password, environment_name, role, client)
    if password is None:
        own = "" if role == TRADER else f"{role.upper()}_"
        raise Unverified(_missing(environment_name, f"{own}PASSWORD", f"password for the synthetic account ({role})"))
    return Secrets(password, _find(_Totp, environment_name, role, client))


def _find(kind: type[_Credentials], environment_name: str, role: str, client: SecretClient | None) -> Sealed | None:
    """The first place that has it: `POSTDEPLOY_UK_PROD_OTHER_PASSWORD`; the trader's needs no role in its name."""
    directory = os.environ.get(DIRECTORY) or None
    if directory is not None and not Path(directory).is_dir():
        raise Unverified(f"{DIRECTORY} names {directory}, which is no directory")
    name = next(each for each in kind.model_fields if each != "google")
    roles = (f"{role.upper()}_", "") if role == TRADER else (f"{role.upper()}_",)
    for prefix in (f"{each}{part}" for each in prefixes(environment_name) for part in roles):
        found = getattr(kind(_env_prefix=prefix, _secrets_dir=directory, google=client), name)
        if found is not None:
            return Sealed(found.get_secret_value())
    return None


def load_registry_token(environment_name: str, *, client: SecretClient | None = None) -> Sealed:
    """The token that reads the container registry; Unverified says where it was looked for."""
    directory = os.environ.get(DIRECTORY) or None
    for prefix in prefixes(environment_name):
        found = _RegistryToken(_env_prefix=prefix, _secrets_dir=directory, google=client).registry_token
        if found is not None:
            return Sealed(found.get_secret_value())
    raise Unverified(_missing(environment_name, "REGISTRY_TOKEN", "token for the registry"))


def load_gitlab_token(environment_name: str, *, client: SecretClient | None = None) -> Sealed:
    """The token that reads GitLab's deployments; Unverified says where it was looked for."""
    directory = os.environ.get(DIRECTORY) or None
    for prefix in prefixes(environment_name):
        found = _GitlabToken(_env_prefix=prefix, _secrets_dir=directory, google=client).gitlab_token
        if found is not None:
            return Sealed(found.get_secret_value())
    raise Unverified(_missing(environment_name, "GITLAB_TOKEN", "token for GitLab"))


def load_feed_token(environment_name: str, *, client: SecretClient | None = None) -> Sealed:
    """The token that opens the quote feed; Unverified says where it was looked for."""
    directory = os.environ.get(DIRECTORY) or None
    for prefix in prefixes(environment_name):
        found = _FeedToken(_env_prefix=prefix, _secrets_dir=directory, google=client).feed_token
        if found is not None:
            return Sealed(found.get_secret_value())
    raise Unverified(_missing(environment_name, "FEED_TOKEN", "token for the quote feed"))


def load_loki_token(environment_name: str, *, client: SecretClient | None = None) -> Sealed:
    """The token that reads the declared Loki; Unverified says where it was looked for."""
    directory = os.environ.get(DIRECTORY) or None
    for prefix in prefixes(environment_name):
        found = _LokiToken(_env_prefix=prefix, _secrets_dir=directory, google=client).loki_token
        if found is not None:
            return Sealed(found.get_secret_value())
    raise Unverified(_missing(environment_name, "LOKI_TOKEN", "token for Loki"))


def _missing(environment_name: str, variable: str, what: str) -> str:
    own, generic = (f"{prefix}{variable}" for prefix in prefixes(environment_name))
    return (
        f"no {what} of {environment_name}: set {own} or {own}_FILE "
        f"(or {generic} or {generic}_FILE for every environment), or keep a file called {own} or {generic} "
        f"in the folder that {DIRECTORY} names, or a secret so called in the Google project that {PROJECT} names"
    )


class _Credentials(BaseSettings):
    """What pydantic-settings finds under one prefix."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", hide_input_in_errors=True)

    google: Any = None
    """A client to use instead of Google's own."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # left out: a .env file is committed one day
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        prefix = env_settings.env_prefix if isinstance(env_settings, EnvSettingsSource) else GENERIC
        variables, google = _FileVariables(settings_cls, prefix), _SecretManager(settings_cls, prefix)
        return init_settings, env_settings, variables, file_secret_settings, google


class _Password(_Credentials):
    """The synthetic account's password."""

    password: SecretStr | None = None


class _Totp(_Credentials):
    """The seed of the account's one-time codes."""

    totp: SecretStr | None = None


class _RegistryToken(_Credentials):
    """What reads the container registry: `user:password`, or a bare token."""

    registry_token: SecretStr | None = None


class _GitlabToken(_Credentials):
    """What reads GitLab's deployments API."""

    gitlab_token: SecretStr | None = None


class _FeedToken(_Credentials):
    """What opens the quote feed."""

    feed_token: SecretStr | None = None


class _LokiToken(_Credentials):
    """What reads the declared Loki: a bearer token."""

    loki_token: SecretStr | None = None


class _Source(PydanticBaseSettingsSource):
    """Looks the one secret up by its full name, unless an earlier source had it."""

    def __init__(self, settings_cls: type[BaseSettings], prefix: str) -> None:
        super().__init__(settings_cls)
        self.name = next(each for each in settings_cls.model_fields if each != "google")
        self.variable = f"{prefix}{self.name.upper()}"

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self.look(), field_name, False

    def __call__(self) -> Mapping[str, Any]:  # type: ignore[override]
        if self.current_state.get(self.name):
            return {}
        value, name, _ = self.get_field_value(self.settings_cls.model_fields[self.name], self.name)
        return {name: value} if value else {}

    @abstractmethod
    def look(self) -> str | None: ...


class _FileVariables(_Source):
    """`…_FILE` names a file that holds the secret."""

    def look(self) -> str | None:
        name = f"{self.variable}_FILE"
        path = os.environ.get(name)
        if not path:
            return None
        try:
            return Path(path).expanduser().read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            raise Unverified(f"{name} names {path}, which cannot be read: {reason}") from None


class _SecretManager(_Source):
    """The newest version of a secret of that name in the project POSTDEPLOY_GCP_PROJECT names (extra `gcp`)."""

    def look(self) -> str | None:
        project = os.environ.get(PROJECT)
        if not project:
            return None
        client = self.current_state.get("google") or _google()
        try:
            answer = client.access_secret_version(name=f"projects/{project}/secrets/{self.variable}/versions/latest")
        except Exception as error:  # noqa: BLE001 (whatever goes wrong there, we could not look)
            if type(error).__name__ == "NotFound":
                return None
            raise Unverified(f"Secret Manager of {project}: {self.variable}: {type(error).__name__}: {error}") from None
        return str(answer.payload.data.decode("utf-8")).rstrip("\r\n")


def _google() -> Any:
    try:
        return importlib.import_module("google.cloud.secretmanager").SecretManagerServiceClient()
    except ImportError:
        raise Unverified(f"{PROJECT} is set, but the extra is not installed: uv sync --extra gcp") from None
    except Exception as error:  # noqa: BLE001 (google.auth is not imported here)
        raise Unverified(f"{PROJECT} is set, but there are no Google credentials: {error}") from None
