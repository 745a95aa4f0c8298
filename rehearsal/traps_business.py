"""Odd and healthy: what a careless check of business would turn red."""

from __future__ import annotations

from rehearsal.entry import trap
from rehearsal.faults_money import leftover
from rehearsal.scene import Scene

CREDITED = "smoke.deposit.credited"


@trap(CREDITED, only_in="hk-prod")
def edda_pending(scene: Scene) -> None:
    """EDDA is under way for days, first in the bank's hands: that is how it is in Hong Kong."""
    scene.brokerage.api.money.steps = ("processing",)


@trap(CREDITED, only_in="mt-prod")
def fee_apart(scene: Scene) -> None:
    """A method's declared fee is an entry of its own behind the deposit."""
    scene.brokerage.api.money.fee_apart = True


@trap("smoke.deposit.ends")
def slow_settlement(scene: Scene) -> None:
    """Deposits take their time, by way of states that nobody declared."""
    money = scene.brokerage.api.money
    money.settles_s, money.refunds_s, money.steps = 1.0, 0.4, ("authorised", "processing")


@trap("smoke.quotes.fresh")
def market_holiday(scene: Scene) -> None:
    """All markets are closed today, as the calendar says, and prices are yesterday's."""
    scene.brokerage.api.market.closed = True


@trap("smoke.quotes.fresh")
def instrument_suspended(scene: Scene) -> None:
    """An instrument that nobody must be offered is suspended, with its last price."""
    market, declared = scene.brokerage.clients.market, scene.world.environment.api.instruments
    scene.brokerage.api.market.suspended.add(scene.draw.choice(sorted(set(market.symbols) - set(declared))))


@trap("smoke.account.profile")
def profile_grows(scene: Scene) -> None:
    """The profile has a field more than before."""
    scene.brokerage.api.extended = True


@trap("smoke.journal.clean")
def leftover_of_a_lost_run(scene: Scene) -> None:
    """A deposit of an earlier run is still there, and nobody has its journal any more."""
    leftover(scene)


@trap("smoke.deposit.undone")
def refund_500_after_the_money_moved(scene: Scene) -> None:
    """Refunds are carried out and then answered with 500: looking again shows that they were."""
    scene.brokerage.api.money.refund = "500 after"
