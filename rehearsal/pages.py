"""The HTML of the rehearsal's web client: one frame for every page, in the language of the brand that shows it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import escape

from postdeploy.environment import Brand, Web, labels
from rehearsal.canaries import MARK

RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur"})

PAGE = """<!doctype html>
<html lang="{lang}" dir="{direction}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title} · {brand}</title>
{head}</head>
<body>
<p data-testid="risk-warning">{warning}</p>
<header>{header}</header>
<main{long}>
<h1>{title}</h1>
{main}
</main>
<footer><a href="/{lang}/legal/risk">{risk}</a> · <a href="/{lang}/legal/terms">{terms}</a>
<small data-testid="legal-entity">{brand} is a trading name of {legal_entity}. {licence}</small></footer>
<div data-testid="cookie-banner" role="region" aria-label="Cookies" hidden><button type="button">{accept}</button></div>
</body>
</html>
"""
FORM = f"""{{alert}}<form method="post" action="/{{locale}}/login" data-testid="login-form">
<input type="hidden" name="csrfmiddlewaretoken" value="{MARK}-page">
<label>{{username}} <input name="username" type="text" autocomplete="username" required></label>
<label>{{password}} <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit" data-testid="login-submit">{{sign_in}}</button>
</form>"""
CODE = """{alert}<form method="post" action="/{locale}/login/code" data-testid="code-form">
<input type="hidden" name="challenge" value="{challenge}">
<label>{code} <input name="otp" type="text" inputmode="numeric" autocomplete="one-time-code" required></label>
<button type="submit">{confirm}</button>
</form>"""
MENU = """<nav data-testid="menu">
<a href="/{locale}/account">{account}</a><a href="/{locale}/instruments">{instruments}</a>
<a href="/{locale}/deposit">{deposit}</a><a href="/{locale}/history">{history}</a></nav>
<form method="post" action="/{locale}/logout"><button type="submit">{sign_out}</button></form>"""


@dataclass(frozen=True)
class Setting:
    """Where a page is shown: whose, in which language, by which build."""

    brand: Brand
    locale: str
    web: Web | None = None
    build: str = ""
    files: Mapping[str, bytes] = field(default_factory=dict)
    path: str = ""
    """What follows the locale in its address, so that the other languages lead to the same page."""
    signed_in: bool = False

    def fill(self, form: str, **values: str) -> str:
        """A form with the words of this language and these values, all of them escaped."""
        words = {**labels(self.locale), "locale": self.locale, **values}
        return form.format_map(
            {name: escape(str(each)) for name, each in words.items()} | {"alert": self._alert(values)}
        )

    def page(self, title: str, main: str, *, long: bool = False) -> str:
        """A whole page."""
        brand, words = self.brand, labels(self.locale)
        return PAGE.format(
            lang=escape(self.locale),
            direction="rtl" if self.locale.split("-")[0].lower() in RIGHT_TO_LEFT else "ltr",
            title=escape(title),
            brand=escape(brand.name),
            legal_entity=escape(brand.legal_entity),
            licence=escape(self.web.licence) if self.web else "",
            warning=escape(self.web.warning(self.locale)) if self.web else "",
            head=_head(self.build, self.files),
            header=self._header(),
            main=main,
            long=' class="long"' if long else "",
            **{name: escape(words[name]) for name in ("risk", "terms", "accept")},
        )

    def _header(self) -> str:
        name, words = escape(self.brand.name), labels(self.locale)
        logo = f'<img data-testid="logo" src="/assets/logo-{name}.svg" alt="{name}" width="160" height="32">'
        others = "".join(
            f'<a href="/{each}/{self.path}" hreflang="{each}" lang="{each}">{each}</a>' for each in self.brand.languages
        )
        languages = f'<nav aria-label="{escape(words["language"])}" data-testid="languages">{others}</nav>'
        menu = self.fill(MENU) if self.signed_in else ""
        return f'<a href="/{self.locale}/">{logo}</a>{menu}{languages if len(self.brand.languages) > 1 else ""}'

    @staticmethod
    def _alert(values: Mapping[str, str]) -> str:
        return f'<p role="alert">{escape(values["wrong"])}</p>\n' if values.get("wrong") else ""


def front_page(setting: Setting) -> str:
    """The brand's front page."""
    link = '<p><a href="/{locale}/login" data-testid="login-link">{sign_in}</a></p>'
    return setting.page(setting.brand.name, setting.fill(link))


def login_page(setting: Setting, *, refused: bool = False) -> str:
    """The login form, saying in its own language when the details were refused."""
    words = labels(setting.locale)
    return setting.page(words["sign_in"], setting.fill(FORM, **_wrong(words, refused=refused)))


def code_page(setting: Setting, challenge: str, *, refused: bool = False) -> str:
    """The second step of a login."""
    words = labels(setting.locale)
    return setting.page(words["code"], setting.fill(CODE, challenge=challenge, **_wrong(words, refused=refused)))


def error_page(brand: Brand) -> str:
    """What there is instead of a page that does not exist."""
    return Setting(brand, brand.locale).page("404", "<p>There is no such page.</p>")


def maintenance_page(brand: Brand | None) -> str:
    """What a front proxy shows while the application is away."""
    sentence = "<p>We are carrying out scheduled maintenance and will be back shortly.</p>"
    if brand is None:
        return f"<!doctype html>\n<html lang='en'><title>Maintenance</title><h1>Maintenance</h1>{sentence}</html>\n"
    return Setting(brand, brand.locale).page("Maintenance", sentence)


def _wrong(words: Mapping[str, str], *, refused: bool) -> dict[str, str]:
    return {"wrong": words["wrong"]} if refused else {}


def _head(build: str, files: Mapping[str, bytes]) -> str:
    """What makes the browser load the build's files, and refuse any that is not the build's."""
    lines = [f'<meta name="build" content="{build}">'] if build else []
    for path, content in files.items():
        digest = f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"
        if path.endswith(".css"):
            lines.append(f'<link rel="stylesheet" href="{path}" integrity="{digest}">')
        else:
            lines.append(f'<script defer src="{path}" integrity="{digest}"></script>')
    return "".join(f"{each}\n" for each in lines)
