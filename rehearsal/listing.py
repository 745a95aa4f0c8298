"""Lists in stable pages: the first page fixes what the later ones say."""

from __future__ import annotations

import base64
import binascii
import json
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from rehearsal import tables
from rehearsal.answers import bad_request, gone
from rehearsal.kinds import Kind, Obj
from rehearsal.selectors import BadSelector, Test, by_fields, by_labels
from rehearsal.world import World

KEPT = 64
"""How many unfinished lists are remembered; older ones have expired, as after an etcd compaction."""


def selects(query: Mapping[str, str]) -> Test:
    """Whether an object is wanted by the selectors of a query."""
    try:
        labels, fields = by_labels(query.get("labelSelector", "")), by_fields(query.get("fieldSelector", ""))
    except BadSelector as error:
        raise bad_request(str(error)) from error
    return lambda obj: labels(obj) and fields(obj)


@dataclass
class Shape:
    """The form in which a client wants objects: as they are, or as rows of a table."""

    kind: Kind
    as_table: bool
    include: str = "Metadata"

    def one(self, obj: Obj) -> bytes:
        """One object in this form."""
        return msgspec.json.encode(tables.row(self.kind.name, obj, self.include) if self.as_table else obj)

    def many(self, items: list[bytes], metadata: Obj) -> bytes:
        """A list of what `one` made."""
        if self.as_table:
            head = tables.table(self.kind.name, [], metadata) | {"rows": [msgspec.Raw(each) for each in items]}
        else:
            head = {"kind": f"{self.kind.name}List", "apiVersion": self.kind.api_version, "metadata": metadata}
            head["items"] = [msgspec.Raw(each) for each in items]
        return msgspec.json.encode(head)

    def single(self, obj: Obj) -> bytes:
        """One object as a whole answer."""
        if not self.as_table:
            return msgspec.json.encode(obj)
        return self.many([self.one(obj)], {"resourceVersion": obj["metadata"]["resourceVersion"]})


@dataclass
class Pages:
    """The unfinished lists of all clients."""

    world: World
    kept: OrderedDict[str, tuple[str, list[bytes]]] = field(default_factory=OrderedDict)
    number: int = 0

    def answer(self, shape: Shape, namespace: str | None, query: Mapping[str, str]) -> bytes:
        """One page of a list, or all of it."""
        limit = query.get("limit", "0")
        if not limit.isdigit():
            raise bad_request(f'limit: Invalid value: "{limit}"')
        page, at, key, version, items = self._begin(shape, namespace, query)
        self._may_be_gone(shape.kind, page)
        most = min((each for each in (int(limit), self.world.settings.page_at_most) if each), default=len(items))
        upto = at + most
        metadata: Obj = {"resourceVersion": version}
        if upto < len(items):
            self._keep(key, version, items)
            metadata["continue"] = _token(key, upto, page + 1)
            if not (query.get("labelSelector") or query.get("fieldSelector")):
                metadata["remainingItemCount"] = len(items) - upto
        return shape.many(items[at:upto], metadata)

    def _begin(
        self, shape: Shape, namespace: str | None, query: Mapping[str, str]
    ) -> tuple[int, int, str, str, list[bytes]]:
        if query.get("continue"):
            key, at, page = _open(query["continue"])
            if key not in self.kept:
                raise gone("The provided continue parameter is too old to display a consistent list result.")
            return page, at, key, *self.kept[key]
        wanted = selects(query)
        items = [shape.one(each) for each in self.world.all(shape.kind.name, namespace) if wanted(each)]
        self.number += 1
        return 1, 0, f"{shape.kind.plural}-{self.number}", str(self.world.version), items

    def _keep(self, key: str, version: str, items: list[bytes]) -> None:
        self.kept[key] = (version, items)
        while len(self.kept) > KEPT:
            self.kept.popitem(last=False)

    def _may_be_gone(self, kind: Kind, page: int) -> None:
        settings = self.world.settings
        if settings.gone_on_page.get(kind.plural) == page and settings.gone_times > 0:
            settings.gone_times -= 1
            raise gone("The provided continue parameter is too old to display a consistent list result.")


def _token(key: str, at: int, page: int) -> str:
    return base64.urlsafe_b64encode(json.dumps([key, at, page]).encode()).decode().rstrip("=")


def _open(token: str) -> tuple[str, int, int]:
    try:
        key, at, page = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (ValueError, binascii.Error) as error:
        raise bad_request("continue key is not valid") from error
    return str(key), int(at), int(page)
