"""The bootstrap against a package index on loopback: what it takes, what it refuses, and whom it tells a password."""

import base64
import hashlib
import importlib.util
import io
import json
import subprocess
import sys
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

SCRIPT = Path(__file__).parent.parent / "tools" / "get_uv.py"
SPEC = importlib.util.spec_from_file_location("get_uv", SCRIPT)
get_uv = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(get_uv)

PROGRAM = b"#!/bin/sh\necho uv of a test\n"
NAME = f"uv-{get_uv.VERSION}-py3-none-test.whl"
PASSWORD = "open-sesame"


def wheel():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"uv-{get_uv.VERSION}.data/scripts/uv", PROGRAM)
        archive.writestr("uv/__init__.py", "")
    return file.getvalue()


WHEEL = wheel()
SHA256 = hashlib.sha256(WHEEL).hexdigest()


class House:
    """A web server on loopback: what it answers at each path, and who asked with which password."""

    def __init__(self):
        house = self
        self.pages = {}
        self.asked = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                house.asked.append((self.path, self.headers.get("Authorization")))
                status, headers, body = house.pages.get(self.path, (404, {}, b""))
                self.send_response(status)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def page(self, path, body, content_type="text/html"):
        self.pages[path] = (200, {"Content-Type": content_type}, body)

    def index(self, href, sha256=SHA256, name=NAME):
        self.page("/simple/uv/", f'<!DOCTYPE html><a href="{href}#sha256={sha256}">{name}</a><br>'.encode())

    def with_password(self):
        return self.url.replace("//", f"//me:{PASSWORD}@") + "/simple"


@pytest.fixture
def houses():
    opened = []

    def open_house():
        opened.append(House())
        return opened[-1]

    yield open_house
    for each in opened:
        each.server.shutdown()
        each.server.server_close()


@pytest.fixture
def house(houses):
    return houses()


@pytest.fixture(autouse=True)
def machine(monkeypatch, tmp_path):
    for name in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(get_uv, "WHEELS", {"test": ("test", SHA256)})
    monkeypatch.setattr(get_uv, "this_platform", lambda: "test")


@pytest.fixture
def bootstrap(house, monkeypatch, tmp_path):
    def run(index=None):
        monkeypatch.setenv("PIP_INDEX_URL", index or house.url + "/simple")
        return get_uv.main(str(tmp_path / "uv"))

    return run


@pytest.mark.parametrize("href", ["../../files/uv.whl", "/files/uv.whl", "{url}/files/uv.whl"])
def test_the_program_comes_out_of_the_wheel_of_an_html_index(house, bootstrap, tmp_path, href):
    house.index(href.format(url=house.url))
    house.page("/files/uv.whl", WHEEL, "application/octet-stream")
    assert bootstrap() == 0
    assert subprocess.check_output([tmp_path / "uv" / "uv"], text=True) == "uv of a test\n"
    assert [each.name for each in (tmp_path / "uv").iterdir()] == ["uv"]


def test_the_program_comes_out_of_the_wheel_of_a_json_index(house, bootstrap, tmp_path):
    listing = {"files": [{"filename": NAME, "url": "../../files/uv.whl", "hashes": {"sha256": SHA256}}]}
    house.page("/simple/uv/", json.dumps(listing).encode(), "application/vnd.pypi.simple.v1+json")
    house.page("/files/uv.whl", WHEEL)
    assert bootstrap() == 0
    assert (tmp_path / "uv" / "uv").read_bytes() == PROGRAM


def test_an_index_without_hashes_is_enough_because_the_hash_is_pinned(house, bootstrap):
    house.page("/simple/uv/", f'<a href="/files/uv.whl">{NAME}</a>'.encode())
    house.page("/files/uv.whl", WHEEL)
    assert bootstrap() == 0


def test_another_file_under_the_right_name_is_refused(house, bootstrap, tmp_path, capsys):
    house.index("/files/uv.whl")
    house.page("/files/uv.whl", WHEEL + b"!")
    assert bootstrap() == 1
    assert "sha256 differs" in capsys.readouterr().err
    assert not (tmp_path / "uv").exists()


def test_an_index_that_promises_another_file_is_refused_before_the_download(house, bootstrap, capsys):
    house.index("/files/uv.whl", sha256="0" * 64)
    assert bootstrap() == 1
    assert "promises another" in capsys.readouterr().err
    assert [path for path, _ in house.asked] == ["/simple/uv/"]


def test_an_index_without_the_pinned_version_says_so(house, bootstrap, capsys):
    house.index("/files/uv.whl", name="uv-0.0.1-py3-none-test.whl")
    assert bootstrap() == 1
    assert f"has no {NAME}" in capsys.readouterr().err


