"""How warnings are read: which are fatal, which are noise of a rollout, and which say the same thing."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import Enum
from functools import lru_cache

from postdeploy.cluster.events import HARMLESS, START_UP_FAILURES
from postdeploy.cluster.objects import Event, Pod

PATIENCE = timedelta(minutes=2)
"""How long a mount, a sandbox or a metric may fail before it is more than a slow start."""
SETTLING = timedelta(minutes=1)
"""A probe that failed for the last time this soon after its pod was ready tells of a start."""
PERIOD_S = 10
"""How often a probe is made where nobody says."""

STARTING = frozenset(
    {
        *("FailedCreate", "FailedScheduling", "FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox"),
        *("Failed", "ErrImagePull", "ErrImageNeverPull", "InspectFailed", "NetworkNotReady", "FailedBinding"),
        *("ProvisioningFailed", "ProgressDeadlineExceeded", "FailedGetScale", "FailedRescale", "FailedUpdateScale"),
        *("VolumeResizeFailed", "FileSystemResizeFailed"),
    }
)
BREAKING = frozenset(
    {
        *("BackOff", "OOMKilling", "SystemOOM", "Evicted", "Preempted", "FailedPreStopHook", "FailedPostStartHook"),
        *("BackoffLimitExceeded", "DeadlineExceeded", "HealthCheckFailed", "ReconciliationFailed", "FailedKillPod"),
    }
)
SLOW = frozenset({"FailedMount", "FailedAttachVolume", "FailedCreatePodSandBox", "NetworkNotReady"})
METRICS = frozenset({"FailedGetResourceMetric", "FailedComputeMetricsReplicas", "FailedGetPodsMetric"})
DRAINING = frozenset({"NodeNotReady", "TaintManagerEviction"})
NODE_TROUBLE = frozenset(
    {
        *("SystemOOM", "OOMKilling", "EvictionThresholdMet", "FreeDiskSpaceFailed", "Rebooted", "NodeHasDiskPressure"),
        *("NodeHasInsufficientMemory", "NodeHasInsufficientPID", "KernelOops", "TaskHung", "FilesystemIsReadOnly"),
    }
)
"""What a node, or its problem detector, says of itself when it also harms what runs on it."""
LIVENESS = re.compile(r"^liveness probe", re.IGNORECASE)

VARIABLE = re.compile(
    r"(?P<uid>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})"
    r"|(?P<address>\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b)"
    r"|(?P<digest>sha000:[0-9a-f]{12,})"
    r"|(?P<pod>\b[a-z0-9][a-z0-9-]*-[a-z0-9]{8,10}-[a-z0-9]{5}\b)"
    r"|(?P<n>\b\d[\d.]*(?:(?:ms|[smh]|[KMG]i)[\d.]*)*\b)"
)
"""What differs between two warnings that mean the same; their digits are all 0 by then."""
ZEROS = str.maketrans("123456789", "0" * 9)
REMEMBERED = 4096


class Weight(Enum):
    """What one warning is worth."""

    BREAKING = "breaking"
    """Fatal; and where its object is well by now, something did break on the way."""
    STARTING = "starting"
    """Fatal while its object is not well; once it is, the warning only tells how it came to be."""
    UNKNOWN = "unknown"
    BENIGN = "benign"


def weigh(event: Event, pod: Pod | None, began: datetime | None) -> Weight:
    """The weight of a warning about an object; `pod` is that object where it is one."""
    if event.reason in HARMLESS or event.reason in DRAINING:
        return Weight.BENIGN
    if event.reason == "Unhealthy":
        return _unhealthy(event, pod)
    if event.reason in METRICS:
        return Weight.BENIGN if _is_early(event, began) else Weight.STARTING
    if event.reason in SLOW:
        return Weight.STARTING if _lasted(event) > PATIENCE else Weight.BENIGN
    if event.reason in STARTING:
        return Weight.STARTING
    return Weight.BREAKING if event.reason in BREAKING else Weight.UNKNOWN


def _unhealthy(event: Event, pod: Pod | None) -> Weight:
    """A probe that fails is noise while a pod starts or goes, and below its threshold once the pod is ready."""
    if pod is None or pod.is_terminating or event.times < _threshold(pod):
        return Weight.BENIGN
    ready = pod.condition("Ready")
    if LIVENESS.match(event.text) or ready is None or not ready.is_true:
        return Weight.UNKNOWN
    since = ready.last_transition_time
    return Weight.BENIGN if since is None or _since_ready(event, pod, since) < _threshold(pod) else Weight.UNKNOWN


def _since_ready(event: Event, pod: Pod, since: datetime) -> float:
    """How often a probe failed since its pod is ready: an event counts what was before, too, once a period at most."""
    first, last = event.first_timestamp or event.event_time, event.last_seen
    if last is None or last <= since + SETTLING:
        return 0
    if first is None or first > since:
        return event.times
    periods = [each.readiness_probe.period_seconds for each in pod.spec.all_containers if each.readiness_probe]
    return event.times - 1 - (since - first).total_seconds() / min(periods, default=PERIOD_S)


def _threshold(pod: Pod) -> int:
    probes = [each.readiness_probe for each in pod.spec.all_containers if each.readiness_probe]
    return max((each.failure_threshold for each in probes), default=START_UP_FAILURES)


def _is_early(event: Event, began: datetime | None) -> bool:
    seen = event.last_seen
    return began is not None and seen is not None and seen - began < PATIENCE


def _lasted(event: Event) -> timedelta:
    first, last = event.first_timestamp or event.event_time, event.last_seen
    return last - first if first and last else timedelta()


def normalised(text: str) -> str:
    """A message without what differs from pod to pod and from minute to minute."""
    return _shape(text.translate(ZEROS))


@lru_cache(maxsize=REMEMBERED)
def _shape(text: str) -> str:
    """Thousands of messages with their digits levelled are a few dozen."""
    return VARIABLE.sub(lambda match: f"<{match.lastgroup}>", " ".join(text.split()))
