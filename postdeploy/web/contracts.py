"""The documents that the public hosts publish, as strict models: an adopter whose documents differ changes this page.

A field that is missing, renamed or of another type does not fit; one that nobody knows fits, and is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Word = Literal["ok", "degraded", "failing"]


class Document(BaseModel):
    """Strict in what it reads; fields that it does not know are kept apart."""

    model_config = ConfigDict(extra="allow", strict=True)


class Health(Document):
    """`/health`."""

    status: Word


class Check(Document):
    """One integration of `/health/deep`."""

    status: Word
    latency_ms: float = Field(ge=0)


class Deep(Document):
    """`/health/deep`."""

    status: Word
    checks: dict[str, Check]


class Version(Document):
    """`/version`."""

    version: str = Field(min_length=1)
    build: str = Field(min_length=1)


class ApiStatus(Document):
    """`/api/v1/status`."""

    status: Literal["open", "read-only", "closed"]
    api_version: str
    server_time: str


MODELS: Mapping[str, type[Document]] = {"health": Health, "deep": Deep, "version": Version, "status": ApiStatus}


def misfits(name: str, body: Any) -> tuple[list[str], list[str]]:
    """What does not fit a model, and which fields it does not know."""
    model = MODELS[name]
    try:
        read = model.model_validate(body)
    except ValidationError as error:
        return [f"{_spelled(each['loc'])}: {each['msg']}" for each in error.errors(include_url=False)], []
    return [], list(_unknown(read))


def _unknown(document: Document, where: str = "") -> list[str]:
    found = [f"{where}{name}" for name in document.model_extra or {}]
    for name in type(document).model_fields:
        value = getattr(document, name)
        inside = value.items() if isinstance(value, dict) else [("", value)]
        for key, each in inside:
            if isinstance(each, Document):
                found += _unknown(each, f"{where}{name}{'.' if key else ''}{key}.")
    return found


def _spelled(where: tuple[str | int, ...]) -> str:
    return ".".join(map(str, where)) or "the document"
