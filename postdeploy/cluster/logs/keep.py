"""Whole logs, kept only where somebody asked for them: redacted as one text each, and compressed."""

from __future__ import annotations

import gzip
from collections.abc import Callable

from postdeploy.cluster.logs.instances import Instance
from postdeploy.cluster.logs.lines import text_of

Write = Callable[[str, bytes], object]
FOLDER = "logs"


def keeper(write: Write, redact: Callable[[str], str]) -> Callable[[Instance, bytes], None]:
    """Writes one container's log under its name; it takes its time, and is called in a thread of its own."""

    def keep(instance: Instance, data: bytes) -> None:
        suffix = ".previous" if instance.previous else ""
        name = f"{FOLDER}/{instance.namespace}/{instance.pod}/{instance.container}{suffix}.log.gz"
        text = redact("\n".join(map(text_of, data.split(b"\n"))))
        write(name, gzip.compress(text.encode("utf-8", "replace"), mtime=0))

    return keep
