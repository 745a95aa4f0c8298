"""Faults of what the public hosts answer: statuses, pages in front, health, versions, documents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aiohttp import web

from rehearsal.entry import fault
from rehearsal.front import EVERYWHERE, Answer
from rehearsal.front_end import build_of, files_of
from rehearsal.pages import Setting, front_page, maintenance_page
from rehearsal.scene import Scene

CODE = "endpoints.status.code"
GENUINE = "endpoints.pages.genuine"
HEALTH = "endpoints.health.status"
DEEP = "endpoints.health.deep"
VERSION = "endpoints.version.release"
LATENCY = "endpoints.latency.limits"
SCHEMA = "endpoints.contract.schema"


def brand_host(scene: Scene) -> str:
    """The brand that the seed picks."""
    return scene.draw.choice(sorted(each.host for each in scene.world.environment.brands.values()))


def api_host(scene: Scene) -> str:
    """The API's host."""
    return scene.world.environment.api.host


def login_path(scene: Scene, host: str) -> str:
    """The path of a brand's login page."""
    return next(f"/{e.locale}/login" for e in scene.world.environment.brands.values() if e.host == host)


def front_of(scene: Scene, host: str) -> str:
    """A brand's front page."""
    world = scene.world
    brand = next(each for each in world.environment.brands.values() if each.host == host)
    build, files = build_of(world.release), files_of(world.release)
    return front_page(Setting(brand, brand.locale, world.environment.web, build, files))


def always(answer: Callable[[], Answer]) -> Callable[[Answer, web.Request], Answer]:
    """Another answer in place of the healthy one."""
    return lambda _answer, _request: answer()


def with_json(change: Callable[[Any], Any]) -> Callable[[Answer, web.Request], Answer]:
    """The document with a change made to it."""
    import json

    def bend(answer: Answer, request: web.Request) -> Answer:
        if request.method != "GET":
            return answer
        document = json.loads(answer.body)
        return Answer(answer.status, json.dumps(change(document) or document).encode(), answer.headers)

    return bend


@fault(HEALTH)
def health_500(scene: Scene) -> None:
    """One host's health page answers 500."""
    failing = {"status": "failing", "checks": {"database": "failing"}}
    scene.world.front.bend(brand_host(scene), "/health", always(lambda: Answer.json(failing, 500)))


@fault(HEALTH)
def health_degraded_body(scene: Scene) -> None:
    """One host's health page answers 200, and its body says that the application is failing."""
    failing = {"status": "failing", "checks": {"database": "failing"}}
    scene.world.front.bend(brand_host(scene), "/health", always(lambda: Answer.json(failing)))


@fault(HEALTH)
def maintenance_page_200(scene: Scene) -> None:
    """One host still shows the maintenance page, with status 200."""
    host = brand_host(scene)
    brand = next(each for each in scene.world.environment.brands.values() if each.host == host)
    scene.world.front.bend(host, EVERYWHERE, always(lambda: Answer.html(maintenance_page(brand))))


@fault(CODE)
def page_gone(scene: Scene) -> None:
    """One brand's login page answers 404."""
    host = brand_host(scene)
    scene.world.front.bend(host, login_path(scene, host), always(lambda: Answer.html("<h1>Not found</h1>", 404)))


@fault(CODE)
def api_unguarded(scene: Scene) -> None:
    """The API shows accounts to whoever asks, without a token."""
    scene.world.front.bend(api_host(scene), "/api/v1/accounts", always(lambda: Answer.json({"accounts": []})))


@fault(CODE)
def host_unavailable(scene: Scene) -> None:
    """One brand answers 503, and no maintenance is declared at this hour."""
    scene.world.front.bend(brand_host(scene), EVERYWHERE, always(lambda: Answer.html("<h1>Unavailable</h1>", 503)))


@fault(CODE)
def hosts_refuse(scene: Scene) -> None:
    """Nobody listens at any public address, while the independent host answers: it is not the runner."""
    control = scene.world.environment.web.control or ""
    for name, record in scene.world.front.records.items():
        if name != control:
            scene.world.front.dead.update((*record.ipv4, *record.ipv6))


@fault(CODE, "unverified")
def runner_offline(scene: Scene) -> None:
    """Neither the hosts nor the independent one can be reached: the runner has no network."""
    scene.world.front.offline = True


@fault(VERSION, "unverified", only_in="uk-prod")
def runner_without_ipv6(scene: Scene) -> None:
    """The runner has no IPv6: half of the addresses cannot be reached, those of the independent host neither."""
    front = scene.world.front
    front.dead.update(address for record in front.records.values() for address in record.ipv6)


@fault(HEALTH, "flaky")
def cut_once(scene: Scene) -> None:
    """One brand's health page breaks off its first answer, and is there at the second look."""
    scene.world.front.cuts[brand_host(scene), "/health"] = 1


