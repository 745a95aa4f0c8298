"""The logs since the rollout: nothing critical, nothing new, nobody silent, and all of it read."""

import pytest


@pytest.mark.check("infra.logs.critical", over="component", owner="platform", controls=["DORA-9.4e", "RTS-17.1"])
def test_component_wrote_nothing_critical(component, logs):
    """No container of the component wrote a critical, fatal or always-fatal record since the rollout."""
    critical = logs.critical(component)
    assert critical.holds, critical.why


@pytest.mark.check("infra.logs.tracebacks", over="component", owner="platform", controls=["DORA-9.4e"])
def test_component_raised_no_traceback(component, logs):
    """No container of the component raised a traceback since the rollout that was not raised before it."""
    tracebacks = logs.tracebacks(component)
    assert tracebacks.holds, tracebacks.why


@pytest.mark.check("infra.logs.errors", over="component", owner="platform", controls=["DORA-9.4e"])
def test_component_wrote_few_errors(component, logs):
    """The component wrote no more error records a minute since the rollout than its environment allows."""
    errors = logs.errors(component)
    assert errors.holds, errors.why


@pytest.mark.check("infra.logs.new", over="component", owner="platform", controls=["DORA-9.4e", "RTS-17.1"])
def test_component_wrote_no_new_error(component, logs):
    """The component wrote no error that was absent before the rollout and in the last green runs."""
    new = logs.new(component)
    assert new.holds, new.why


@pytest.mark.check("infra.logs.silence", over="component", owner="platform", controls=["DORA-9.4e"])
def test_component_is_not_silent(component, logs):
    """Every container started since the rollout wrote something, and its ready line where one is declared."""
    silence = logs.silence(component)
    assert silence.holds, silence.why


@pytest.mark.check("infra.logs.coverage", over="component", owner="platform", controls=["DORA-9.4e", "RTS-17.1"])
def test_component_was_read_in_full(component, logs):
    """Everything that the component's containers wrote since the rollout was read."""
    coverage = logs.coverage(component)
    assert coverage.holds, coverage.why
