"""From a kubeconfig, or from inside the cluster, to an authenticated session that can send nothing but GET.

Imports the Kubernetes client (about a second): imported by `client.connect` when a cluster is really looked at.
"""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import yaml  # type: ignore[import-untyped]  # the client's own reader
from kubernetes.aio.client import Configuration
from kubernetes.aio.config.config_exception import ConfigException
from kubernetes.aio.config.exec_provider import ExecProvider
from kubernetes.aio.config.incluster_config import load_incluster_config
from kubernetes.aio.config.kube_config import FileOrData, KubeConfigLoader, KubeConfigMerger

from postdeploy.cluster.answers import line
from postdeploy.cluster.session import fingerprints, session
from postdeploy.verdict import Unverified


@dataclass(frozen=True, slots=True)
class Access:
    """An authenticated session of the official client, and what identifies the cluster it leads to."""

    api: Any
    """The client's ApiClient; untyped, and only its call_api is used."""
    context: str
    """Name of the kubeconfig context; empty inside a cluster, where there is none."""
    server: str
    ca_sha256: frozenset[str]
    """SHA-256 of each CA certificate (DER) the server is checked against, hex."""
    source: str
    """Where the access came from, for messages."""
    renew: Callable[[], Awaitable[None]]
    """Ask for the credentials anew: what a plugin hands out may have minutes left to live."""


async def access(kubeconfig: Path | None, context: str | None, *, timeout_s: float) -> Access:
    """Credentials are loaded and there are some, or Unverified says in one paragraph what is wrong."""
    paths = locate(kubeconfig)
    configuration = Configuration()
    if not paths:
        source, name, renew = "the service account of this pod", "", _nothing
        try:
            load_incluster_config(client_configuration=configuration)
        except ConfigException as error:
            raise Unverified(f"no kubeconfig, and {source} cannot be used: {line(error)}") from error
    else:
        source = "kubeconfig " + ", ".join(map(str, paths))
        loader = _loader(paths, context, source)
        name = str(loader.current_context["name"])
        renew = partial(_load, loader, configuration, f"{source}, context {name}", timeout_s)
        await renew()
    return Access(session(configuration, source), name, configuration.host, fingerprints(configuration), source, renew)


async def _nothing() -> None:
    """A service account's token is read anew by the client itself."""


def locate(kubeconfig: Path | None) -> tuple[Path, ...]:
    """The kubeconfig files to read: the given one, $KUBECONFIG, the default path; none inside a cluster."""
    listed = os.environ.get("KUBECONFIG", "")
    if kubeconfig is not None:
        wanted, origin = [kubeconfig], "it was named for this run"
    elif listed:
        wanted, origin = [Path(each) for each in listed.split(os.pathsep) if each], "$KUBECONFIG names it"
    else:
        wanted, origin = [Path("~/.kube/config")], "the default, since $KUBECONFIG is not set"
    found = tuple(path for each in wanted if (path := each.expanduser()).is_file())
    if found or (kubeconfig is None and not listed and os.environ.get("KUBERNETES_SERVICE_HOST")):
        return found
    missing = ", ".join(str(each.expanduser()) for each in wanted)
    raise Unverified(
        f"no kubeconfig: {missing} is not a file ({origin}). Set KUBECONFIG to a readable kubeconfig with access to "
        "the cluster, or run inside the cluster with a service account."
    )


async def _load(loader: Loader, configuration: Configuration, source: str, timeout_s: float) -> None:
    """Fill in the configuration; afterwards it holds a credential."""
    try:
        with anyio.fail_after(timeout_s):
            await loader.load_and_set(configuration)
    except TimeoutError as error:
        raise Unverified(
            f"credential plugin: {loader.command} gave no credentials within {timeout_s:g} s ({source}). Run it by "
            "hand; it may be waiting for a login."
        ) from error
    except Unverified:
        raise
    except Exception as error:  # noqa: BLE001  the loader raises whatever a malformed file makes it stumble over
        raise Unverified(f"{source}, cannot be used: {_unquoted(error)}") from None
    if not configuration.api_key.get("BearerToken", "").removeprefix("Bearer ").strip() and not configuration.cert_file:
        raise Unverified(
            f"credential plugin: no token and no client certificate after loading {source} ({loader.command}). Going "
            "on would mean asking anonymously."
        )


