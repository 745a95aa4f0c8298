"""What the browser journeys visit, and how the web client keeps its session."""

from __future__ import annotations

from postdeploy.environment.forms import Model, Name, Text


class Journeys(Model):
    """The browser journeys of one environment."""

    brands: tuple[Name, ...] = ()
    """Brands that a verification visits, each in all its languages; none: the first. `--all-brands` visits all."""
    session_cookie: Text = "client_session"
    """Cookie in which the web client keeps the API's token: with it a browser is signed in without typing."""
