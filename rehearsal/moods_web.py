"""How the web client behaves; a fault or a trap changes it, the defaults are a healthy product."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class WebMood:
    """What the pages do otherwise."""

    refuses_codes: bool = False
    """Whether the page takes no one-time code, however right."""
    logout_keeps: bool = False
    """Whether a client who signed out is still signed in."""
    farewell: bool = False
    """Whether signing out leads by way of a page that says goodbye."""
    lists: bool = True
    """Whether the list of instruments has any."""
    quotes_stand: bool = False
    """Whether the price in the page stays as it was loaded."""
    books: bool = True
    """Whether what a page shows as deposited is."""
    recalls: bool = True
    """Whether the history shows deposits."""
    script: str = ""
    """What a further script of the page with the account does."""
    forgets: bool = False
    """Whether a session is lost on the way to the account."""
