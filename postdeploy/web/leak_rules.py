"""What must not be told to anybody who asks: repositories, settings, source maps, stack traces, versions of servers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from postdeploy.verdict import Judgement, State
from postdeploy.web.findings import Finding, concluded, failed, not_to_judge, soft
from postdeploy.web.replies import Fault, Reply
from postdeploy.web.seen import Seen

TELLTALES: dict[str, re.Pattern[str]] = {
    "/.git/config": re.compile(r"^\s*\[(?:core|remote)", re.MULTILINE),
    "/.env": re.compile(r"^[A-Z][A-Z0-9_]+=(?=\S)", re.MULTILINE),
    "/actuator/env": re.compile(r'"(?:propertySources|activeProfiles)"'),
    "/server-status": re.compile(r"Apache Server Status|Active connections:"),
    "/debug/vars": re.compile(r'"(?:cmdline|memstats)"'),
}
"""What each path says where it tells too much; any other answer, even 200, is a page like any other."""
SOURCE_MAP = re.compile(r'"mappings"\s*:|"sourcesContent"\s*:')
TRACES = re.compile(
    r"Traceback \(most recent call last\)|You(?:'|&#x27;|&#39;)re seeing this error because you have <code>DEBUG"
    r"|^\s+at [\w.$]+\([\w.]+\.java:\d+\)|django\.core\.exceptions|Werkzeug Debugger|psycopg2?\.\w*Error"
    r"|\bORA-\d{5}\b|SQLSTATE\[|Whoops, looks like something went wrong",
    re.MULTILINE,
)
VERSIONS = re.compile(r"/\d+\.\d+")
LEAK_CAUSE = "a debug setting or a file of the build was deployed, or a route that was meant for inside"
BANNER_CAUSE = "server_tokens or its kin is on: harmless in itself, and a list of what to attack"


def none(seen: Seen, host: str) -> Judgement:
    """Nothing that the host answers tells a stranger what is inside."""
    claim = f"{host} tells strangers nothing of its inside"
    asked = [each for each in seen.asked(host) if each.probe not in ("preflight", "version")]
    if not asked:
        return Judgement(State.UNVERIFIED, claim, f"nothing was asked of {host}", "", "the sweep was cut short")
    found = [each for reply in asked for each in _leak(seen, reply)]
    banners: dict[str, Finding] = {each.seen: each for reply in asked for each in _banner(reply)}
    probes = len(seen.asked(host, "leak"))
    return concluded(claim, [*found, *banners.values()], f"{probes} paths asked that have told too much elsewhere")


def _leak(seen: Seen, reply: Reply) -> Iterator[Finding]:
    if reply.probe == "leak":
        # A firewall that hangs up on such a path has told nothing.
        if reply.fault not in (None, Fault.CUT_OFF):
            missing = not_to_judge(reply, seen, reply.path)
            yield from [missing] if missing else []
        elif reply.status == 200 and reply.media != "text/html" and telltale(reply.path, reply.body):
            yield failed(reply, f"{reply.path} is open to everybody", LEAK_CAUSE)
    elif match := TRACES.search(reply.body):
        said = " ".join(reply.body[match.start() : match.start() + 80].split())
        yield failed(reply, f"{reply.path} ({reply.status}) shows a trace of the code: {said!r}", LEAK_CAUSE)


def telltale(path: str, body: str) -> str:
    """The words by which an answer gives itself away, and nothing behind them: that much of it is kept."""
    pattern = SOURCE_MAP if path.endswith(".map") else TELLTALES.get(path)
    match = pattern.search(body) if pattern else None
    return f"{match[0]}…" if match else ""


def _banner(reply: Reply) -> Iterator[Finding]:
    for name in ("server", "x-powered-by", "x-aspnet-version"):
        value = reply.headers.get(name, "")
        if VERSIONS.search(value) or (value and name == "x-aspnet-version"):
            yield soft(reply, f"{name}: {value}", BANNER_CAUSE)
