"""The pages of one list put together, and how it shows when something on the way took a part of it."""

from __future__ import annotations

from typing import Generic, TypeVar

from postdeploy.cluster.answers import Listed

T = TypeVar("T")

ON_THE_WAY = "something between us and the API server shortens its answers"


class Pages(Generic[T]):
    """What one pass over a list has brought so far."""

    def __init__(self) -> None:
        self.items: list[T] = []
        self.token = ""
        """Where the next page begins; empty after the last one."""
        self.number = 0
        """How many pages were taken."""
        self.version = ""
        """The resourceVersion they are of; a watch goes on from it."""
        self._promised = 0

    @property
    def is_complete(self) -> bool:
        """Whether there is no further page to ask for."""
        return self.number > 0 and not self.token

    def add(self, page: Listed[T]) -> str:
        """Take one page; why the list must not be trusted or followed any further, empty where all is well."""
        meta, found = page.metadata, page.items or ()
        self.items += found
        self.number += 1
        if self.number == 1:
            self._promised, self.version = len(found) + (meta.remaining_item_count or 0), meta.resource_version
        if meta.continue_ and meta.continue_ == self.token:
            return "the server repeats its continue token"
        self.token = meta.continue_
        if self.token:
            return ""
        if left := meta.remaining_item_count:
            return f"{left} more objects are announced (metadata.remainingItemCount), yet no way to them: {ON_THE_WAY}"
        # One resourceVersion over all pages is one moment, of which the server counts exactly.
        if len(self.items) < self._promised and meta.resource_version == self.version:
            return f"{len(self.items)} of {self._promised} objects came (metadata.remainingItemCount): {ON_THE_WAY}"
        return ""
