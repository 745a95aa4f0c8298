"""The few HTML pages of the rehearsal's brokerage, in the language of the brand that shows them."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from html import escape

from postdeploy.environment import Brand, Web
from rehearsal.canaries import MARK

# ruff: noqa: RUF001 - Greek letters that look like Latin ones are what a Greek page consists of.
WORDS = {
    "en": ("Sign in", "E-mail", "Password", "Those details are not right."),
    "el": ("Σύνδεση", "E-mail", "Κωδικός πρόσβασης", "Τα στοιχεία δεν είναι σωστά."),
    "mt": ("Idħol", "E-mail", "Password", "Id-dettalji mhumiex tajbin."),
    "cy": ("Mewngofnodi", "E-bost", "Cyfrinair", "Nid yw'r manylion hynny'n gywir."),
    "de": ("Anmelden", "E-Mail", "Passwort", "Diese Angaben stimmen nicht."),
    "fr": ("Connexion", "E-mail", "Mot de passe", "Ces informations ne sont pas correctes."),
    "it": ("Accedi", "E-mail", "Password", "I dati non sono corretti."),
    "es": ("Iniciar sesión", "Correo electrónico", "Contraseña", "Los datos no son correctos."),
    "pl": ("Zaloguj się", "E-mail", "Hasło", "Te dane są nieprawidłowe."),
    "zh": ("登入", "電郵", "密碼", "資料不正確。"),
    "ms": ("Log masuk", "E-mel", "Kata laluan", "Butiran itu tidak betul."),
    "ar": ("تسجيل الدخول", "البريد الإلكتروني", "كلمة المرور", "البيانات غير صحيحة."),
    "af": ("Meld aan", "E-pos", "Wagwoord", "Daardie besonderhede is nie reg nie."),
}
RIGHT_TO_LEFT = frozenset({"ar", "he", "fa", "ur"})

PAGE = """<!doctype html>
<html lang="{lang}" dir="{direction}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title} · {brand}</title>
{head}</head>
<body>
<p data-testid="risk-warning">{warning}</p>
<main>
<h1>{title}</h1>
{main}
</main>
<footer><small data-testid="legal-entity">{brand} is a trading name of {legal_entity}. {licence}</small></footer>
</body>
</html>
"""
FORM = f"""{{alert}}<form method="post" action="/login" data-testid="login-form">
<input type="hidden" name="csrfmiddlewaretoken" value="{MARK}-page">
<label>{{username}} <input name="username" type="text" autocomplete="username" required></label>
<label>{{password}} <input name="password" type="password" autocomplete="current-password" required></label>
<button type="submit" data-testid="login-submit">{{title}}</button>
</form>"""
LINK = '<p><a href="/login" data-testid="login-link">{title}</a></p>'


def front_page(brand: Brand, *, locale: str, web: Web, build: str, files: Mapping[str, bytes]) -> str:
    """The brand's front page."""
    title = escape(words_of(locale)[0])
    return _page(brand, locale, escape(brand.name), LINK.format(title=title), web, _head(build, files))


def login_page(
    brand: Brand,
    error: bool = False,
    *,
    locale: str = "",
    web: Web | None = None,
    build: str = "",
    files: Mapping[str, bytes] | None = None,
) -> str:
    """The brand's login form, saying in its own language when the details were refused."""
    locale = locale or brand.locale
    title, username, password, wrong = words_of(locale)
    alert = f'<p role="alert">{escape(wrong)}</p>\n' if error else ""
    form = FORM.format(alert=alert, username=escape(username), password=escape(password), title=escape(title))
    return _page(brand, locale, title, form, web, _head(build, files or {}))


def error_page(brand: Brand) -> str:
    """What there is instead of a page that does not exist."""
    return _page(brand, brand.locale, "404", "<p>There is no such page.</p>", None, "")


def maintenance_page(brand: Brand | None) -> str:
    """What a front proxy shows while the application is away."""
    sentence = "<p>We are carrying out scheduled maintenance and will be back shortly.</p>"
    if brand is None:
        return f"<!doctype html>\n<html lang='en'><title>Maintenance</title><h1>Maintenance</h1>{sentence}</html>\n"
    return _page(brand, brand.locale, "Maintenance", sentence, None, "")


def words_of(locale: str) -> tuple[str, str, str, str]:
    """The form's words in the language of a locale such as `zh-HK` or `en_GB`; English where we have none."""
    return WORDS.get(locale.replace("_", "-").split("-")[0].lower(), WORDS["en"])


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


def _page(brand: Brand, locale: str, title: str, main: str, web: Web | None, head: str) -> str:
    lang = locale.replace("_", "-")
    return PAGE.format(
        lang=escape(lang),
        direction="rtl" if lang.split("-")[0].lower() in RIGHT_TO_LEFT else "ltr",
        title=escape(title),
        brand=escape(brand.name),
        legal_entity=escape(brand.legal_entity),
        licence=escape(web.licence) if web else "",
        warning=escape(web.warning(locale)) if web else "",
        head=head,
        main=main,
    )
