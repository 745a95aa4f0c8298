"""A web client that looks odd and is healthy."""

from __future__ import annotations

from aiohttp import web

from rehearsal.entry import trap
from rehearsal.front import EVERYWHERE, Answer
from rehearsal.scene import Scene


@trap("journeys.signin.opened")
def login_page_announces(scene: Scene) -> None:
    """The login page carries a notice, with a button of its own."""
    notice = '<section><p role="status">Passkeys are coming.</p><button type="button">More</button></section><h1>'

    def announce(answer: Answer, request: web.Request) -> Answer:
        return answer.replace("<h1>", notice) if request.path.endswith("/login") else answer

    scene.world.front.bend(EVERYWHERE, EVERYWHERE, announce)


@trap("journeys.signout.ended")
def signed_out_with_a_farewell(scene: Scene) -> None:
    """Whoever signs out is first shown a page that says goodbye, and sends on to the front page."""
    scene.brokerage.web.farewell = True
