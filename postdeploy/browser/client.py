"""A client of one shop, with a browser: what journeys are written with."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar

from postdeploy.browser.album import Album
from postdeploy.browser.page import BasePage
from postdeploy.browser.troubles import translated
from postdeploy.browser.watching import Watched
from postdeploy.environment import Shop
from postdeploy.evidence import exhibits
from postdeploy.verdict import Unverified

if TYPE_CHECKING:
    from playwright.sync_api import Page

P = TypeVar("P", bound=BasePage)


class Client:
    """One client at one shop: opens pages, and goes step by step."""

    def __init__(self, page: Page, shop: Shop, album: Album, watched: Watched) -> None:
        self.page, self.shop, self.album, self.watched = page, shop, album, watched

    def __repr__(self) -> str:
        return f"<client of {self.shop.name}>"

    @contextmanager
    def step(self, words: str) -> Iterator[None]:
        """One step, in the words of the journey, with a picture of where it led; what fails says where that was."""
        self.watched.step = words
        with exhibits.step(words):
            try:
                yield
            except Exception as error:  # noqa: BLE001  it is raised again, in the terms of a verdict
                where = f"step {words!r} at {self.page.url.partition('?')[0]}; the test's attachments in the report"
                raise translated(error, self.watched.journey, where) from None
            finally:
                self.watched.look(self.page)
            self._picture(words)
            with suppress(Exception):  # a page that is on its way elsewhere is measured another time
                self.watched.experience.look(self.page, self.shop.name)

    def _picture(self, words: str) -> None:
        """The step's picture. Raises Unverified without it: what cannot be proved did not happen, and is not red."""
        try:
            self.album.picture(self.page, words)
        except Exception as error:  # noqa: BLE001  whatever kept it from being taken
            first = str(error).strip().partition("\n")[0]
            claimed = f"{self.watched.journey}: unverified: what step {words!r} claims was so"
            raise Unverified(f"{claimed}, but no picture of it can be taken: {first}") from None

    def open(self, kind: type[P], **parts: str) -> P:
        """Go to a page by its address."""
        self.page.goto(f"/{self.shop.locale}/{kind.path.format_map(parts)}", wait_until="domcontentloaded")
        return self.at(kind)

    def at(self, kind: type[P]) -> P:
        """The page that the client has come to."""
        return kind(self.page, self.shop)

    def speaking(self, locale: str) -> Client:
        """The same client in another language of the brand."""
        return Client(self.page, Shop(self.shop.brand, locale), self.album, self.watched)
