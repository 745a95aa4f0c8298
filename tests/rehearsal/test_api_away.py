"""What the real kubectl says of an API that cannot be reached is what the faults claim to be."""

from __future__ import annotations

import pytest

from tests.standin import standin


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("api-refuses-connections", "was refused"),
        ("api-intercepted", "certificate signed by unknown authority"),
        ("token-expired", "You must be logged in to the server"),
    ],
)
def test_kubectl_names_what_is_wrong(new_kubectl, fault, said):
    with standin("uk-prod", faults=[fault]) as stand:
        refused = new_kubectl(stand).run("get", "pods", "-n", "crm")
    assert refused.returncode == 1
    assert said in refused.stderr
