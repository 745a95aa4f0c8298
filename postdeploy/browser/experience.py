"""How a page is to be used: how soon it shows something, and whom it keeps out; measured once for each page."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from postdeploy.browser.asking import ask

if TYPE_CHECKING:
    from playwright.sync_api import Page

MEASURE = """async () => {
  const entries = type => new Promise(done => {
    const observer = new PerformanceObserver(list => done(list.getEntries()));
    try { observer.observe({type, buffered: true}) } catch { done([]) }
    setTimeout(() => done([]), 50) });
  const [navigation] = performance.getEntriesByType("navigation");
  const paints = await entries("largest-contentful-paint");
  return {ttfb_ms: navigation ? navigation.responseStart : 0, lcp_ms: paints.length ? paints.at(-1).startTime : 0} }"""
EXAMINE = """async () => (await axe.run(document, {resultTypes: ["violations"],
  runOnly: {type: "tag", values: ["wcag2a", "wcag2aa"]}})).violations
  .map(each => ({rule: each.id, impact: each.impact, help: each.help, where: each.nodes[0].target.join(" ")}))"""
GRAVE = ("serious", "critical")


@dataclass(frozen=True)
class Vitals:
    """How soon one page came. How still it stands is not asked: what a script types counts as the page's own doing."""

    page: str
    ttfb_ms: float
    """To the first byte of its answer."""
    lcp_ms: float
    """To its largest piece of content; 0 where the browser did not say."""


@dataclass
class Experience:
    """All pages that were measured in a run, each once for a shop, and examined, each once."""

    vitals: dict[tuple[str, str], Vitals] = field(default_factory=dict)
    """By shop and page."""
    barriers: dict[str, list[str]] = field(default_factory=dict)
    """By page what keeps people out."""

    def look(self, page: Page, shop: str) -> None:
        """Measure and examine a page that was not yet. Raises what Playwright raises."""
        url = urlsplit(page.url)
        name = "/" + url.path.lstrip("/").partition("/")[2]
        if url.scheme == "https" and (shop, name) not in self.vitals:
            self.vitals[shop, name] = Vitals(f"{url.hostname}{url.path}", **ask(page, MEASURE))
        if url.scheme == "https" and name not in self.barriers:
            ask(page, _axe())  # by the debugger, for a strict content security policy would block a script tag
            found: list[dict[str, Any]] = ask(page, EXAMINE)
            grave = [each for each in found if each["impact"] in GRAVE]
            self.barriers[name] = [f"{name}: {each['help']} ({each['rule']}, {each['where']})" for each in grave]


@cache
def _axe() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
