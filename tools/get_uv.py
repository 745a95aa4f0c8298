"""Puts uv into a folder (`python3 tools/get_uv.py .uv`), on a machine that has nothing but Python.

A bare Debian has no pip, no ensurepip and no venv, and an install script from the web would be one more party to
trust. So the wheel comes from the package index this machine uses anyway, and is taken only if its sha256 is the one
written below. Standard library only.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import netrc
import os
import platform
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request
import zipfile
from html.parser import HTMLParser
from pathlib import Path

VERSION = "0.13.9"
WHEELS = {
    "linux-x86_64-glibc": (
        "manylinux_2_17_x86_64.manylinux2014_x86_64",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",
    ),
    "linux-x86_64-musl": (
        "musllinux_1_1_x86_64",
        "2c45530751517d6c3bbc69a19473f6effe47cce047bede01ffd8af7ea7b36b25",
    ),
    "linux-aarch64": (
        "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",
    ),
    "darwin-x86_64": (
        "macosx_10_12_x86_64",
        "c16ed11e013557536b3e60065f1b912f6407bd6518e041b961e23ef9e6b4fbf5",
    ),
    "darwin-arm64": (
        "macosx_11_0_arm64",
        "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",
    ),
}
PAGES = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"


class NoUv(Exception):
    """Why there is no uv, in words for the person who typed `make`."""


class Links(HTMLParser):
    """The links of an index page (PEP 503): the text of each is a file name."""

    def __init__(self) -> None:
        super().__init__()
        self.href = ""
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag, attrs):
        self.href = dict(attrs).get("href") or "" if tag == "a" else self.href

    def handle_data(self, data):
        if self.href and data.strip():
            self.found.setdefault(data.strip(), self.href)

    def handle_endtag(self, tag):
        self.href = "" if tag == "a" else self.href


def platform_key(system: str, machine: str, libc: str) -> str:
    """Which row of WHEELS fits: 'linux-x86_64-glibc'."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(machine.lower(), machine.lower())
    if system == "Darwin":
        return "darwin-" + {"aarch64": "arm64"}.get(machine, machine)
    return f"{system.lower()}-{machine}" + (f"-{libc}" if machine == "x86_64" else "")


def this_platform() -> str:
    """The row of this machine."""
    libc = "glibc" if platform.libc_ver()[0] == "glibc" else "musl"
    return platform_key(platform.system(), platform.machine(), libc)


def wheel_for(platform_name: str) -> tuple[str, str]:
    """File name and sha256 of the wheel for a platform."""
    if platform_name not in WHEELS:
        raise NoUv(f"No uv wheel is pinned for {platform_name}; install uv {VERSION} yourself and put it on the PATH.")
    tag, sha256 = WHEELS[platform_name]
    return f"uv-{VERSION}-py3-none-{tag}.whl", sha256


def index_url(environ) -> str:
    """The package index this machine uses, by the names uv and pip know it by."""
    return environ.get("UV_DEFAULT_INDEX") or environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"


def public(url: str) -> str:
    """A URL as it may be printed: without its credentials."""
    return re.sub(r"//[^/@]*@", "//", url)


def credentials(url: str) -> str:
    """What a host wants to know, from the URL or from ~/.netrc: an Authorization header, or nothing."""
    parts = urllib.parse.urlsplit(url)
    user, password = urllib.parse.unquote(parts.username or ""), urllib.parse.unquote(parts.password or "")
    if not user:
        try:
            user, _, password = netrc.netrc().authenticators(parts.hostname or "") or ("", "", "")
        except (OSError, netrc.NetrcParseError):
            return ""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode() if user else ""


def get(url: str, authorization: str = "", accept: str = "*/*") -> tuple[str, str, bytes]:
    """Where an answer came from, its type and its bytes. Proxies are urllib's own: HTTPS_PROXY, NO_PROXY."""
    request = urllib.request.Request(public(url), headers={"Accept": accept, "User-Agent": "get_uv"})
    if authorization:
        request.add_unredirected_header("Authorization", authorization)  # a redirect may lead to another house
    context = ssl.create_default_context(cafile=os.environ.get("SSL_CERT_FILE") or os.environ.get("PIP_CERT") or None)
    try:
        with urllib.request.urlopen(request, timeout=60, context=context) as answer:
            return answer.geturl(), answer.headers.get_content_type(), answer.read()
    except urllib.error.HTTPError as error:
        raise NoUv(f"{public(url)} answered {error.code} {error.reason}.") from error
    except (OSError, ValueError) as error:
        raise NoUv(f"{public(url)} did not answer: {getattr(error, 'reason', error)}.") from error


def files(content_type: str, body: bytes) -> dict[str, str]:
    """File name → URL, its sha256 after the '#', from an index page as JSON (PEP 691) or as HTML (PEP 503)."""
    if content_type.endswith("json"):
        return {
            each["filename"]: "{}#sha256={}".format(each["url"], each.get("hashes", {}).get("sha256", ""))
            for each in json.loads(body)["files"]
        }
    links = Links()
    links.feed(body.decode("utf-8", "replace"))
    return links.found


def fetch(name: str, sha256: str, index: str) -> bytes:
    """The wheel's bytes, after two people agreed on their sha256: who pinned it here, and the index."""
    base = index.rstrip("/") + "/uv/"
    page, content_type, body = get(base, credentials(index), PAGES)
    found = files(content_type, body)
    if name not in found:
        raise NoUv(f"The package index {public(base)} has no {name}.")
    url, _, promised = urllib.parse.urljoin(page, found[name]).partition("#sha256=")
    if promised and promised != sha256:
        raise NoUv(f"The package index {public(base)} promises another {name} (sha256 {promised}) than is pinned here.")
    same_house = urllib.parse.urlsplit(public(url))[:2] == urllib.parse.urlsplit(public(index))[:2]
    wheel = get(url, credentials(index if same_house else url))[2]
    if hashlib.sha256(wheel).hexdigest() != sha256:
        raise NoUv(f"{public(url)} is not the {name} that is pinned here: its sha256 differs. Nothing was installed.")
    return wheel


def install(wheel: bytes, folder: Path) -> Path:
    """The program out of the wheel; it appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
        program = next(each for each in archive.namelist() if each.endswith("/scripts/uv"))
        part = folder / f"uv.{os.getpid()}.part"
        part.write_bytes(archive.read(program))
    part.chmod(0o755)
    part.replace(folder / "uv")
    return folder / "uv"


def main(folder: str) -> int:
    """Install uv for this machine, or say in one paragraph why not."""
    if sys.version_info < (3, 11):
        print(f"Python 3.11 or newer is needed, {sys.executable} is {platform.python_version()}. "
              "Name another one: make PYTHON=python3.11 …", file=sys.stderr)  # fmt: skip
        return 1
    try:
        name, sha256 = wheel_for(this_platform())
        index = index_url(os.environ)
        print(f"get_uv: uv {VERSION} from {public(index)}", file=sys.stderr)
        install(fetch(name, sha256, index), Path(folder))
    except NoUv as error:
        print(f"get_uv: {error} Without uv nothing can be installed. The index is read from UV_DEFAULT_INDEX or "
              "PIP_INDEX_URL; a uv on the PATH is used as it is.", file=sys.stderr)  # fmt: skip
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ".uv"))
