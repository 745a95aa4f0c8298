"""Claims about the logs since the rollout: nothing critical, nothing new, few errors, nobody silent, all of it read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from postdeploy.cluster.logs.groups import Group, Novelty, grouped
from postdeploy.cluster.logs.seen import PREVIOUS, Example, Logs, Reading
from postdeploy.cluster.logs.suppressed import Sorted, sort
from postdeploy.cluster.ruling import Ruling, degraded, failed, not_applicable, passed, unverified
from postdeploy.environment import WORKLOAD_KINDS, Component, Environment
from postdeploy.verdict import Judgement, State

SHOWN = 4
LINES = 12
"""Lines of one record that a message quotes; the whole is in the observation."""
COVERAGE = "The verifier's own access, or a log that its node has thrown away; it says nothing about the product."
CRITICAL = "The release, or what it depends on: the record says it; a first traceback above it often says why."


class LogClaims:
    """What the logs of one environment say of each component."""

    def __init__(self, logs: Logs, environment: Environment, release: str) -> None:
        self._logs = logs
        self._environment = environment
        self._novelty = Novelty(logs)
        self._readings: dict[str, list[Reading]] = {}
        for each in logs.readings:
            self._readings.setdefault(each.component, []).append(each)
        self._sorted: dict[str, Sorted] = {}

    def critical(self, component: Component) -> Judgement:
        """No critical, fatal or always-fatal record, of whatever container and instance."""
        bad = [each for each in self._of(component).open if each.finding.is_critical]
        ruling = failed(self._told(component, bad), CRITICAL) if bad else self._seen(component)
        return self._judge(component, "wrote nothing critical since the rollout", ruling, bad)

    def tracebacks(self, component: Component) -> Judgement:
        """No traceback that was not there before, in an error record or without one."""
        traced = [each for each in self._of(component).open if each.finding.exception]
        bad = [each for each in traced if not self._novelty.is_known(component.name, each)]
        ruling = failed(self._told(component, bad), CRITICAL) if bad else self._seen(component)
        if traced and not bad and ruling.state is State.PASSED:
            ruling = passed(f"{len(traced)} that were there before: {self._told(component, traced)}")
        return self._judge(component, "raised no traceback since the rollout", ruling, bad)

    def errors(self, component: Component) -> Judgement:
        """No more error records a minute than declared."""
        found, limit = self._of(component).open, self._environment.logs.rate(component.name)
        count = sum(each.count for each in found)
        rate = count / self._logs.minutes
        text = f"{count} error records in {self._logs.minutes:.1f} minutes, {rate:.1f} a minute"
        ruling = self._seen(component)
        if rate > limit.hard:
            ruling = failed(f"{text}, more than {limit.hard:g} (logs.errors_per_minute.hard)", CRITICAL)
        elif rate > limit.soft and ruling.state is State.PASSED:
            ruling = degraded(f"{text}, more than {limit.soft:g} (logs.errors_per_minute.soft)", CRITICAL)
        elif ruling.state is State.PASSED:
            ruling = passed(f"{text}; {ruling.seen}")
        return self._judge(component, f"wrote at most {limit.hard:g} errors a minute", ruling, found)

    def new(self, component: Component) -> Judgement:
        """No error that was neither there before the rollout nor in the last green runs."""
        found = [each for each in self._of(component).open if not each.finding.sampled]
        unread = sum(each.count for each in self._of(component).open if each.finding.sampled)
        fresh = [each for each in found if not self._novelty.is_known(component.name, each)]
        often = [(each, more) for each in found if (more := self._novelty.is_frequent(component.name, each))]
        ruling, baseline = self._seen(component), self._novelty.baseline(component.name)
        if fresh and baseline:
            text = f"{self._told(component, fresh)}; absent in {baseline}"
            ruling = failed(text, "The release brought it, or something changed together with the release.")
        elif fresh:
            text = f"{self._told(component, fresh)}, and nothing to compare with"
            cause = "Nothing shows the time before the rollout, and there is no earlier green run: declare a backend."
            ruling = unverified(text, cause)
        elif unread and ruling.state is State.PASSED:
            text = f"{unread} error records were counted and not read; of those that were none is new"
            ruling = unverified(text, "A flood of errors hides what is new: end it, or look through it by hand.")
        elif often and ruling.state is State.PASSED:
            text = "; ".join(f"{each}: {more}" for each, more in often[:SHOWN])
            ruling = degraded(f"unusually frequent: {text}", "A known error that the release makes more of.")
        elif found and ruling.state is State.PASSED:
            ruling = passed(f"{len(found)} known from {baseline}: {self._told(component, found)}")
        return self._judge(component, "wrote no error that was not there before", ruling, fresh)

    def silence(self, component: Component) -> Judgement:
        """Every container started since the rollout said something, and its ready line where one is declared."""
        started = [each for each in self._release(component) if each.born and not each.previous and not each.gaps]
        quiet = {component.name, *(e.container for e in started)}.intersection(self._environment.logs.may_be_silent)
        mute = [e for e in started if not e.size and e.container not in quiet and component.name not in quiet]
        ruling = self._seen(component)
        missing = self._not_ready(component, started, {each.pod for each in mute})
        text = self._environment.logs.ready.get(component.name, "")
        if missing and ruling.state is not State.UNVERIFIED:
            ruling = failed(
                f"no line with {text!r} from {_names(missing)}",
                "It runs, and never came to the end of its start; or its words have changed (logs.ready).",
            )
        elif mute and ruling.state is State.PASSED:
            ruling = unverified(
                f"not a line from {_names(each.name for each in mute)}",
                "It logs to a file, buffers its output, or hangs before its first line: silence proves nothing.",
            )
        elif ruling.state is State.PASSED:
            ready = ", and each said that it is ready" if text else ""
            ruling = passed(f"{len(started)} containers started since the rollout, none silent{ready}")
        return self._judge(component, "let every container be heard", ruling, ())

    def coverage(self, component: Component) -> Judgement:
        """All that its containers wrote since the rollout was read."""
        ruling = self._seen(component)
        if ruling.state is State.PASSED:
            notes = [f"{e.name}: {note}" for e in self._release(component) for note in e.notes]
            ruling = passed("; ".join([ruling.seen, *notes[:SHOWN]]))
        return self._judge(component, "was read in full since the rollout", ruling, ())

    def _release(self, component: Component) -> list[Reading]:
        return [each for each in self._readings.get(component.name, ()) if each.bucket == "release"]

    def _of(self, component: Component) -> Sorted:
        """What a component's containers wrote that counts, without what is accepted; worked out once."""
        if component.name not in self._sorted:
            groups = grouped(self._release(component))
            accepted, long = self._environment.log_suppressions, self._environment.logs.green_runs
            self._sorted[component.name] = sort(groups, accepted, component.name, self._logs, long)
        return self._sorted[component.name]

    def _seen(self, component: Component) -> Ruling:
        """What the absence of a finding is worth: everything was read, or something was not."""
        readings = self._release(component)
        gaps = [f"{each.name}: {gap}" for each in readings for gap in each.gaps]
        gaps += [each.reason for each in self._logs.blind if each.component == component.name]
        gaps += self._logs.unread
        if gaps:
            more = f" and {len(gaps) - SHOWN} more" if len(gaps) > SHOWN else ""
            return unverified(f"not all was read: {'; '.join(gaps[:SHOWN])}{more}", COVERAGE)
        if not readings and component.kind in WORKLOAD_KINDS and not component.may_be_zero:
            return unverified(
                "none of its containers was there to be read", "It has no pods: the other claims say why."
            )
        if not readings:
            return not_applicable("nothing of it ran since the rollout")
        size = sum(each.size for each in readings)
        sources = "/".join(sorted({each.source for each in readings}))
        since = f"since {self._logs.began:%Y-%m-%d %H:%M:%S} UTC ({self._logs.anchor})"
        return passed(f"{size / 1e3:.1f} kB of {len(readings)} containers ({sources}) {since}")

    def _not_ready(self, component: Component, started: Iterable[Reading], mute: set[str]) -> list[str]:
        """Pods of which no container said its ready line; where one said nothing at all, that is the finding."""
        said: dict[str, bool] = {}
        for each in started:
            if each.ready is not None and each.pod not in mute:
                said[each.pod] = said.get(each.pod, False) or each.ready
        return sorted(pod for pod, is_ready in said.items() if not is_ready)

    def _told(self, component: Component, groups: list[Group]) -> str:
        more = f"; and {len(groups) - SHOWN} more" if len(groups) > SHOWN else ""
        known = "" if not groups else self._before(component, groups[0])
        return "; ".join(map(str, groups[:SHOWN])) + more + known

    def _before(self, component: Component, group: Group) -> str:
        """That the gravest finding is an old acquaintance is for the reader to know."""
        is_old = group.finding.is_critical and self._novelty.is_known(component.name, group)
        return "; the first of them was there before the release too" if is_old else ""

    def _judge(self, component: Component, claim: str, ruling: Ruling, groups: Sequence[Group]) -> Judgement:
        title = f"{component.kind} {component.namespace}/{component.name}"
        seen = "; ".join([ruling.seen, *self._footnotes(component)])
        where = ""
        if ruling.state not in (State.PASSED, State.NOT_APPLICABLE):
            since = f"--since-time={self._logs.began:%Y-%m-%dT%H:%M:%SZ}"
            label = f"-l app.kubernetes.io/name={component.name}"
            where = f"kubectl logs -n {component.namespace} {label} --all-containers --tail=-1 {since}"
            where = "\n".join([where, *_before_restart(component, groups), *self._quoted(component, groups)])
        return Judgement(ruling.state, f"{title} {claim}", seen, where, ruling.cause)

    def _footnotes(self, component: Component) -> list[str]:
        old = grouped(each for each in self._readings.get(component.name, ()) if each.bucket == "old")
        count = sum(each.count for each in old)
        notes = [f"{count} error records of old pods while they shut down, which do not count"] if count else []
        return [*notes, *self._of(component).notes]

    def _quoted(self, component: Component, groups: Sequence[Group]) -> Iterable[str]:
        for group in groups[:2]:
            for example in self._evidence.get((component.name, group.finding.id), ())[:1]:
                yield f"{example.source}:"
                yield from _shortened(example)

    @cached_property
    def _evidence(self) -> dict[tuple[str, str], tuple[Example, ...]]:
        return {(each.component, each.id): each.examples for each in self._logs.evidence}


def _before_restart(component: Component, groups: Sequence[Group]) -> Iterator[str]:
    """What shows records of an instance that is gone: the command for all containers shows the present ones only."""
    gone = {place.removesuffix(PREVIOUS) for each in groups for place in each.places if place.endswith(PREVIOUS)}
    for place in sorted(gone)[:2]:
        pod, _, container = place.partition("/")
        yield f"kubectl logs -n {component.namespace} {pod} -c {container} --previous"


def _shortened(example: Example) -> Iterable[str]:
    lines = example.lines
    if len(lines) > LINES:
        lines = (*lines[:3], f"… {len(lines) - LINES + 1} lines …", *lines[-(LINES - 4) :])
    return (f"  {each[:300]}" for each in lines)


def _names(names: Iterable[str]) -> str:
    found = sorted(names)
    return ", ".join(found[:SHOWN]) + (f" and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
