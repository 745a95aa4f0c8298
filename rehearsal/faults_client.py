"""Faults of the web client: what a client sees in the browser and the API does not know."""

from __future__ import annotations

import re
from collections.abc import Callable

from aiohttp import web

from rehearsal.brokerage import host_of
from rehearsal.entry import fault
from rehearsal.front import EVERYWHERE, Answer
from rehearsal.scene import Scene


@fault("journeys.signin.opened")
def web_code_refused(scene: Scene) -> None:
    """The page takes no one-time code, while the API takes each."""
    scene.brokerage.web.refuses_codes = True


@fault("journeys.signout.ended")
def web_logout_keeps(scene: Scene) -> None:
    """Signing out leads to the front page and ends nothing."""
    scene.brokerage.web.logout_keeps = True


@fault("journeys.instrument.found")
def instrument_list_empty(scene: Scene) -> None:
    """The page with the instruments lists none, while the API lists them all."""
    scene.brokerage.web.lists = False


@fault("journeys.instrument.price")
def page_price_stands(scene: Scene) -> None:
    """The price in the page never moves."""
    scene.brokerage.web.quotes_stand = True


@fault("journeys.deposit.shown")
def dead_deposit_button(scene: Scene) -> None:
    """The button that should deposit does nothing."""
    everywhere(scene, "/deposit", lambda page, host: page.replace('<button type="submit">', '<button type="button">'))


@fault("journeys.deposit.booked")
def deposit_shown_not_booked(scene: Scene) -> None:
    """The page shows a deposit that nobody booked."""
    scene.brokerage.web.books = False


@fault("journeys.history.listed")
def deposit_booked_not_shown(scene: Scene) -> None:
    """A deposit is booked, and the history does not show it."""
    scene.brokerage.web.recalls = False


@fault("journeys.deposit.undone", "residue")
def page_deposit_kept(scene: Scene) -> None:
    """What was deposited in the page can be taken back by nobody."""
    scene.brokerage.api.money.refuses_refunds = True


@fault("journeys.brand.shown")
def wrong_brand(scene: Scene) -> None:
    """Every brand shows the face of another."""
    brands = scene.world.environment.brands.values()
    names = {each.host: each.name for each in brands}

    def swapped(page: str, host: str) -> str:
        other = next(name for name in names.values() if name != names[host])
        return page.replace(f'alt="{names[host]}"', f'alt="{other}"').replace(f"logo-{names[host]}", f"logo-{other}")

    everywhere(scene, "/", swapped)


@fault("journeys.brand.direction", only_in="ae-prod")
def arabic_from_the_left(scene: Scene) -> None:
    """Pages in Arabic are laid out from left to right."""
    everywhere(scene, "/", lambda page, host: page.replace('dir="rtl"', 'dir="ltr"'))


@fault("journeys.language.spoken")
def untranslated_label(scene: Scene) -> None:
    """One entry of the menu is a key that nobody translated."""
    everywhere(scene, "/account", lambda page, host: re.sub(r"(/history\">)[^<]+", r"\1menu.history", page))


@fault("journeys.language.switched", only_in="uk-prod")
def language_switch_dead(scene: Scene) -> None:
    """The language switch leads back to where one was."""
    everywhere(scene, "/", lambda page, host: re.sub(r'href="[^"]*"( hreflang)', r'href=""\1', page))


@fault("journeys.legal.warning")
def page_without_risk_warning(scene: Scene) -> None:
    """The page about risks has no risk warning on top any more."""
    everywhere(scene, "/legal/risk", lambda page, host: page.replace('data-testid="risk-warning"', "hidden"))


@fault("journeys.legal.warning")
def page_with_another_percentage(scene: Scene) -> None:
    """The risk warning tells the percentage of another entity."""
    loss = scene.world.environment.web.loss
    everywhere(scene, "/legal/risk", lambda page, host: page.replace(loss, "61%"))


@fault("journeys.legal.warning")
def risk_warning_scrolls_away(scene: Scene) -> None:
    """The risk warning does not stay in sight when one scrolls."""
    moved = '<div><p data-testid="risk-warning"'
    everywhere(
        scene,
        "/legal/risk",
        lambda page, host: page.replace('<p data-testid="risk-warning"', moved).replace("<header>", "</div><header>"),
    )


@fault("journeys.legal.entity")
def page_of_another_entity(scene: Scene) -> None:
    """The legal pages name a company that clients here have no contract with."""
    everywhere(
        scene, "/legal/terms", lambda page, host: re.sub(r"trading name of [^.]+", "trading name of Nobody", page)
    )


@fault("journeys.cookies.dismissed")
def cookie_banner_comes_back(scene: Scene) -> None:
    """The answer to the cookie banner is forgotten with the next page."""

    def forget(answer: Answer, request: web.Request) -> Answer:
        answer.headers.add("Set-Cookie", "cookie_consent=; Path=/; Max-Age=0; Secure; SameSite=Lax")
        return answer

    scene.world.front.bend(EVERYWHERE, EVERYWHERE, forget)


def everywhere(scene: Scene, ending: str, change: Callable[[str, str], str]) -> None:
    """Change every page whose path ends so, at every host."""

    def bend(answer: Answer, request: web.Request) -> Answer:
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        if is_page and request.path.endswith(ending):
            answer.body = change(answer.body.decode(), host_of(request)).encode()
        return answer

    scene.world.front.bend(EVERYWHERE, EVERYWHERE, bend)
