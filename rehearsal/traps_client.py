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


@trap("journeys.instrument.price")
def page_of_a_closed_market(scene: Scene) -> None:
    """The market is closed, the calendar says so, and the page too: its price is yesterday's and does not move."""
    scene.brokerage.api.market.closed = True


@trap("journeys.cookies.dismissed")
def cookie_banner_answered_before(scene: Scene) -> None:
    """The product remembers that this client has answered the cookie banner: it does not show."""

    def remember(answer: Answer, request: web.Request) -> Answer:
        answer.headers.add("Set-Cookie", "cookie_consent=yes; Path=/; Secure; SameSite=Lax")
        return answer

    scene.world.front.bend(EVERYWHERE, EVERYWHERE, remember)


@trap("journeys.deposit.shown")
def page_settles_slowly(scene: Scene) -> None:
    """A deposit takes two seconds to settle, and the page shows it as pending meanwhile."""
    scene.brokerage.api.money.settles_s = 2.0


@trap("journeys.watch.requests")
def third_party_blocked(scene: Scene) -> None:
    """The page loads a slow script of a third party, which an ad blocker, or its own absence, keeps away."""

    def bend(answer: Answer, request: web.Request) -> Answer:
        if request.path.endswith("/account"):
            policy = "default-src 'self'; script-src 'self' https://tags.third-party.example; frame-ancestors 'none'"
            answer.headers["Content-Security-Policy"] = policy
            answer.replace("</head>", '<script async src="https://tags.third-party.example/t.js"></script></head>')
        return answer

    scene.world.front.bend(EVERYWHERE, EVERYWHERE, bend)


@trap("journeys.watch.console")
def console_says_what_is_accepted(scene: Scene) -> None:
    """The console says something that the environment's file accepts for a while."""
    scene.brokerage.web.script += "console.error('ResizeObserver loop completed with undelivered notifications.');"
