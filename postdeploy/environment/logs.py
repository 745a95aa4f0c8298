"""What is declared of an environment's logs: limits, ready lines, and where else they are kept."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from postdeploy.environment.forms import Count, Frozen, Host, Model, Name, Seconds, Text

Rate = Annotated[float, Field(strict=True, ge=0, le=1_000_000)]
Bytes = Annotated[int, Field(strict=True, ge=65_536, le=1_073_741_824)]
Streams = Annotated[int, Field(strict=True, ge=1, le=256)]


class ErrorRate(Model):
    """How many error records a minute a component may write, all its containers together."""

    soft: Rate = 5.0
    """Above it the claim is degraded."""
    hard: Rate = 60.0
    """Above it the claim fails."""


class Loki(Model):
    """A Loki that keeps the logs, too: asked for pods that are gone, for gaps, and for the time before the rollout."""

    host: Host
    """Its host name; it is spoken to over https."""
    tenant: Text | None = None
    """What goes into X-Scope-OrgID; none: it has one tenant."""
    login: Literal["anonymous", "token"] = "anonymous"
    """How it is read: by anybody, or with the token that is kept where the password is."""
    selector: Text | None = None
    """Further label matchers, such as `cluster="uk-prod"`, where it keeps more than one cluster."""
    pod_label: Text = "pod"
    """Label that holds the pod's name; `namespace` and `container` are called so everywhere."""
    serves: Literal["gaps", "all"] = "gaps"
    """`gaps`: after the Kubernetes API, for what that cannot say; `all`: instead of it."""


class CloudLogging(Model):
    """Google Cloud Logging, in the place of Loki."""

    project: Text
    """Google project that holds the logs."""
    cluster: Text
    """`resource.labels.cluster_name`."""
    requests_per_minute: Annotated[int, Field(strict=True, ge=1, le=60)] = 8
    """Share of the project's read quota (60 a minute) that one cluster may use."""
    serves: Literal["gaps", "all"] = "gaps"
    """`gaps`: after the Kubernetes API, for what that cannot say; `all`: instead of it."""


class Logs(Model):
    """How the logs are read, and what they may say."""

    errors_per_minute: ErrorRate = ErrorRate()
    """Limits of a component that has none of its own."""
    limits: Frozen[ErrorRate] = Field(default_factory=dict, validate_default=True)
    """Limits of single components, by name."""
    ready: Frozen[Text] = Field(default_factory=dict, validate_default=True)
    """A piece of the line with which a component says that it is ready, by component; a text, no pattern."""
    may_be_silent: tuple[Name, ...] = ()
    """Containers, or components, that need not write anything after their start."""
    sidecars: tuple[Name, ...] = ()
    """Injected containers that are read like the others; left out, they are not."""
    quiet_start_s: Seconds = 120.0
    """How long after its start a container may write its first line before the file counts as rotated."""
    green_runs: Count = 5
    """Earlier runs that ended green whose errors are not new."""
    streams: Streams = 64
    """Logs read at once: nothing on the server's side limits them."""
    streams_per_node: Streams = 4
    """Logs read at once from one node."""
    limit_bytes: Bytes = 33_554_432
    """The most of one container's log that is read; a kubelet keeps 10 MiB in a file unless told otherwise."""
    timeout_s: Seconds = 60.0
    """Longest that one log may take, and a quarter of it the longest silence in between."""
    loki: Loki | None = None
    """A Loki that keeps these logs; none: there is none."""
    cloud_logging: CloudLogging | None = None
    """Google Cloud Logging, where it keeps these logs; none: there is none, or it is not asked."""

    def rate(self, component: str) -> ErrorRate:
        """The limits of a component."""
        return self.limits.get(component, self.errors_per_minute)
