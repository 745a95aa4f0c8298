"""The session of the official client: it can send GETs and questions about ourselves, the way kubectl reaches it."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import hashlib
import ipaddress
import re
import ssl
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from kubernetes.aio.client import ApiClient, Configuration
from yarl import URL  # what aiohttp makes of every address

from postdeploy.cluster.answers import line
from postdeploy.cluster.objects_access import REVIEWS
from postdeploy.verdict import Unverified

CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
CONNECTIONS = 64
"""Looks in flight, and a connection for each watch while a release is held."""


def session(configuration: Configuration, source: str) -> ApiClient:
    """A client whose session changes nothing, follows no redirect and obeys the proxy rules of kubectl."""
    # Python 3.13 refuses CAs without key identifiers, which many clusters have and kubectl accepts.
    configuration.disable_strict_ssl_verification = True
    configuration.connection_pool_maxsize = CONNECTIONS
    configuration.proxy = proxy_for(configuration.host, configuration.proxy)
    # The client's session would trust the environment: send 127.0.0.1 to a proxy, and fail on a matching ~/.netrc.
    configuration.client_session_kwargs = {"trust_env": False, "cookie_jar": aiohttp.DummyCookieJar()}
    configuration.trace_configs = [_only_reading(configuration.host)]
    try:
        return ApiClient(configuration)
    except (ssl.SSLError, OSError, ValueError) as error:
        raise Unverified(f"{source}: the CA or the client certificate is unusable: {line(error)}") from error


class NotReadOnly(RuntimeError):
    """Neither a GET nor a self-subject review was about to be sent: a bug of ours, stopped before it left."""


def _only_reading(server: str) -> aiohttp.TraceConfig:
    questions = {URL(server + each) for each in REVIEWS}

    async def started(_: object, __: SimpleNamespace, request: aiohttp.TraceRequestStartParams) -> None:
        asks = request.method == "POST" and request.url in questions
        if request.method != "GET" and not asks:
            raise NotReadOnly(f"{request.method} {request.url.path}")

    async def redirected(_: object, __: SimpleNamespace, request: aiohttp.TraceRequestRedirectParams) -> None:
        target = request.response.headers.get("Location", "")
        raise aiohttp.TooManyRedirects(
            request.response.request_info, (), message=f"redirected to {target}: not followed"
        )

    guard = aiohttp.TraceConfig()
    guard.on_request_start.append(started)
    guard.on_request_redirect.append(redirected)
    return guard


def proxy_for(server: str, declared: str | None) -> str | None:
    """The proxy to use: never for loopback, else the kubeconfig's proxy-url, else the environment's."""
    parts = urlsplit(server)
    host = parts.hostname or ""
    if is_loopback(host):
        return None
    if declared:
        return declared
    return None if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def fingerprints(configuration: Configuration) -> frozenset[str]:
    """SHA-256 of each CA certificate (DER) the server is checked against, hex."""
    if not configuration.ssl_ca_cert:
        return frozenset()
    text = Path(configuration.ssl_ca_cert).read_text(encoding="utf-8")
    return frozenset(hashlib.sha256(ssl.PEM_cert_to_DER_cert(each)).hexdigest() for each in CERTIFICATE.findall(text))
