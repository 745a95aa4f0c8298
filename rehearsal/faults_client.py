"""Faults of the web client: signing in and out."""

from __future__ import annotations

from rehearsal.entry import fault
from rehearsal.scene import Scene


@fault("journeys.signin.opened")
def web_code_refused(scene: Scene) -> None:
    """The page takes no one-time code, while the API takes each."""
    scene.brokerage.web.refuses_codes = True


@fault("journeys.signout.ended")
def web_logout_keeps(scene: Scene) -> None:
    """Signing out leads to the front page and ends nothing."""
    scene.brokerage.web.logout_keeps = True
