"""What an HTML page says: what it loads, what it tells robots, which build made it, and its words."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Literal
from urllib.parse import urljoin, urlsplit

UNSEEN = frozenset({"script", "style", "template", "noscript"})
LOADED = {"stylesheet": "style", "modulepreload": "script"}
SPACE = re.compile(r"\s+")
HASHED = re.compile(r"[.-][0-9A-Za-z_]*[0-9][0-9A-Za-z_]{6,}\.(?:js|mjs|css)$")
"""A file named after its content, which may be cached for ever."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One script or style that a page loads."""

    url: str
    kind: Literal["script", "style"]
    integrity: str = ""

    @property
    def host(self) -> str:
        """Where it lies."""
        return urlsplit(self.url).hostname or ""

    @property
    def path(self) -> str:
        """Its path, with the query."""
        parts = urlsplit(self.url)
        return parts.path + (f"?{parts.query}" if parts.query else "")

    @property
    def is_hashed(self) -> bool:
        """Whether its name changes with its content."""
        return bool(HASHED.search(urlsplit(self.url).path))


@dataclass
class Page:
    """One page as read."""

    assets: list[Asset] = field(default_factory=list)
    robots: str = ""
    build: str = ""
    text: str = ""


def read(html: str, url: str) -> Page:
    """The page; markup that is broken is read as far as it goes."""
    reader = _Reader(url)
    reader.feed(html)
    reader.close()
    reader.page.text = words("".join(reader.pieces))
    return reader.page


def words(text: str) -> str:
    """Text as a person reads it: no soft hyphens, direction marks or odd spaces."""
    plain = text if text.isascii() else unicodedata.normalize("NFKC", text)
    unseen = {ord(each): None for each in set(plain) if unicodedata.category(each) == "Cf"}
    return SPACE.sub(" ", plain.translate(unseen) if unseen else plain).strip()


class _Reader(HTMLParser):
    def __init__(self, url: str) -> None:
        super().__init__(convert_charrefs=True)
        self.url = url
        self.page = Page()
        self.pieces: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in UNSEEN:
            self._unseen += 1
        elif tag in ("p", "div", "br", "li", "td", "h1", "h2", "h3", "footer", "section"):
            self.pieces.append(" ")
        given = {name: value or "" for name, value in attrs}
        match tag:
            case "script" if given.get("src"):
                self._loads(given["src"], "script", given)
            case "link" if given.get("href"):
                for each in given.get("rel", "").lower().split():
                    if each in LOADED:
                        self._loads(given["href"], "style" if LOADED[each] == "style" else "script", given)
            case "meta" if given.get("name", "").lower() == "robots":
                self.page.robots += f",{given.get('content', '').lower()}"
            case "meta" if given.get("name", "").lower() == "build":
                self.page.build = given.get("content", "")
            case "base" if given.get("href"):
                self.url = urljoin(self.url, given["href"])

    def handle_endtag(self, tag: str) -> None:
        if tag in UNSEEN:
            self._unseen = max(self._unseen - 1, 0)

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.pieces.append(data)

    def _loads(self, url: str, kind: Literal["script", "style"], given: dict[str, str]) -> None:
        where = urljoin(self.url, url)
        if where.startswith(("https://", "http://")):
            self.page.assets.append(Asset(where, kind, given.get("integrity", "")))
