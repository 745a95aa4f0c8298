"""Faults of the brokerage's API: logging in, accounts, the market, papers."""

from __future__ import annotations

from rehearsal.entry import fault
from rehearsal.market import stranger
from rehearsal.scene import Scene

SYNTHETIC = "smoke.account.synthetic"
FRESH = "smoke.quotes.fresh"


@fault("smoke.login.second-factor")
def no_second_factor(scene: Scene) -> None:
    """The password alone opens a session."""
    scene.brokerage.api.one_factor = True


@fault("smoke.login.clock", "unverified")
def clock_skew(scene: Scene) -> None:
    """The API's clock and ours differ by a minute and a half: every one-time code would be refused."""
    scene.brokerage.api.ahead_s = 90.0


@fault("smoke.session.refresh")
def refresh_refused(scene: Scene) -> None:
    """Sessions cannot be renewed."""
    scene.brokerage.api.refresh_refused = True


@fault("smoke.session.logout")
def logout_keeps_session(scene: Scene) -> None:
    """A logout is answered well and ends nothing."""
    scene.brokerage.api.logout_keeps = True


@fault(SYNTHETIC, "unverified")
def account_not_synthetic(scene: Scene) -> None:
    """The account is not marked synthetic: it may be a client's."""
    scene.brokerage.api.real_accounts = True


@fault(SYNTHETIC, "unverified")
def account_unlisted(scene: Scene) -> None:
    """The credentials lead to an account that is on no allow-list."""
    scene.brokerage.api.other_id = True


@fault("smoke.account.profile")
def renamed_field(scene: Scene) -> None:
    """The profile's RM_Photo is called Manager_Photo in this release."""
    scene.brokerage.api.renamed = True


@fault("smoke.account.balance")
def wrong_balance(scene: Scene) -> None:
    """The balance is a penny more than its parts."""
    scene.brokerage.api.money.off_by = 1


@fault("smoke.permissions.isolated")
def cross_account_read(scene: Scene) -> None:
    """A client can read another client's account."""
    scene.brokerage.api.open_accounts = True


@fault("smoke.instruments.complete")
def instruments_thin(scene: Scene) -> None:
    """The feed of instruments was loaded in part: only a handful are listed."""
    scene.brokerage.api.market.thin = True


@fault("smoke.instruments.complete")
def instrument_twice(scene: Scene) -> None:
    """One instrument is listed twice."""
    market = scene.brokerage.clients.market
    scene.brokerage.api.market.also.append(scene.draw.choice(market.listed()))


@fault("smoke.instruments.complete")
def instrument_field_missing(scene: Scene) -> None:
    """One instrument has no asset class."""
    entry = stranger("BTCUSD")
    del entry["asset_class"]
    scene.brokerage.api.market.also.append(entry)


@fault("smoke.instruments.permitted")
def forbidden_instrument(scene: Scene) -> None:
    """A product is offered that this jurisdiction forbids its retail clients."""
    product = scene.draw.choice(scene.world.environment.business.market.forbidden)
    scene.brokerage.api.market.also.append(stranger("BTCUSD.X", product=product))


@fault(FRESH)
def stale_quotes(scene: Scene) -> None:
    """Prices stand still for ten minutes while the market is open."""
    scene.brokerage.api.market.age_s = 600.0


@fault(FRESH)
def quote_pipeline_slow(scene: Scene) -> None:
    """The price pipeline that takes five seconds takes thirty."""
    scene.brokerage.api.market.age_s = 30.0


@fault(FRESH, "degraded")
def quotes_late(scene: Scene) -> None:
    """Prices are eight seconds old: late, and not yet an outage."""
    scene.brokerage.api.market.age_s = 8.0


@fault(FRESH)
def quote_missing(scene: Scene) -> None:
    """One instrument that may be traded has no price."""
    scene.brokerage.api.market.unpriced.add(scene.draw.choice(scene.world.environment.api.instruments))


@fault("smoke.quotes.spread")
def crossed_quotes(scene: Scene) -> None:
    """One instrument's bid is above its ask."""
    scene.brokerage.api.market.crossed.add(scene.draw.choice(scene.world.environment.api.instruments))


@fault("smoke.orders.preview")
def preview_refused(scene: Scene) -> None:
    """The pricing engine does not answer."""
    scene.brokerage.api.market.previews = False


@fault("smoke.orders.preview")
def preview_places_order(scene: Scene) -> None:
    """A preview becomes an order."""
    scene.brokerage.api.market.books_previews = True


@fault("smoke.documents.loaded")
def document_missing(scene: Scene) -> None:
    """A document that every client must have is listed and does not open."""
    scene.brokerage.api.lost_documents.add(scene.draw.choice(scene.world.environment.business.documents))


@fault("smoke.documents.statements")
def statements_missing(scene: Scene) -> None:
    """There is no statement any more."""
    scene.brokerage.api.empty_statements = True
