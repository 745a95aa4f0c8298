"""What has to allow a deployment: who approves, by which ticket, and where that is written down."""

from __future__ import annotations

from postdeploy.environment.forms import Flag, Host, Model, Text


class GitLab(Model):
    """Where deployments and their approvals are recorded; its API is read with the token kept where the password is."""

    host: Host
    """Host of the instance, which also issues the jobs' identity tokens."""
    project: Text
    """Path of the project that deploys, such as brokerage/crm."""
    environment: Text | None = None
    """What the environment is called there; none: the same as here."""


class Change(Model):
    """What a deployment has to have before it may happen; an environment without this section asks for nothing."""

    gitlab: GitLab
    """Where it is recorded."""
    ticket: Text = r"CHG-\d+"
    """Regular expression of a change ticket's number."""
    identity: Flag = True
    """Whether the job has to prove who runs it by an `id_token` of GitLab."""
    audience: Text = "postdeploy"
    """Whom that token has to be made out to."""
