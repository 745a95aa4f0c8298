"""Faults of the brokerage: what a client of the API would meet."""

from __future__ import annotations

from rehearsal.entry import fault
from rehearsal.scene import Scene

LOGIN = "smoke.login.token"
INSTRUMENTS = "smoke.instruments.listed"


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


def _symbol(scene: Scene) -> str:
    return scene.draw.choice(scene.world.environment.api.instruments)
