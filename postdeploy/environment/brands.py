"""White labels, and each in its languages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from postdeploy.environment.forms import Host, Locale, Model, Name, Text

RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur"})
"""Languages that are written from right to left."""


class Brand(Model):
    """One white label: a host, its language, and the legal entity a client contracts with."""

    name: Name
    """The key it is written under."""
    host: Host
    """Public host name."""
    locale: Locale
    """Language of its pages; left out: the environment's."""
    legal_entity: Text
    """Company a client contracts with; left out: the environment's."""
    locales: tuple[Locale, ...] = ()
    """Further languages of its pages."""
    aliases: tuple[Host, ...] = ()
    """Hosts it had before, which must lead to its host."""

    @property
    def languages(self) -> tuple[str, ...]:
        """Every language of its pages, its own first."""
        return tuple(dict.fromkeys((self.locale, *self.locales)))


@dataclass(frozen=True, slots=True)
class Shop:
    """One brand in one of its languages, as a client meets it."""

    brand: Brand
    locale: str

    @property
    def name(self) -> str:
        """How reports call it: host and language."""
        return f"{self.brand.host} {self.locale}"

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """In which direction its language is written."""
        return "rtl" if self.locale.partition("-")[0] in RIGHT_TO_LEFT else "ltr"

    @property
    def other(self) -> str:
        """The next language of the brand; its own where it has no other."""
        languages = self.brand.languages
        return languages[(languages.index(self.locale) + 1) % len(languages)]
