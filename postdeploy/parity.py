"""The same release everywhere: claims over several environments' saved observations, pure, outliers named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from postdeploy.environment import Environment
from postdeploy.evidence.catalogue import Check
from postdeploy.evidence.plan import Planned
from postdeploy.evidence.results import Attempt, Result, result_of
from postdeploy.readings import IMAGE_ID, Reading, Seen, flux_objects, release_parts
from postdeploy.verdict import Judgement, State, Verdict

TIER = "parity"
LAG_S = 3600.0
"""Between the first environment and the last: what a release in waves takes, beyond which one is forgotten."""
GROUPS = "crm/crm-script"
SHOWN = 19
"""Characters of a digest in a line; all of it is in the lines below."""


def _check(name: str, title: str, over: str, *controls: str) -> Check:
    return Check(f"{TIER}.{name}", title, TIER, over, "release", controls, "postdeploy/parity.py", "judge")


CHECKS = (
    _check("flux.lag", "Flux brought the same revision to every environment within an hour.", "flux", "RTS-17.1"),
    _check("images.digest", "One image of the release is the same bits in every environment.", "image", "SOX-ITGC-CM"),
    _check("lockstep.skew", "crm and crm-script carry one tag in every environment.", "group", "DORA-9.4e"),
    _check("release.tag", "The component carries the same tag in every environment.", "component", "DORA-9.4e"),
)
"""Every check over several environments; the catalogue holds those of one."""
CAUSES = {
    "parity.flux.lag": "Flux of the outlier is suspended, stalled or behind, or its environment waits for approval.",
    "parity.images.digest": "The tag was pushed again between two deliveries, or a registry's mirror is stale: what "
    "was tested in one jurisdiction is not what runs in another.",
    "parity.lockstep.skew": "One half of the release was delivered and the other was not.",
    "parity.release.tag": "The release has not reached the outlier, or it was rolled back there.",
}
Read = Callable[[Seen], Reading | None]


@dataclass(frozen=True)
class Finding:
    """One claim over all environments."""

    planned: Planned
    judgement: Judgement
    outliers: Mapping[str, str]
    """Environment to what it has instead; empty where all agree."""
    most: str
    """What most environments have; empty without a majority."""

    @property
    def verdict(self) -> Verdict:
        """The judgement as a result states it; nothing here can still converge."""
        return Verdict(self.judgement.state)


def plan(environments: Sequence[Environment]) -> tuple[Planned, ...]:
    """Every claim over these environments; not applicable where fewer than two of them declare its subject."""
    return tuple(
        Planned(each.id, subject, each.title, TIER, each.owner, each.controls, applicable=count > 1)
        for each in CHECKS
        for subject, count in sorted(_subjects(each.id, environments).items())
    )


def _subjects(check: str, environments: Iterable[Environment]) -> Counter[str]:
    """Each subject, with in how many environments it is declared."""
    return Counter(name for each in environments for name in dict.fromkeys(_of_one(check, each)))


def _of_one(check: str, environment: Environment) -> Iterator[str]:
    match check:
        case "parity.release.tag":
            yield from (each.name for each in release_parts(environment) if each.kind != "Job")
        case "parity.images.digest":
            yield from (each.image for each in release_parts(environment))
        case "parity.lockstep.skew":
            yield GROUPS
        case _:
            yield from (f"{kind}/{name}" for kind, name in flux_objects(environment))


def judge(planned: Iterable[Planned], seen: Sequence[Seen]) -> tuple[Finding, ...]:
    """A finding for each planned claim."""
    return tuple(_judge(each, seen) for each in planned)


def _judge(planned: Planned, seen: Sequence[Seen]) -> Finding:
    read = _reader(planned)
    readings = {each.name: found for each in seen if (found := read(each)) is not None}
    told = {name: each for name, each in readings.items() if not each.blind}
    most = _majority(each.value for each in told.values())
    outliers = {name: each.value for name, each in told.items() if each.value != most or each.wrong}
    state, text = _state(planned.id, readings, told, most, outliers)
    where = "\n".join(f"{name}: {each.blind or each.value}{_dated(each)}" for name, each in readings.items())
    quiet = state in (State.PASSED, State.NOT_APPLICABLE)
    claim = f"{planned.subject} is the same in {', '.join(readings or [each.name for each in seen])}"
    cause = "" if quiet else CAUSES[planned.id]
    return Finding(planned, Judgement(state, claim, text, "" if quiet else where, cause), outliers, most)


def _reader(planned: Planned) -> Read:
    match planned.id:
        case "parity.release.tag":
            return lambda seen: seen.tag(planned.subject)
        case "parity.images.digest":
            return lambda seen: seen.digest(planned.subject)
        case "parity.lockstep.skew":
            return lambda seen: seen.skew()
        case _:
            kind, _, name = planned.subject.partition("/")
            return lambda seen: seen.revision(kind, name)


def _state(
    check: str, readings: Mapping[str, Reading], told: Mapping[str, Reading], most: str, outliers: Mapping[str, str]
) -> tuple[State, str]:
    """What was seen decides first: a contradiction stands although another environment could not be read."""
    if outliers and not _incomparable({each.value for each in told.values()}):
        return State.FAILED, _outlying(len(told), most, outliers)
    if outliers:
        return State.UNVERIFIED, f"some report a manifest's digest, others an image id: {_named(outliers)} differ"
    if blind := [name for name in readings if name not in told]:
        return State.UNVERIFIED, f"nothing is known of {', '.join(blind)}: {readings[blind[0]].blind}"
    if len(told) < 2:
        return State.NOT_APPLICABLE, "fewer than two environments have it now"
    dates = {name: each.since for name, each in told.items() if each.since is not None}
    if check != "parity.flux.lag" or len(dates) < 2:
        return State.PASSED, f"{len(told)} environments: {_short(most)}"
    return _lag(dates, most)


def _lag(dates: Mapping[str, datetime], most: str) -> tuple[State, str]:
    first, last = min(dates, key=lambda name: dates[name]), max(dates, key=lambda name: dates[name])
    lag = (dates[last] - dates[first]).total_seconds()
    said = f"{_short(most)} came to all within {lag:.0f} s: to {first} first, to {last} last"
    return (State.DEGRADED, f"{said}, more than {LAG_S:.0f} s") if lag > LAG_S else (State.PASSED, said)


def _majority(values: Iterable[str]) -> str:
    """The value that more environments have than any other, or none."""
    ranked = Counter(values).most_common(2)
    return ranked[0][0] if ranked and (len(ranked) == 1 or ranked[0][1] > ranked[1][1]) else ""


def _outlying(told: int, most: str, outliers: Mapping[str, str]) -> str:
    agreed = f"{told - len(outliers) or 'none'} of {told} have it right: {_short(most)}" if most else "no majority"
    return f"{agreed}; {_named(outliers)}"


def _named(outliers: Mapping[str, str]) -> str:
    return "; ".join(f"{name}: {_short(value)}" for name, value in outliers.items())


def _incomparable(values: set[str]) -> bool:
    """Whether two container runtimes tell of one build: one manifest's digest, and one image id."""
    ids = {each for each in values if each.startswith(IMAGE_ID)}
    return len(ids) == 1 and len(values - ids) == 1 and " + " not in "".join(values)


