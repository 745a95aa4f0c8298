"""Faults of the brokerage: what a client of the public hosts and of the API would meet."""

from __future__ import annotations

from rehearsal.entry import fault
from rehearsal.scene import Scene

HEALTH = "endpoints.health.status"
VERSION = "endpoints.version.release"
LOGIN = "smoke.login.token"
INSTRUMENTS = "smoke.instruments.listed"


@fault(HEALTH)
def health_500(scene: Scene) -> None:
    """One host's health page answers 500."""
    scene.brokerage.settings[_host(scene)].status = 500


@fault(HEALTH)
def health_degraded_body(scene: Scene) -> None:
    """One host's health page answers 200, and its body says that the application is failing."""
    scene.brokerage.settings[_host(scene)].body = '{"status": "failing", "checks": {"database": "failing"}}'


@fault(HEALTH)
def maintenance_page_200(scene: Scene) -> None:
    """One host still shows the maintenance page, with status 200."""
    scene.brokerage.settings[_host(scene)].maintenance = True


@fault(VERSION)
def yesterdays_version(scene: Scene) -> None:
    """One host is still served by the release before."""
    scene.brokerage.settings[_host(scene)].version = scene.previous


@fault(VERSION)
def version_prefix(scene: Scene) -> None:
    """One host runs a hotfix whose name only begins like the release's."""
    scene.brokerage.settings[_host(scene)].version = f"{scene.world.release}1"


@fault(LOGIN)
def login_refused(scene: Scene) -> None:
    """Right credentials are refused: nobody can log in."""
    scene.brokerage.api.login_refused = True


@fault(LOGIN)
def login_without_token(scene: Scene) -> None:
    """The login answers 200 and gives no token."""
    scene.brokerage.api.empty_token = True


@fault("smoke.login.required")
def anonymous_instruments(scene: Scene) -> None:
    """The instruments are shown to whoever asks, without a login."""
    scene.brokerage.api.anonymous_instruments = True


@fault(INSTRUMENTS)
def instrument_missing(scene: Scene) -> None:
    """One instrument that clients of this jurisdiction must be offered is gone."""
    scene.brokerage.api.market.hidden.add(_symbol(scene))


@fault(INSTRUMENTS)
def instrument_not_tradable(scene: Scene) -> None:
    """One instrument that must be offered is listed and cannot be traded."""
    scene.brokerage.api.market.untradable.add(_symbol(scene))


def _host(scene: Scene) -> str:
    return scene.draw.choice(sorted(each for each in scene.brokerage.settings if each in scene.brokerage.brands))


def _symbol(scene: Scene) -> str:
    return scene.draw.choice(scene.world.environment.api.instruments)