def _loader(paths: Sequence[Path], context: str | None, source: str) -> Loader:
    """The loader of one context, which is there."""
    for path in paths:
        _check_form(path)
    try:
        merged = KubeConfigMerger(os.pathsep.join(map(str, paths))).config
        known = sorted(str(each["name"]) for each in merged.value["contexts"])
    except (KeyError, TypeError, ConfigException) as error:
        raise Unverified(f"{source} is malformed: every cluster, context and user needs a name") from error
    try:
        return Loader(merged, active_context=context, config_base_path=None)
    except (KeyError, TypeError, ConfigException) as error:
        wanted = f"a usable context {context!r}" if context else "a usable current-context"
        raise Unverified(
            f"{source} does not have {wanted} ({_unquoted(error)}). It has: {', '.join(known) or 'no context at all'}. "
            "Fetch the cluster's credentials, or name another kubeconfig in KUBECONFIG."
        ) from None


def _unquoted(error: Exception) -> str:
    """The client's message without the entry of the file that it quotes, token and all."""
    return line(str(error).partition("{")[0].strip() or type(error).__name__)


def _check_form(path: Path) -> None:
    """Hold that the file is a YAML mapping with lists where lists belong; never quote it, it holds tokens."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        problem = re.sub(r"'[^']*'", "…", getattr(error, "problem", None) or type(error).__name__)
        raise Unverified(f"kubeconfig {path}{place} is not valid YAML: {problem}. Write it anew.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise Unverified(f"kubeconfig {path} cannot be read: {line(error)}") from error
    lists = ("clusters", "contexts", "users")
    if not isinstance(content, dict) or not all(isinstance(content.get(each) or [], list) for each in lists):
        raise Unverified(f"kubeconfig {path} is not a kubeconfig: expected a mapping with lists {', '.join(lists)}.")


class Loader(KubeConfigLoader):
    """The client's loader, except that a credential plugin that fails is an error: the original logs it and goes on."""

    @property
    def command(self) -> str:
        """What is asked for credentials, for messages."""
        node: Any = self._user
        user = node.value if node else {}
        if "exec" in user:
            return f"exec plugin {user['exec'].get('command')!r}"
        return f"auth provider {self.provider!r}" if self.provider else "neither token, certificate nor plugin"

    async def load_from_exec_plugin(self) -> bool:
        """The plugin's token or client certificate is set, or Unverified says what the plugin said."""
        node: Any = self._user
        plugin = node["exec"]
        here: Any = self._cluster
        cluster = here.value if plugin.safe_get("provideClusterInfo") else None
        try:
            status = await run_plugin(ExecProvider(plugin), cluster)
        except (ConfigException, OSError, ValueError) as error:
            hint = str(plugin.safe_get("installHint") or "").strip()
            raise Unverified(
                " ".join([f"credential plugin: {self.command} failed: {line(error)}", hint]).strip()
            ) from error
        if status.get("token"):
            self.token = f"Bearer {status['token']}"
        if status.get("clientCertificateData") and status.get("clientKeyData"):
            self.cert_file = _temporary(status, "clientCertificateData")
            self.key_file = _temporary(status, "clientKeyData")
        return True


def _temporary(status: Mapping[str, Any], key: str) -> str:
    return str(FileOrData(status, None, data_key_name=key, base64_file_content=False).as_file())


async def run_plugin(plugin: ExecProvider, cluster: Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The status of the plugin's ExecCredential; the process is killed when the caller's time is up.

    The client's own `ExecProvider.run` leaves a hanging plugin behind, lets it read our terminal, and never passes
    the cluster on although the kubeconfig asks for it (provideClusterInfo).
    """
    spec: dict[str, Any] = {"interactive": False}
    if cluster is not None:
        spec["cluster"] = {
            key: cluster[key] for key in ("server", "certificate-authority-data", "tls-server-name") if key in cluster
        }
    request = {"apiVersion": plugin.api_version, "kind": "ExecCredential", "spec": spec}
    done = await anyio.run_process(
        plugin.args,
        stdin=subprocess.DEVNULL,
        check=False,
        env=plugin.env | {"KUBERNETES_EXEC_INFO": json.dumps(request)},
    )
    if done.returncode:
        said = done.stderr.decode(errors="replace").strip() or "it said nothing"
        raise ConfigException(f"exit code {done.returncode}: {said}")
    answer = json.loads(done.stdout)
    if not isinstance(answer, dict) or not isinstance(answer.get("status"), dict):
        raise ConfigException("its answer has no status")
    if answer.get("apiVersion") != plugin.api_version:
        raise ConfigException(f"it answers in {answer.get('apiVersion')}, the kubeconfig says {plugin.api_version}")
    return dict(answer["status"])