def _short(value: str) -> str:
    """A value with its digests cut short."""
    parts = (f"{each[:SHOWN]}…" if each.startswith("sha256:") else each for each in value.split(" "))
    return " ".join(parts)


def _dated(reading: Reading) -> str:
    return f" since {reading.since.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC" if reading.since else ""


def results(findings: Iterable[Finding], started: datetime) -> tuple[Result, ...]:
    """The findings as the record keeps them."""
    return tuple(_result(each, started) for each in findings)


def _result(finding: Finding, started: datetime) -> Result:
    judgement, verdict = finding.judgement, finding.verdict
    message = "" if verdict is Verdict.PASSED else judgement.why
    attempts = (Attempt(started, 0.0, verdict, judgement.seen),)
    return result_of(finding.planned, verdict, message, started=started, attempts=attempts)


def table(findings: Sequence[Finding]) -> str:
    """Outliers only, beside what most environments have; one line where there is none."""
    tally = Counter(str(each.verdict) for each in findings)
    counted = f"parity: {len(findings)} claims: " + ", ".join(f"{count} {verdict}" for verdict, count in tally.items())
    loud = [each for each in findings if each.verdict not in (Verdict.PASSED, Verdict.NOT_APPLICABLE)]
    if not loud:
        return counted
    head = ("parity", "subject", "verdict", "most have", "outliers")
    rows = [head, *(_row(each) for each in loud)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(head) - 1)]
    lines = [
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]) for row in rows
    ]
    return "\n".join([*(line.rstrip() for line in lines), counted])


def _row(finding: Finding) -> tuple[str, ...]:
    planned, said = finding.planned, _named(finding.outliers) or finding.judgement.seen
    return planned.id, planned.subject, str(finding.verdict), _short(finding.most), said
