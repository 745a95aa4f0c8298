"""Faults of the way to the public hosts: certificates, protocols, DNS, redirects."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from rehearsal.canaries import MARK
from rehearsal.entry import fault
from rehearsal.faults_web import api_host, brand_host
from rehearsal.front import EVERYWHERE, Answer
from rehearsal.scene import Scene

CHAIN = "endpoints.tls.chain"
EXPIRY = "endpoints.tls.expiry"
DNS = "endpoints.dns.answers"
REDIRECTS = "endpoints.redirects.target"


@fault(CHAIN)
def certificate_wrong_name(scene: Scene) -> None:
    """One host shows the certificate of another."""
    scene.world.front.certificates[brand_host(scene)] = "wrong-name"


@fault(CHAIN)
def certificate_self_signed(scene: Scene) -> None:
    """One host shows a certificate that nobody trusts."""
    scene.world.front.certificates[brand_host(scene)] = "self-signed"


@fault(CHAIN)
def intermediate_missing(scene: Scene) -> None:
    """One host shows its own certificate without the one that signed it."""
    scene.world.front.certificates[api_host(scene)] = "no-intermediate"


@fault(CHAIN)
def former_host_expired(scene: Scene) -> None:
    """The certificate of a brand's www host has expired: the redirect works only for those who wave it through."""
    scene.world.front.certificates[f"www.{brand_host(scene)}"] = "expired"


@fault(EXPIRY)
def certificate_expired(scene: Scene) -> None:
    """One host's certificate expired yesterday."""
    scene.world.front.certificates[brand_host(scene)] = "expired"


@fault(EXPIRY)
def certificate_expiring(scene: Scene) -> None:
    """One host's certificate has five of its ninety days left: its renewal fails."""
    scene.world.front.certificates[brand_host(scene)] = "expiring"


@fault(EXPIRY, "degraded")
def certificate_due(scene: Scene) -> None:
    """One host's certificate should have been renewed two weeks ago."""
    scene.world.front.certificates[brand_host(scene)] = "due"


@fault("endpoints.tls.protocol")
def old_protocol(scene: Scene) -> None:
    """One host still accepts TLS 1.0."""
    scene.world.front.old_protocols.add(brand_host(scene))


@fault(DNS)
def dns_forgotten(scene: Scene) -> None:
    """One brand's name was never entered in the DNS."""
    scene.world.front.records[brand_host(scene)].code = "NXDOMAIN"


@fault(DNS)
def dns_stray(scene: Scene) -> None:
    """One brand's name leads to an address that is not ours, besides its own."""
    scene.world.front.records[brand_host(scene)].ipv4.append("198.51.100.7")


@fault(DNS, only_in="uk-prod")
def ipv6_forgotten(scene: Scene) -> None:
    """One brand's name has no AAAA record, though it is declared to."""
    scene.world.front.records[brand_host(scene)].ipv6.clear()


@fault("endpoints.version.release", only_in="uk-prod")
def ipv6_dead(scene: Scene) -> None:
    """One brand's AAAA record leads to where nobody listens: half of its clients wait."""
    front = scene.world.front
    front.dead.update(front.records[brand_host(scene)].ipv6)


@fault(REDIRECTS)
def http_not_redirected(scene: Scene) -> None:
    """One host serves its pages over http too."""
    _plainly(scene, brand_host(scene), Answer.html("<h1>Welcome</h1>"))


@fault(REDIRECTS)
def redirect_downgrades(scene: Scene) -> None:
    """One brand's www host leads down to http before it leads up again."""
    host = f"www.{brand_host(scene)}"
    scene.world.front.bend(host, "/login", _secure(_moved(f"http://{host}/login")))


@fault(REDIRECTS)
def redirect_loop(scene: Scene) -> None:
    """One brand's www host leads to itself."""
    host = f"www.{brand_host(scene)}"
    scene.world.front.bend(host, "/login", _secure(_moved(f"https://{host}/login")))


@fault(REDIRECTS, only_in="uk-prod")
def former_host_unmoved(scene: Scene) -> None:
    """A brand's former host leads to another brand."""
    brand = next(each for each in scene.world.environment.brands.values() if each.aliases)
    _plainly(scene, brand.aliases[0], _moved(f"https://northgate.example/?access_token={MARK}-url"))


def _moved(location: str) -> Answer:
    answer = Answer(302)
    answer.headers["Location"] = location
    return answer


def _plainly(scene: Scene, host: str, instead: Answer) -> None:
    scene.world.front.bend(host, EVERYWHERE, lambda _, request: instead if request.scheme == "http" else None)


def _secure(instead: Answer) -> Any:
    def bent(answer: Answer, request: web.Request) -> Answer | None:
        if request.scheme != "https":
            return None
        answer.headers.update(instead.headers)
        return Answer(instead.status, b"", answer.headers)

    return bent


@fault("endpoints.redirects.open")
def open_redirect(scene: Scene) -> None:
    """One brand's login sends its visitors wherever a link says."""
    scene.world.front.bend(brand_host(scene), "/login", _anywhere)


def _anywhere(answer: Answer, request: web.Request) -> Answer:
    if wanted := request.query.get("next"):
        answer.headers["Location"] = wanted
    return answer
