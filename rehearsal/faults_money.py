"""Faults of deposits and refunds: money that goes wrong, and answers that do not say what became of it."""

from __future__ import annotations

import math

from rehearsal.cashier import leave
from rehearsal.entry import fault
from rehearsal.psp import Order, coins
from rehearsal.scene import Scene

ACCEPTED = "smoke.deposit.accepted"
CREDITED = "smoke.deposit.credited"


@fault(CREDITED, ends=12)
def credited_twice(scene: Scene) -> None:
    """A deposit is posted to the ledger twice; its refund takes only one of them back."""
    scene.brokerage.api.money.credits = 2


@fault(CREDITED)
def wrong_currency(scene: Scene) -> None:
    """Deposits are credited in another currency."""
    scene.brokerage.api.money.credited_in = "CHF"


@fault(CREDITED, ends=12)
def never_credited(scene: Scene) -> None:
    """A deposit settles and nothing is posted; its refund takes away what was never given."""
    scene.brokerage.api.money.credits = 0


@fault("smoke.deposit.ends")
def never_settles(scene: Scene) -> None:
    """Deposits stay pending that should settle at once."""
    scene.brokerage.api.money.settles_s = math.inf


@fault("smoke.deposit.ends")
def deposit_fails_on_its_way(scene: Scene) -> None:
    """Deposits are accepted, and the PSP lets them fail a moment later."""
    scene.brokerage.api.money.fails = True


@fault("smoke.deposit.idempotent")
def idempotency_ignored(scene: Scene) -> None:
    """The same request under the same key is carried out each time."""
    scene.brokerage.api.money.ignores_keys = True


@fault(ACCEPTED)
def deposit_refused(scene: Scene) -> None:
    """Deposits are refused."""
    scene.brokerage.api.money.refuses = True


@fault(ACCEPTED)
def deposit_method_withdrawn(scene: Scene) -> None:
    """A method that clients of this jurisdiction use is not offered any more."""
    scene.brokerage.api.money.withdrawn.add(scene.draw.choice(sorted(scene.world.environment.deposits)))


@fault(ACCEPTED)
def fee_undeclared(scene: Scene) -> None:
    """Every method costs a fee that nobody declared."""
    scene.brokerage.api.money.extra_fee = 30


@fault(ACCEPTED, "unverified")
def beneficiary_unknown(scene: Scene) -> None:
    """Deposits go to a beneficiary that is on no allow-list."""
    scene.brokerage.api.money.stranger = "somebody-else-ltd"


@fault(ACCEPTED, "unverified")
def routed_live(scene: Scene) -> None:
    """Payments of the test account go to the real PSP instead of its sandbox."""
    scene.brokerage.api.routed_live = True


@fault(ACCEPTED)
def deposit_500_after_the_money_moved(scene: Scene) -> None:
    """A deposit is made and then answered with 500."""
    scene.brokerage.api.money.deposit = "500 after"


@fault(ACCEPTED)
def deposit_500_before_the_money_moved(scene: Scene) -> None:
    """A deposit is answered with 500 and not made."""
    scene.brokerage.api.money.deposit = "500 before"


@fault(ACCEPTED)
def deposit_times_out_after_the_money_moved(scene: Scene) -> None:
    """A deposit is made and never answered."""
    scene.brokerage.api.money.deposit = "silence after"


@fault("smoke.deposit.undone", "residue")
def refund_refused(scene: Scene) -> None:
    """The PSP refuses refunds."""
    scene.brokerage.api.money.refuses_refunds = True


@fault("smoke.journal.clean", "residue")
def leftover_refused(scene: Scene) -> None:
    """An earlier run left a deposit behind, and the PSP refuses to refund it."""
    leftover(scene)
    scene.brokerage.api.money.refuses_refunds = True


def leftover(scene: Scene) -> None:
    """A settled deposit of a run whose journal is lost, known by its tag alone."""
    environment, clients = scene.world.environment, scene.brokerage.clients
    declared = environment.deposits["card"]
    amount = coins(declared.amount, declared.currency)
    tag, key = f"postdeploy:{environment.name}", f"{scene.draw.getrandbits(160):040x}"
    beneficiary = environment.business.spending.beneficiaries[0]
    account = environment.api.accounts.trader.id
    order = Order(account, key, tag, declared.method, amount, declared.currency, beneficiary, capture=True)
    leave(clients.bank, clients.psp, order, "settled")
