"""Faults that the browser tells of while a client does something else; all of them on the page with the account."""

from __future__ import annotations

from aiohttp import web

from rehearsal.entry import fault
from rehearsal.faults_client import everywhere
from rehearsal.front import EVERYWHERE, Answer
from rehearsal.scene import Scene

BEACON = "/assets/beacon"


@fault("journeys.watch.errors")
def script_error(scene: Scene) -> None:
    """A script of the page stops with an error that nobody catches."""
    scene.brokerage.web.script = "document.querySelector('#gone').focus();"


@fault("journeys.watch.console")
def console_error_storm(scene: Scene) -> None:
    """A script writes two hundred errors to the console."""
    scene.brokerage.web.script = "for (let n = 0; n < 200; n++) console.error(`chart ${n}: no data`);"


@fault("journeys.watch.requests")
def request_without_answer(scene: Scene) -> None:
    """A request of the page is cut off each time."""
    scene.brokerage.web.script = f"fetch('{BEACON}').catch(() => null);"
    for host in scene.world.environment.hosts:
        scene.world.front.cuts[host, BEACON] = 1000


@fault("journeys.watch.answers")
def page_asset_missing(scene: Scene) -> None:
    """A picture of the page was not uploaded."""
    everywhere(scene, "/account", lambda page, host: page.replace("<h1>", '<img src="/assets/hero.svg" alt=""><h1>'))


@fault("journeys.watch.mixed")
def picture_in_the_clear(scene: Scene) -> None:
    """A picture of the page has an address without encryption, and a policy that lets it pass."""

    def bend(answer: Answer, request: web.Request) -> Answer:
        if request.path.endswith("/account"):
            answer.headers["Content-Security-Policy"] = "default-src 'self'; img-src * ; frame-ancestors 'none'"
            answer.replace("<h1>", '<img src="http://pictures.example/hero.svg" alt=""><h1>')
        return answer

    scene.world.front.bend(EVERYWHERE, EVERYWHERE, bend)


@fault("journeys.watch.blank")
def blank_page(scene: Scene) -> None:
    """The page with the account is answered well, and shows nothing."""
    blank = "<!doctype html><html><head><title>Account</title></head><body><div id='root'></div></body></html>"
    everywhere(scene, "/account", lambda page, host: blank)


@fault("journeys.session.kept")
def session_lost_on_the_way(scene: Scene) -> None:
    """On the way to the account the session is forgotten: the client is sent to the login."""
    scene.brokerage.web.forgets = True


@fault("journeys.watch.vitals", "degraded")
def slow_page(scene: Scene) -> None:
    """The page with the account takes five seconds to begin."""
    for brand in scene.world.environment.brands.values():
        for locale in brand.languages:
            scene.world.front.slow[brand.host, f"/{locale}/account"] = (1, 5.0)


@fault("journeys.watch.accessible", "degraded")
def field_without_label(scene: Scene) -> None:
    """A field of the page has no label that a screen reader could read."""
    everywhere(scene, "/account", lambda page, host: page.replace("</h1>", '</h1><input type="text">'))
