"""The forms a value of an environment file can be bound to, each with the words an error message uses for it."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    WrapSerializer,
)
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema, PydanticCustomError

FORMS: Mapping[str, tuple[str, str]] = {
    "name": (r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", "a Kubernetes name: lower-case letters, digits and '-'"),
    "host": (r"^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$", "a host name without scheme, port or path"),
    "image": (r"^[a-z0-9.-]+(:[0-9]+)?(/[a-z0-9._-]+)+$", "an image repository without tag or digest"),
    "registry": (r"^[a-z0-9.-]+(:[0-9]+)?$", "the host of a registry, without scheme or path"),
    "tag": (r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$", "an image tag"),
    "currency": (r"^[A-Z]{3}$", "an ISO 4217 code in capitals, such as GBP"),
    "country": (r"^[A-Z]{2}$", "an ISO 3166 code of two capitals, such as GB"),
    "locale": (r"^[a-z]{2,3}(-[A-Z]{2})?$", "a language and perhaps a country, such as en-GB"),
    "zone": (r"^(UTC|[A-Z][A-Za-z_]+/[A-Za-z_/-]+)$", "an IANA time zone, such as Europe/London"),
    "cron": (r"^(@[a-z]+|\S+( \S+){4})$", "a cron schedule of five fields, such as '30 5 * * *'"),
    "hours": (r"^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$", "local times as HH:MM-HH:MM"),
    "sha256": (r"^[0-9a-f]{64}$", "a SHA-256 in 64 lower-case hex digits"),
    "uid": (r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$", "the uid of an object: a UUID in lower case"),
    "url": (r"^https://[^\s/@]+(/\S*)?$", "an https:// URL without user or password"),
    "check": (r"^[a-z0-9-]+(\.[a-z0-9-]+)+$", "a check id, such as infra.images.tag"),
    "revision": (r"^([^@]+@)?sha(1|256):\{commit\}$", "a form such as '{tag}@sha1:{commit}'"),
    "money": (r"^\d{1,10}(\.\d{1,3})?$", 'an amount in quotes, such as "10.00"'),
    "date": (r"^\d{4}-\d{2}-\d{2}$", "a date as YYYY-MM-DD"),
    "path": (r"^/\S*$", "a path that begins with '/'"),
    "media": (r"^[a-z]+/[a-z0-9.+-]+$", "a media type, such as text/html"),
    "network": (r"^[0-9a-f.:]+(/[0-9]{1,3})?$", "an IP address or a network, such as 203.0.113.0/24"),
    "address": (r"^https?://\{?[a-z0-9.{}-]+(/\S*)?$", "an address, such as https://{host}/"),
}
"""Pattern, and what an error message calls it."""

K = TypeVar("K")
T = TypeVar("T")


def form(name: str) -> StringConstraints:
    """Text of that form."""
    return StringConstraints(pattern=FORMS[name][0])


def _written_as(name: str) -> Any:
    """Text of that form, converted by pydantic afterwards; a number must not slip in on the way."""
    pattern, words = FORMS[name]

    def check(value: Any) -> Any:
        is_wrong = not re.fullmatch(pattern, value) if isinstance(value, str) else not isinstance(value, Decimal | date)
        if is_wrong:
            raise PydanticCustomError("form", "expected {words}", {"words": words})
        return value

    return BeforeValidator(check)


Text = Annotated[str, StringConstraints(min_length=1)]
Name = Annotated[str, form("name")]
Host = Annotated[str, form("host")]
Image = Annotated[str, form("image")]
Tag = Annotated[str, form("tag")]
Currency = Annotated[str, form("currency")]
Locale = Annotated[str, form("locale")]
Flag = Annotated[bool, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0, le=500)]
Seconds = Annotated[float, Field(strict=True, ge=0, le=3600)]
Millis = Annotated[int, Field(strict=True, gt=0, le=60_000)]
Path = Annotated[str, form("path")]
Pause = Annotated[float, Field(strict=True, gt=0, le=60)]
Money = Annotated[
    Decimal, Field(gt=0), _written_as("money"), WithJsonSchema({"type": "string", "pattern": FORMS["money"][0]})
]
Ceiling = Annotated[
    Decimal, Field(ge=0), _written_as("money"), WithJsonSchema({"type": "string", "pattern": FORMS["money"][0]})
]
Day = Annotated[date, _written_as("date")]
FrozenBy = Annotated[
    Mapping[K, T],
    AfterValidator(lambda value: MappingProxyType(dict(value))),
    WrapSerializer(lambda value, handler: handler(dict(value))),
]
"""A mapping that cannot be changed after loading."""
Frozen = FrozenBy[Name, T]
"""The same by name."""


class Model(BaseModel):
    """Closed and frozen: an unknown key is an error, a loaded environment never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @classmethod
    def __get_pydantic_json_schema__(cls, core: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """A field is described by its docstring, read where a schema is asked for: each run would wait 0.1 s for it."""
        written = handler(core)
        properties = handler.resolve_ref_schema(written)["properties"]
        for each in reversed(cls.__mro__):
            for name, said in _docstrings(each).items() if issubclass(each, Model) else ():
                if name in cls.model_fields:
                    properties[cls.model_fields[name].alias or name]["description"] = said
        return written


def _docstrings(model: type) -> dict[str, str]:
    """The string below each field of a class, by the field's name."""
    (tree,) = ast.parse(textwrap.dedent(inspect.getsource(model))).body
    return {
        field.target.id: inspect.cleandoc(below.value.value)
        for field, below in pairwise(getattr(tree, "body", ()))
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name)
        if isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant) and isinstance(below.value.value, str)
    }