@pytest.mark.parametrize("page", ["/simple/uv/", "/files/uv.whl"])
def test_what_is_missing_is_named_in_one_paragraph(house, bootstrap, capsys, page):
    house.index("/files/uv.whl")
    house.page("/files/uv.whl", WHEEL)
    del house.pages[page]
    assert bootstrap(house.with_password()) == 1
    said = capsys.readouterr().err
    assert f"{house.url}{page} answered 404" in said
    assert PASSWORD not in said
    assert len(said.splitlines()) == 2


def test_an_index_that_does_not_answer_is_named(house, bootstrap, capsys):
    house.server.shutdown()
    house.server.server_close()
    assert bootstrap() == 1
    assert f"{house.url}/simple/uv/ did not answer" in capsys.readouterr().err


def passwords(house):
    return {base64.b64decode(each.split()[1]).decode() for _, each in house.asked if each}


def test_the_password_in_the_url_is_told_to_the_index_and_its_files(house, bootstrap):
    house.index("/files/uv.whl")
    house.page("/files/uv.whl", WHEEL)
    assert bootstrap(house.with_password()) == 0
    assert len(house.asked) == 2
    assert all(header for _, header in house.asked)
    assert passwords(house) == {f"me:{PASSWORD}"}


def test_the_password_in_netrc_is_told_too(house, bootstrap, tmp_path):
    (tmp_path / ".netrc").write_text(f"machine 127.0.0.1 login me password {PASSWORD}\n")
    (tmp_path / ".netrc").chmod(0o600)
    house.index("/files/uv.whl")
    house.page("/files/uv.whl", WHEEL)
    assert bootstrap() == 0
    assert passwords(house) == {f"me:{PASSWORD}"}


def test_the_password_is_not_told_to_the_house_the_files_lie_in(house, houses, bootstrap):
    other = houses()
    house.index(other.url + "/uv.whl")
    other.page("/uv.whl", WHEEL)
    assert bootstrap(house.with_password()) == 0
    assert passwords(other) == set()


def test_the_password_is_not_told_to_where_a_redirect_leads(house, houses, bootstrap):
    other = houses()
    house.index("/files/uv.whl")
    house.pages["/files/uv.whl"] = (302, {"Location": other.url + "/uv.whl"}, b"")
    other.page("/uv.whl", WHEEL)
    assert bootstrap(house.with_password()) == 0
    assert passwords(other) == set()


def test_an_old_python_is_told_which_one_is_needed(monkeypatch, bootstrap, capsys):
    monkeypatch.setattr(sys, "version_info", (3, 9, 2))
    assert bootstrap() == 1
    assert "Python 3.11 or newer is needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("system", "machine", "libc", "key"),
    [
        ("Linux", "x86_64", "glibc", "linux-x86_64-glibc"),
        ("Linux", "AMD64", "musl", "linux-x86_64-musl"),
        ("Linux", "aarch64", "glibc", "linux-aarch64"),
        ("Linux", "arm64", "musl", "linux-aarch64"),
        ("Darwin", "arm64", "musl", "darwin-arm64"),
        ("Darwin", "x86_64", "musl", "darwin-x86_64"),
    ],
)
def test_every_supported_machine_has_a_pinned_wheel(monkeypatch, system, machine, libc, key):
    monkeypatch.undo()
    name, sha256 = get_uv.wheel_for(get_uv.platform_key(system, machine, libc))
    assert get_uv.platform_key(system, machine, libc) == key
    assert name.endswith(".whl")
    assert len(sha256) == 64


def test_a_machine_without_a_pinned_wheel_is_told_what_to_do():
    with pytest.raises(get_uv.NoUv, match=r"install uv .* yourself"):
        get_uv.wheel_for(get_uv.platform_key("Plan9", "mips", "musl"))


@pytest.mark.parametrize(
    ("environ", "index"),
    [
        ({}, "https://pypi.org/simple"),
        ({"PIP_INDEX_URL": "https://pip"}, "https://pip"),
        ({"PIP_INDEX_URL": "https://pip", "UV_DEFAULT_INDEX": "https://uv"}, "https://uv"),
        ({"PIP_INDEX_URL": ""}, "https://pypi.org/simple"),
    ],
)
def test_the_index_is_the_one_this_machine_uses(environ, index):
    assert get_uv.index_url(environ) == index


def test_the_script_needs_only_the_standard_library(house, tmp_path):
    """As on a bare machine: isolated, without site-packages."""
    done = subprocess.run(
        [sys.executable, "-I", "-S", SCRIPT, tmp_path / "uv"],
        env={"PIP_INDEX_URL": house.url + "/simple", "NO_PROXY": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "answered 404" in done.stderr
