"""The same answers as files, served by nginx: a server that leaves the processors to those who are measured."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import trustme

from benchmarks.logs import estate
from rehearsal import discovery

STARTS_IN_S = 60.0
"""On a machine that others keep busy."""
CONF = """
daemon off;
worker_processes 1;
user {user};
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 512; }}
http {{
  access_log off;
  tcp_nodelay on;
  keepalive_requests 100000;
  open_file_cache max=1000;
  server {{
    listen 127.0.0.1:{port} ssl;
    ssl_certificate {folder}/server.pem;
    ssl_certificate_key {folder}/server.pem;
    default_type application/json;
    location ~ ^/api/v1/namespaces/[^/]+/pods/([^/]+)/log$ {{ default_type text/plain; alias {folder}/logs/$1; }}
    location ~ ^/api/v1/namespaces/[^/]+/pods/([^/]+)$ {{ alias {folder}/pods/$1; }}
    location ~ /pods$ {{ alias {folder}/listed; }}
    location = /api {{ default_type "{discovery}"; alias {folder}/core; }}
    location = /apis {{ default_type "{discovery}"; alias {folder}/groups; }}
    location / {{ return 200 '{{"gitVersion": "v1.34.0"}}'; }}
  }}
}}
"""


def program() -> str | None:
    """nginx, where it is installed."""
    return shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def serving(folder: Path, bodies: dict[str, bytes], pods: list[estate.Obj], authority: trustme.CA) -> Iterator[str]:
    """The address of an nginx that serves these logs, for as long as the block."""
    _write(folder, bodies, pods)
    authority.issue_cert("127.0.0.1").private_key_and_cert_chain_pem.write_to_path(str(folder / "server.pem"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    user = "root" if os.geteuid() == 0 else "nobody"
    conf = CONF.format(folder=folder, port=port, discovery=discovery.AGGREGATED, user=user)
    (folder / "nginx.conf").write_text(conf, encoding="utf-8")
    with subprocess.Popen([str(program()), "-c", str(folder / "nginx.conf"), "-p", str(folder)]) as nginx:
        try:
            _until_listening(nginx, port)
            yield f"https://127.0.0.1:{port}"
        finally:
            nginx.terminate()


def _write(folder: Path, bodies: dict[str, bytes], pods: list[estate.Obj]) -> None:
    for each in ("logs", "pods", "bodies"):
        (folder / each).mkdir()
    files: dict[int, Path] = {}
    for name, body in bodies.items():
        file = files.setdefault(id(body), folder / "bodies" / str(id(body)))
        if not file.exists():
            file.write_bytes(body)
        (folder / "logs" / name).symlink_to(file)
    for each in pods:
        (folder / "pods" / each["metadata"]["name"]).write_bytes(msgspec.json.encode(each))
    listed = {"kind": "PodList", "apiVersion": "v1", "metadata": {"resourceVersion": "1"}, "items": pods}
    (folder / "listed").write_bytes(msgspec.json.encode(listed))
    (folder / "core").write_text(json.dumps(discovery.aggregated(core=True)), encoding="utf-8")
    (folder / "groups").write_text(json.dumps(discovery.aggregated(core=False)), encoding="utf-8")


def _until_listening(nginx: subprocess.Popen[bytes], port: int) -> None:
    latest = time.monotonic() + STARTS_IN_S
    while nginx.poll() is None and time.monotonic() < latest:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except (ConnectionRefusedError, TimeoutError):
            time.sleep(0.01)
            continue
        return
    raise SystemExit("nginx does not listen")
