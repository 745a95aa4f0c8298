"""A list is complete only when nothing in its pages says that something is missing."""

from __future__ import annotations

import pytest

from postdeploy.cluster.answers import listed
from postdeploy.cluster.objects import Pod
from postdeploy.cluster.pages import Pages
from tests.cluster.canned import encoded, pod


def added(*pages: tuple[int, str, int | None, str]) -> tuple[Pages[Pod], str]:
    """Pages as (items, continue, remainingItemCount, resourceVersion), and what the last of them was answered with."""
    found, said = Pages[Pod](), ""
    for count, token, left, version in pages:
        meta = {"continue": token, "remainingItemCount": left, "resourceVersion": version}
        body = encoded({"metadata": meta, "items": [pod(f"p{number}") for number in range(count)]})
        said = found.add(listed(body, Pod))
    return found, said


@pytest.mark.parametrize(
    "pages",
    [
        [(3, "", None, "7")],
        [(0, "", None, "")],
        [(3, "", 0, "7")],
        [(2, "a", 3, "7"), (2, "b", 1, "7"), (1, "", None, "7")],
        [(2, "a", None, "7"), (1, "", None, "7")],
    ],
    ids=["one page", "empty", "nothing remaining", "all that was announced", "nothing announced"],
)
def test_whole_list_is_complete(pages):
    found, said = added(*pages)
    assert (said, found.is_complete) == ("", True)
    assert len(found.items) == sum(count for count, *_ in pages)


def test_list_that_began_anew_at_another_version_is_not_counted_against_the_first():
    assert added((2, "a", 3, "7"), (1, "", None, "9"))[1] == ""


def test_dropped_continue_token_is_noticed():
    found, said = added((2, "", 3, "7"))
    assert said.startswith("3 more objects are announced (metadata.remainingItemCount), yet no way to them")
    assert len(found.items) == 2


def test_items_taken_out_of_a_page_are_noticed():
    assert added((2, "a", 3, "7"), (2, "", None, "7"))[1].startswith("4 of 5 objects came")


def test_repeated_token_is_not_followed_for_ever():
    assert added((2, "a", 3, "7"), (2, "a", 1, "7"))[1] == "the server repeats its continue token"


def test_nothing_read_yet_is_not_a_complete_list():
    assert not Pages[Pod]().is_complete
