"""Pages that are written, dressed or filled otherwise than usual, and are right."""

from __future__ import annotations

import re

from aiohttp import web

from rehearsal.entry import trap
from rehearsal.faults_client import everywhere
from rehearsal.faults_watched import BEACON
from rehearsal.front import EVERYWHERE, Answer
from rehearsal.scene import Scene

MAP = "/assets/map.svg"
PICTURE = b'<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"></svg>'


@trap("journeys.brand.shown")
def festive_logo(scene: Scene) -> None:
    """For the holidays the logo is another file, under an address of its own; whose it is, it still says."""
    everywhere(
        scene, "/", lambda page, host: re.sub(r"(/assets/logo-[a-z0-9-]+)\.svg", r"\1-festive.svg?week=52", page)
    )


@trap("journeys.brand.direction", only_in="ae-prod")
def direction_goes_without_saying(scene: Scene) -> None:
    """From left to right goes without saying, and a page in Arabic has a telephone number that runs so."""
    number = '<p dir="ltr">+971 4 000 0000</p></main>'
    everywhere(scene, "/", lambda page, host: page.replace(' dir="ltr"', "").replace("</main>", number))


@trap("journeys.language.switched", only_in="ae-prod")
def language_switch_is_counted(scene: Scene) -> None:
    """The links to other languages carry what somebody counts them by."""
    everywhere(scene, "/", lambda page, host: re.sub(r'(href="[^"?]*)(" hreflang)', r"\1?from=switch\2", page))


@trap("journeys.language.spoken")
def menu_in_pieces(scene: Scene) -> None:
    """The words of the menu stand in elements of their own, on lines of their own."""
    everywhere(
        scene, "/account", lambda page, host: re.sub(r'(/(?:account|history)">)([^<]+)', r"\1\n  <b>\2</b>\n", page)
    )


@trap("journeys.legal.warning")
def percentage_in_bold(scene: Scene) -> None:
    """The percentage in the risk warning is in bold, and spaces in it do not break."""
    loss = scene.world.environment.web.loss
    everywhere(
        scene, "/legal/risk", lambda page, host: page.replace(loss, f"<strong>{loss}</strong>").replace(". ", ".&nbsp;")
    )


@trap("journeys.legal.entity")
def entity_on_two_lines(scene: Scene) -> None:
    """The name of the legal entity is broken over two lines."""
    names = {each.legal_entity for each in scene.world.environment.brands.values()}

    def broken(page: str, host: str) -> str:
        for each in names:
            page = page.replace(each, each.replace(" ", "\n    ", 1))
        return page

    everywhere(scene, "/legal/terms", broken)


@trap("journeys.instrument.found")
def instruments_of_similar_names(scene: Scene) -> None:
    """Beside each instrument there is one for professionals, which is called nearly the same."""
    row = re.compile(r'<tr><td><a href="([^"]+)">([^<]+)</a></td>')
    everywhere(
        scene,
        "/instruments",
        lambda page, host: row.sub(r'<tr><td><a href="\1.pro">\2.pro</a></td><td></td></tr>\n\g<0>', page),
    )


@trap("journeys.history.listed")
def history_of_another_day(scene: Scene) -> None:
    """The history begins with what looks like the deposit: the same method and amount, another day, not settled."""
    deposits = scene.world.environment.deposits.values()
    rows = "".join(
        f"<tr><td>pay_earlier</td><td>{each.method}</td><td>{each.amount} {each.currency}</td><td>…</td></tr>"
        for each in deposits
    )
    everywhere(scene, "/history", lambda page, host: page.replace("<tbody>", f"<tbody>{rows}"))


@trap("journeys.deposit.booked")
def page_deposit_by_stages(scene: Scene) -> None:
    """A deposit settles by way of states that nobody declared, and the page shows them as they come."""
    money = scene.brokerage.api.money
    money.settles_s, money.steps = max(money.settles_s, 1.0), ("authorised", "processing")


@trap("journeys.deposit.undone")
def page_refund_answered_500(scene: Scene) -> None:
    """The refund of what a page took is carried out and then answered with 500: looking again shows that it was."""
    scene.brokerage.api.money.refund = "500 after"


@trap("journeys.session.kept")
def session_slides(scene: Scene) -> None:
    """Each page sets the session's cookie anew, so that it lasts a while longer."""
    name = scene.world.environment.journeys.session_cookie

    def again(answer: Answer, request: web.Request) -> Answer:
        if name in request.cookies and request.path.endswith(("/account", "/instruments", "/history")):
            value = f"{name}={request.cookies[name]}; Path=/; Max-Age=1800; Secure; HttpOnly; SameSite=Lax"
            answer.headers.add("Set-Cookie", value)
        return answer

    scene.world.front.bend(EVERYWHERE, EVERYWHERE, again)


@trap("journeys.watch.answers")
def beacon_without_content(scene: Scene) -> None:
    """A script tells the product something, and is answered that there is no content."""
    scene.brokerage.web.script += f"fetch('{BEACON}?seen=1');"
    scene.world.front.bend(EVERYWHERE, BEACON, lambda answer, request: Answer(204))


@trap("journeys.watch.errors")
def script_minds_its_errors(scene: Scene) -> None:
    """A script meets errors, which it catches, and a warning that it tells the console."""
    scene.brokerage.web.script += (
        "try { document.querySelector('#gone').focus() } catch (error) { console.warn(String(error)) }"
        "Promise.reject(new Error('offline')).catch(() => null);"
    )


@trap("journeys.watch.blank")
def page_that_fills_late(scene: Scene) -> None:
    """The page with the account is hidden until its script has put it together."""
    scene.brokerage.web.script += (
        "document.body.hidden = true; setTimeout(() => { document.body.hidden = false }, 400);"
    )


@trap("journeys.watch.mixed")
def link_in_the_clear(scene: Scene) -> None:
    """A page has a link, and a drawing its name space, that begin with http://, and loads nothing from there."""
    link = '<a href="http://register.example/">Register</a><svg xmlns="http://www.w3.org/2000/svg" width="8"></svg>'
    everywhere(scene, "/account", lambda page, host: page.replace("</main>", f"{link}</main>"))


@trap("journeys.watch.vitals")
def picture_far_below(scene: Scene) -> None:
    """A small picture at the foot of a long page takes three seconds; nobody waits for it."""
    for host in scene.world.environment.hosts:
        scene.world.front.slow[host, MAP] = (1, 3.0)
    scene.world.front.bend(EVERYWHERE, MAP, _drawn)
    picture = f'<img loading="lazy" src="{MAP}" alt="" width="40" height="40"></main>'
    everywhere(scene, "/legal/terms", lambda page, host: page.replace("</main>", picture))


@trap("journeys.watch.accessible")
def field_named_otherwise(scene: Scene) -> None:
    """A field is named by an attribute and not by a label, and a picture that only decorates has no name."""
    field = f'<input type="text" aria-label="Filter"><img src="{MAP}" alt=""></main>'
    scene.world.front.bend(EVERYWHERE, MAP, _drawn)
    everywhere(scene, "/account", lambda page, host: page.replace("</main>", field))


def _drawn(answer: Answer, request: web.Request) -> Answer:
    drawn = Answer(200, PICTURE)
    drawn.headers["Content-Type"] = "image/svg+xml"
    return drawn
