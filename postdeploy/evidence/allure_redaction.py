"""Allure results without secrets: texts before they are written, attachments before any logger sees them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from allure_commons.reporter import AllureReporter
from allure_commons.types import AttachmentType

from postdeploy.evidence.journal import Redact

MOST_TEXT = 256 * 1024
MOST_BYTES = 5 * 1024 * 1024
"""Of one attachment: a report of thousands of results has to stay one that a browser opens."""
_TEXT = ("text/", "application/json", "application/xml", "application/yaml")


class _Children(list[Any]):
    """The tests a fixture was set up for. They run one after another: one is the newest, or has not come yet."""

    def __contains__(self, uuid: object) -> bool:
        return bool(self) and self[-1] == uuid


class RedactingReporter(AllureReporter):
    """Attachments lose their secrets before any logger, ours or the user's, writes them."""

    def __init__(self, redact: Redact) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._redact = redact

    def start_group(self, uuid: Any, group: Any) -> None:
        """Begin a fixture; Allure asks twice a test whether it has this child, and would look through all of them."""
        group.children = _Children(group.children)
        super().start_group(uuid, group)  # type: ignore[no-untyped-call]

    def attach_data(
        self,
        uuid: str,
        body: Any,
        name: str | None = None,
        attachment_type: Any = None,
        extension: str | None = None,
        parent_uuid: str | None = None,
    ) -> None:
        """Attach text without its secrets, anything else as it is."""
        clean, kind, extension = self._kept(body, attachment_type, extension)
        super().attach_data(uuid, clean, name, kind, extension, parent_uuid)  # type: ignore[no-untyped-call]

    def attach_file(
        self,
        uuid: str,
        source: str,
        name: str | None = None,
        attachment_type: Any = None,
        extension: str | None = None,
        parent_uuid: str | None = None,
    ) -> None:
        """Attach a file of text as text."""
        about = (name, attachment_type, extension, parent_uuid)
        if _is_text(attachment_type) or Path(source).stat().st_size > MOST_BYTES:
            self.attach_data(uuid, Path(source).read_bytes(), *about)
        else:
            super().attach_file(uuid, source, *about)  # type: ignore[no-untyped-call]

    def global_attach_data(
        self, uuid: str, body: Any, name: str | None = None, attachment_type: Any = None, extension: str | None = None
    ) -> None:
        """Attach text to the run without its secrets."""
        clean, kind, extension = self._kept(body, attachment_type, extension)
        super().global_attach_data(uuid, clean, name, kind, extension)  # type: ignore[no-untyped-call]

    def global_attach_file(
        self, uuid: str, source: str, name: str | None = None, attachment_type: Any = None, extension: str | None = None
    ) -> None:
        """Attach a file of text to the run as text."""
        about = (name, attachment_type, extension)
        if _is_text(attachment_type) or Path(source).stat().st_size > MOST_BYTES:
            self.global_attach_data(uuid, Path(source).read_bytes(), *about)
        else:
            super().global_attach_file(uuid, source, *about)  # type: ignore[no-untyped-call]

    def _kept(self, body: Any, kind: Any, extension: str | None) -> tuple[Any, Any, str | None]:
        """What is attached: text without its secrets, its middle left out where it is too long; no file too large."""
        if isinstance(body, bytes) and _is_text(kind):
            body = body.decode("utf-8", errors="replace")
        if isinstance(body, str):
            clean = self._redact(body)
            # What was cut is no JSON any more, and a report would show it as broken.
            return (clean, kind, extension) if len(clean) <= MOST_TEXT else (_cut(clean), AttachmentType.TEXT, None)
        if len(body) > MOST_BYTES:
            return f"left out: {len(body)} bytes, and {MOST_BYTES} are kept at most", AttachmentType.TEXT, None
        return body, kind, extension


def _cut(text: str) -> str:
    """Beginning and end, and how much is missing between."""
    head, tail = MOST_TEXT * 3 // 4, MOST_TEXT // 4
    return f"{text[:head]}\n… {len(text) - head - tail} characters left out …\n{text[-tail:]}"


def _is_text(kind: Any) -> bool:
    mime = kind.mime_type if isinstance(kind, AttachmentType) else str(kind or "")
    return mime.startswith(_TEXT)


def redact_item(item: Any, redact: Redact) -> None:
    """A result, a fixture or a step, and all steps within."""
    item.name = redact(item.name) if item.name else item.name
    item.description = redact(item.description) if item.description else item.description
    for each in item.parameters:
        each.value = redact(str(each.value))
    if item.statusDetails:
        redact_details(item.statusDetails, redact)
    for each in item.steps:
        redact_item(each, redact)


def redact_details(details: Any, redact: Redact) -> None:
    """The message and the trace of a failure."""
    details.message = redact(details.message) if details.message else details.message
    details.trace = redact(details.trace) if details.trace else details.trace
