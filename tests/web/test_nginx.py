"""Against nginx, judged beside openssl and curl: what we record is what they see."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme

from postdeploy.deadline import Deadline
from postdeploy.verdict import State
from postdeploy.web import tls_rules
from postdeploy.web.certificates import described, offer, shown_by
from postdeploy.web.probe import Prober
from postdeploy.web.questions import Question
from postdeploy.web.reading import READ_LIMIT
from postdeploy.web.replies import Certificate, Fault, Handshake, Link, Reply, Sweep
from postdeploy.web.route import Route
from postdeploy.web.seen import Seen
from tests.web.conftest import ADDRESS, RUN_ID, answers, no_rest
from tests.web.programs import free_port, needs, running, said
from tests.web.public import small

VALID, EXPIRED, SELF, WRONG, OLD, OLD_CHAIN = (
    f"{name}.example" for name in ("valid", "expired", "self-signed", "wrong-host", "tls11", "no-issuer")
)
HOSTS = (VALID, EXPIRED, SELF, WRONG, OLD, OLD_CHAIN)
SERVER = """
server {{
    listen 127.0.0.1:{port} ssl http2;
    server_name {host};
    ssl_certificate {folder}/{host}.pem;
    ssl_certificate_key {folder}/{host}.key;
    {more}
    location / {{ default_type application/json; add_header X-Host $host; return 200 '{{"path":"$uri"}}'; }}
    location /moved {{ return 301 https://$host/; }}
    location /large {{ alias {folder}/large; }}
}}
"""
CONF = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 256; }}
http {{
    access_log off; client_body_temp_path {folder}/1; proxy_temp_path {folder}/2; fastcgi_temp_path {folder}/3;
    uwsgi_temp_path {folder}/4; scgi_temp_path {folder}/5;
    {servers}
}}
"""


@dataclass(frozen=True)
class Nginx:
    """A running nginx and what was seen of it."""

    port: int
    ca: Path
    replies: dict[str, Reply]
    handshakes: dict[tuple[str, str], Handshake]
    certificates: dict[str, Certificate]

    def leaf(self, host: str) -> Certificate:
        return self.certificates[self.replies[host].link.chain[0]]

    def openssl(self, host: str, *more: str) -> str:
        program = needs("openssl", "openssl")
        done = said(
            *(program, "s_client", "-connect", f"127.0.0.1:{self.port}", "-servername", host, "-verify_hostname", host),
            *("-CAfile", str(self.ca), "-showcerts", *more),
        )
        return done.stdout + done.stderr

    def curl(self, host: str, *more: str, path: str = "/"):
        program = needs("curl", "curl")
        where = f"{host}:443:127.0.0.1:{self.port}"
        return said(program, "-sv", "--cacert", str(self.ca), "--connect-to", where, *more, f"https://{host}{path}")

    def seen(self) -> Seen:
        environment = small()
        found = Sweep(
            environment=environment.name,
            run_id=RUN_ID,
            taken=datetime.now(UTC),
            replies=tuple(self.replies.values()),
            certificates=self.certificates,
            handshakes=tuple(self.handshakes.values()),
        )
        return Seen(found, environment, "v1")


@pytest.fixture(scope="module")
def nginx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    program = needs("nginx", "nginx-light")
    folder = tmp_path_factory.mktemp("nginx")
    ca = trustme.CA()
    _certificates(folder, ca)
    with (folder / "large").open("wb") as large:
        large.truncate(200 * 1024 * 1024)
    port = free_port()
    more = {OLD: "ssl_protocols TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;"}
    servers = "".join(
        SERVER.format(port=port, host=host, folder=folder, more=more.get(host, "ssl_protocols TLSv1.2 TLSv1.3;"))
        for host in (*HOSTS[:4], OLD_CHAIN)
    )
    # nginx takes the protocols of a port's first server for all of them: the old one needs a port of its own.
    old = free_port()
    servers += SERVER.format(port=old, host=OLD, folder=folder, more=more[OLD])
    (folder / "nginx.conf").write_text(CONF.format(folder=folder, servers=servers), encoding="utf-8")
    (folder / "ca.pem").write_bytes(ca.cert_pem.bytes())
    with running([program, "-c", str(folder / "nginx.conf"), "-p", str(folder)], port, folder / "log"):
        yield asyncio.run(_looked(port, old, ca, folder / "ca.pem"))


def _certificates(folder: Path, ca: trustme.CA) -> None:
    now = datetime.now(UTC)
    child = ca.create_child_ca()
    made = {
        VALID: child.issue_cert(VALID, not_before=now - timedelta(days=20), not_after=now + timedelta(days=70)),
        EXPIRED: ca.issue_cert(EXPIRED, not_before=now - timedelta(days=91), not_after=now - timedelta(days=1)),
        SELF: trustme.CA().issue_cert(SELF),
        WRONG: ca.issue_cert("somebody-else.example"),
        OLD: ca.issue_cert(OLD),
        OLD_CHAIN: child.issue_cert(OLD_CHAIN),
    }
    for host, certificate in made.items():
        chain = certificate.cert_chain_pems[:1] if host == OLD_CHAIN else certificate.cert_chain_pems
        (folder / f"{host}.pem").write_bytes(b"".join(each.bytes() for each in chain))
        (folder / f"{host}.key").write_bytes(certificate.private_key_pem.bytes())


async def _looked(port: int, old: int, ca: trustme.CA, path: Path) -> Nginx:
    """Everything that a sweep would look at, once."""
    other = "203.0.113.11"
    places = {f"{ADDRESS} 443": f"127.0.0.1 {port}", f"{other} 443": f"127.0.0.1 {old}"}
    route = Route(places, ca_pem=ca.cert_pem.bytes().decode())
    known = answers(*HOSTS) | answers(OLD, address=other)
    async with Prober(route, RUN_ID, Deadline(30), known, rest=no_rest) as prober:
        replies = {host: await prober.ask(Question(host, "/")) for host in HOSTS}
        replies["large"] = await prober.ask(Question(VALID, "/large"))
        replies["after"] = await prober.ask(Question(VALID, "/after"))
        replies["moved"] = await prober.ask(Question(VALID, "/moved", "redirect", "moved", follows=True))
        for host in HOSTS:
            if replies[host].fault:
                chain = await shown_by(route, host, known[host][0].addresses[0])
                prober.ders.update(chain)
                fingerprints = tuple(described(chain))
                replies[host] = _with(replies[host], Link(chain=fingerprints))
        handshakes = {
            (host, version): await offer(route, host, known[host][0].addresses[0], version)
            for host in (VALID, OLD)
            for version in ("TLSv1", "TLSv1.1")
        }
        return Nginx(port, path, replies, handshakes, described(prober.ders))


def _with(reply: Reply, link: Link) -> Reply:
    import msgspec

    return msgspec.structs.replace(reply, link=link)


def test_valid_host_is_seen_as_curl_sees_it(nginx):
    reply, curl = nginx.replies[VALID], nginx.curl(VALID)
    assert curl.returncode == 0, curl.stderr
    assert reply.fault is None
    assert reply.body == curl.stdout
    told = dict(re.findall(r"^< ([\w-]+): (.*?)\r?$", curl.stderr, re.MULTILINE))
    ours = dict(reply.headers)
    assert {name.lower() for name in told} == set(ours)
    assert {name: value for name, value in told.items() if name != "date"}.items() <= ours.items()
    assert f"HTTP/2 {reply.status}" in curl.stderr
    assert reply.link.http == "HTTP/2"
    assert f"SSL connection using {reply.link.tls} / {reply.link.cipher}" in curl.stderr
    assert "SSL certificate verify ok" in curl.stderr


def test_certificate_chain_is_the_one_that_openssl_shows(nginx):
    text = nginx.openssl(VALID)
    assert "Verify return code: 0 (ok)" in text
    sent = re.findall(r"-----BEGIN CERTIFICATE-----.*?-----END CERTIFICATE-----", text, re.DOTALL)
    import ssl
    from hashlib import sha256

    fingerprints = [sha256(ssl.PEM_cert_to_DER_cert(each)).hexdigest() for each in sent]
    chain = nginx.replies[VALID].link.chain
    assert list(chain[: len(fingerprints)]) == fingerprints
    assert len(chain) == len(fingerprints) + 1, "ours ends at the authority, which is not sent"


@pytest.mark.parametrize("host", [VALID, EXPIRED, SELF, WRONG])
def test_term_and_serial_are_those_that_openssl_reads(nginx, host, tmp_path):
    import ssl

    leaf = nginx.leaf(host)
    path = tmp_path / "leaf.pem"
    path.write_text(ssl.DER_cert_to_PEM_cert(leaf.der), encoding="utf-8")
    text = said(needs("openssl", "openssl"), "x509", "-in", str(path), "-noout", "-dates", "-serial").stdout
    assert f"notAfter={leaf.not_after:%b} {leaf.not_after.day:>2} {leaf.not_after:%H:%M:%S %Y} GMT" in text
    assert int(re.search(r"serial=(\w+)", text)[1], 16) == int(leaf.serial, 16)


@pytest.mark.parametrize(
    ("host", "openssl", "ours"),
    [
        (EXPIRED, "certificate has expired", "certificate has expired"),
        (SELF, "unable to get local issuer certificate", "unable to get local issuer certificate"),
        (WRONG, "hostname mismatch", "Hostname mismatch"),
        (OLD_CHAIN, "unable to get local issuer certificate", "unable to get local issuer certificate"),
    ],
)
def test_bad_certificate_is_refused_for_the_reason_that_openssl_gives(nginx, host, openssl, ours):
    reply = nginx.replies[host]
    assert reply.fault is Fault.CERTIFICATE
    assert ours in reply.error
    assert openssl in nginx.openssl(host).lower()
    assert nginx.curl(host).returncode == 60, "curl: the peer's certificate cannot be verified"
    judgement = tls_rules.chain(nginx.seen(), host)
    assert judgement.state is State.FAILED
    assert ours in judgement.seen


def test_rules_say_what_the_certificates_are(nginx):
    seen = nginx.seen()
    assert tls_rules.chain(seen, VALID).state is State.PASSED
    assert tls_rules.expiry(seen, VALID).state is State.PASSED
    expired = tls_rules.expiry(seen, EXPIRED)
    assert expired.state is State.FAILED
    assert f"expired on {nginx.leaf(EXPIRED).not_after:%Y-%m-%d}" in expired.seen


def test_redirect_is_followed_and_its_hop_kept_as_curl_follows_it(nginx):
    reply = nginx.replies["moved"]
    curl = nginx.curl(VALID, "-L", "-o", "/dev/null", "-w", "%{url_effective} %{num_redirects}", path="/moved")
    assert curl.stdout == f"{reply.url} {len(reply.hops)}"
    assert reply.hops[0].link.chain == reply.link.chain


def test_answer_of_200_mb_over_http_2_costs_the_host_no_other_answer(nginx):
    """The rest of it must not keep the window that all answers on the connection share."""
    large, after = nginx.replies["large"], nginx.replies["after"]
    assert (large.status, large.cut, large.link.http, large.fault) == (200, True, "HTTP/2", None)
    assert READ_LIMIT < large.size < READ_LIMIT + 1024 * 1024
    assert (after.status, after.body, len(after.attempts)) == (200, '{"path":"/after"}', 1)


def test_old_protocol_is_accepted_by_the_one_that_openssl_agrees_with(nginx):
    offered = nginx.handshakes
    assert (offered[OLD, "TLSv1.1"].outcome, offered[OLD, "TLSv1"].outcome) == ("accepted", "refused")
    assert {offered[VALID, each].outcome for each in ("TLSv1", "TLSv1.1")} == {"refused"}
    text = nginx.openssl(VALID, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
    assert "no peer certificate available" in text
    assert tls_rules.protocol(nginx.seen(), VALID).state is State.PASSED
    assert tls_rules.protocol(nginx.seen(), OLD).state is State.FAILED


def test_client_of_today_is_refused_where_only_the_old_is_spoken(nginx):
    assert nginx.replies[OLD].fault is Fault.CERTIFICATE
    assert "PROTOCOL" in nginx.replies[OLD].error.upper()
