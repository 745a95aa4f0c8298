"""The moments of literal logs."""

from __future__ import annotations

from datetime import UTC, datetime

BEGAN = datetime(2026, 11, 20, 9, 50, tzinfo=UTC)
TAKEN = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
