"""What the browser journeys visit, how the web client keeps its session, and how a deposit leaves its page."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from postdeploy.environment.forms import Millis, Model, Name, Path, Text


class PageDeposit(Model):
    """The request by which a page of the web client deposits: what it says, and what is added to it."""

    path: Path = "/{locale}/deposit"
    """Where it is sent, by POST."""
    method_field: Text = "method"
    """Field of the form, or of the JSON, that names the method."""
    amount_field: Text = "amount"
    """Field that holds the amount."""
    key_header: Text = "Idempotency-Key"
    """Header under which the product takes our idempotency key."""
    tag_header: Text = "X-Synthetic-Tag"
    """Header with the tag by which the product's deposits are known as ours."""
    capture_header: Text = "X-Synthetic-Capture"
    """Header that says `no` where a deposit is only announced."""


class PageVitals(Model):
    """From when on a page is slow; a finding, and no failure."""

    ttfb_ms: Millis = 800
    """To the first byte."""
    lcp_ms: Millis = 2500
    """To the largest piece of content."""
    rehearsal_factor: Annotated[float, Field(strict=True, ge=1, le=100)] = 5.0
    """By how much more time a rehearsal may take, whose browser and product share a small machine."""


class Journeys(Model):
    """The browser journeys of one environment."""

    brands: tuple[Name, ...] = ()
    """Brands that a verification visits, each in all its languages; none: the first. `--all-brands` visits all."""
    session_cookie: Text = "client_session"
    """Cookie in which the web client keeps the API's token: with it a browser is signed in without typing."""
    consent_cookie: Text | None = None
    """Cookie, as name=value, that a client has who has answered the cookie banner; none: every client is asked."""
    vitals: PageVitals = PageVitals()
    """From when on a page is slow."""
    deposit: PageDeposit = PageDeposit()
    """How a deposit leaves its page."""
