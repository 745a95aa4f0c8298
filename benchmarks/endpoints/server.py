"""nginx with sixty HTTPS hosts on one loopback port, and a relay that puts latency before it."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import trustme

WORDS = '{"status":"ok","version":"v1","build":"b1"}'
HOST = """
server {{ listen 127.0.0.1:{port} ssl http2; server_name {host}; ssl_certificate {pem}; ssl_certificate_key {pem};
    location / {{ default_type application/json; return 200 '{words}'; }} }}
"""
CONF = """
worker_processes 1; daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{ access_log off; keepalive_requests 100000; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2;
    fastcgi_temp_path {folder}/3; uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5; {hosts} }}
"""


class NoNginx(Exception):
    """The peer's server is not installed."""


@contextmanager
def nginx(folder: Path, port: int, hosts: list[str]) -> Iterator[str]:
    """Serve the hosts; gives the authority's certificate. Raises NoNginx."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/local/sbin:/usr/bin:/bin")
    if program is None:
        raise NoNginx("this benchmark needs nginx: apt-get install nginx-light")
    ca = trustme.CA()
    ca.cert_pem.write_to_path(folder / "ca.pem")
    written = []
    for host in hosts:
        pem = folder / f"{host}.pem"
        ca.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(pem)
        written.append(HOST.format(port=port, host=host, pem=pem, words=WORDS))
    (folder / "nginx.conf").write_text(CONF.format(folder=folder, hosts="".join(written)), encoding="utf-8")
    process = subprocess.Popen([program, "-c", str(folder / "nginx.conf"), "-p", str(folder)], stderr=subprocess.PIPE)
    try:
        _wait(port)
        yield ca.cert_pem.bytes().decode()
    finally:
        process.terminate()
        process.wait()


def _wait(port: int) -> None:
    import socket

    for _ in range(200):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nginx does not listen at port {port}")


@contextmanager
def relay(port: int, behind: int, delay_s: float) -> Iterator[None]:
    """A process that passes everything on, each way so much later."""
    command = [sys.executable, "-m", "benchmarks.endpoints.server", str(port), str(behind), str(delay_s)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE)
    try:
        _wait(port)
        yield
    finally:
        process.terminate()
        process.wait()


async def _serve(port: int, behind: int, delay_s: float) -> None:
    loop = asyncio.get_running_loop()

    async def both(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.CancelledError):
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", behind)
            await asyncio.gather(_pump(reader, there_writer), _pump(there_reader, writer))

    async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            loop.call_later(delay_s, writer.write, data)
        loop.call_later(delay_s, writer.close)

    server = await asyncio.start_server(both, "127.0.0.1", port, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))