@fault(GENUINE)
def cdn_error_page(scene: Scene) -> None:
    """One brand's front page is a CDN's error page, with status 200."""
    host = brand_host(scene)
    text = "<html><head><title>502 Bad Gateway</title></head><body>The origin server did not respond</body></html>"
    scene.world.front.bend(host, login_path(scene, host), always(lambda: Answer.html(text)))


@fault(GENUINE)
def spa_fallback(scene: Scene) -> None:
    """One brand's login page is the front page: the route is gone, and the fallback answers for it."""
    host = brand_host(scene)
    page = front_of(scene, host)
    scene.world.front.bend(host, login_path(scene, host), always(lambda: Answer.html(page)))


@fault(DEEP)
def ledger_down(scene: Scene) -> None:
    """The ledger's database does not answer the application."""
    _ails(scene, "ledger-database")


@fault(DEEP, "degraded")
def kyc_down(scene: Scene) -> None:
    """The KYC provider is down, which is declared to degrade the service and not to end it."""
    _ails(scene, "kyc")


@fault(DEEP)
def integration_unlisted(scene: Scene) -> None:
    """The release forgot to check sanctions screening: it is not listed any more."""
    scene.world.front.bend(
        api_host(scene), "/health/deep", with_json(lambda said: said["checks"].pop("sanctions-screening") and None)
    )


def _ails(scene: Scene, name: str) -> None:
    def fail(said: Any) -> None:
        said["status"] = "degraded"
        said["checks"][name]["status"] = "failing"

    scene.world.front.bend(api_host(scene), "/health/deep", with_json(fail))


@fault(VERSION)
def yesterdays_version(scene: Scene) -> None:
    """One host is still served by the release before."""
    scene.world.front.versions[brand_host(scene)] = scene.previous


@fault(VERSION)
def version_prefix(scene: Scene) -> None:
    """One host runs a hotfix whose name only begins like the release's."""
    scene.world.front.versions[brand_host(scene)] = f"{scene.world.release}1"


@fault(VERSION, only_in="uk-prod")
def old_pods_on_ipv6(scene: Scene) -> None:
    """One host's IPv6 address still leads to pods of the release before."""
    scene.world.front.old_on_ipv6[brand_host(scene)] = scene.previous


@fault(VERSION)
def version_flaps(scene: Scene) -> None:
    """Behind one host one pod of three is of the release before."""
    scene.world.front.flaps[brand_host(scene)] = scene.previous


@fault("endpoints.version.build")
def yesterdays_front_end(scene: Scene) -> None:
    """One brand's pages are of the build before; its application is of the release."""
    scene.world.front.front_ends[brand_host(scene)] = scene.previous


@fault("endpoints.version.identity")
def hosts_of_another_cluster(scene: Scene) -> None:
    """Every host is consistently on another release than the one that the cluster runs."""
    front = scene.world.front
    for host in front.versions:
        front.versions[host] = front.front_ends[host] = scene.previous


@fault(LATENCY)
def slow_answers(scene: Scene) -> None:
    """Every tenth answer of the API takes two seconds."""
    scene.world.front.slow[api_host(scene), "/api/v1/status"] = (10, 2.1)


@fault(LATENCY, "degraded")
def sluggish_answers(scene: Scene) -> None:
    """Every tenth answer of the API takes a second: within the hard limit and beyond the soft one."""
    scene.world.front.slow[api_host(scene), "/api/v1/status"] = (10, 1.1)


@fault(SCHEMA)
def field_renamed(scene: Scene) -> None:
    """The version document calls its build otherwise."""
    scene.world.front.bend(
        brand_host(scene), "/version", with_json(lambda said: {"version": said["version"], "buildId": said["build"]})
    )


@fault(SCHEMA, "degraded")
def field_added(scene: Scene) -> None:
    """The API's status has a field that nobody knows yet."""
    scene.world.front.bend(api_host(scene), "/api/v1/status", with_json(lambda said: said | {"region": "west"}))


@fault("endpoints.contract.openapi")
def openapi_of_last_release(scene: Scene) -> None:
    """The API publishes the description of the release before."""

    def date_back(said: Any) -> None:
        said["info"]["version"] = scene.previous

    scene.world.front.bend(api_host(scene), scene.world.environment.web.openapi or "", with_json(date_back))


@fault("endpoints.contract.openapi")
def answer_not_as_described(scene: Scene) -> None:
    """The API's refusals have another shape than its description says."""
    refused = {"detail": "Authentication credentials were not provided."}
    scene.world.front.bend(api_host(scene), "/api/v1/accounts", always(lambda: Answer.json(refused, 401)))
