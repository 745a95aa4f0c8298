"""The front end's own files: a style sheet that works in both directions, and the little script that pages need."""

from __future__ import annotations

import hashlib
import random
from functools import cache

STYLE = """
* { box-sizing: border-box }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; color: #1b2733; background: #fff }
[data-testid=risk-warning] { position: sticky; top: 0; z-index: 2; margin: 0; padding: .5rem 1rem; font-size: .85rem;
  background: #fff7e0; border-block-end: 1px solid #d9b44a }
header { display: flex; flex-wrap: wrap; gap: 1rem; align-items: center; padding: .75rem 1rem;
  border-block-end: 1px solid #d5dce3 }
header nav { display: flex; gap: .75rem } header nav:last-of-type { margin-inline-start: auto }
header form { margin: 0 }
main { max-width: 60rem; margin: 0 auto; padding: 1rem } main.long { min-height: 150vh }
label { display: block; margin-block: .75rem } input, select, button { font: inherit; padding: .4rem .6rem }
button { background: #0b5cad; color: #fff; border: 0; border-radius: .25rem; cursor: pointer }
table { border-collapse: collapse; inline-size: 100% } td, th { padding: .35rem .5rem; text-align: start;
  border-block-end: 1px solid #e3e8ee }
[data-testid=price] { font-size: 2rem; font-variant-numeric: tabular-nums }
[data-testid=cookie-banner] { position: fixed; inset-inline: 0; inset-block-end: 0; padding: 1rem; background: #1b2733;
  color: #fff; z-index: 3 } [hidden] { display: none }
footer { padding: 1rem; color: #4b5a69 }
"""
SCRIPT = """
const one = name => document.querySelector(`[data-testid="${name}"]`);
const again = (look, ms) => { const tick = async () => { if (await look()) setTimeout(tick, ms) }; tick() };
const banner = one("cookie-banner");
if (banner && !document.cookie.includes("cookie_consent=")) banner.hidden = false;
banner?.querySelector("button").addEventListener("click", () => {
  document.cookie = "cookie_consent=yes; Path=/; Secure; SameSite=Lax"; banner.hidden = true });
const price = one("price");
if (price) again(async () => {
  const reply = await fetch(price.dataset.live);
  if (!reply.ok) return false;
  const quote = await reply.json();
  price.textContent = quote.bid;
  one("market-closed").hidden = quote.session === "open";
  return true }, 300);
const state = one("deposit-status");
if (state?.dataset.live) again(async () => {
  const reply = await fetch(state.dataset.live);
  const deposit = await reply.json();
  state.dataset.state = deposit.state; state.textContent = deposit.label;
  return deposit.state !== state.dataset.ends }, 150);
const search = document.querySelector("input[type=search]");
search?.addEventListener("input", () => {
  for (const row of document.querySelectorAll("tbody tr"))
    row.hidden = !row.textContent.toLowerCase().includes(search.value.trim().toLowerCase()) });
"""
SOURCES = {"app": SCRIPT, "vendor": "\nvoid 0;\n", "style": STYLE}
"""What each file of a build holds."""
TYPES = {"js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8"}
KINDS = {"app": "js", "vendor": "js", "style": "css"}


def build_of(release: str) -> str:
    """The front-end build of a release."""
    return f"{random.Random(f'build {release}').getrandbits(40):010x}"


@cache
def files_of(release: str) -> dict[str, bytes]:
    """Path to content of each file of a release's build, named after what is in it."""
    found = {}
    for name, kind in KINDS.items():
        text = f"/* {name} of {release} */{SOURCES[name]}"
        found[f"/assets/{name}.{hashlib.sha256(text.encode()).hexdigest()[:10]}.{kind}"] = text.encode()
    return found
