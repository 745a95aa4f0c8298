"""The headers by which the product, its logs and its analytics recognise our requests as synthetic."""

from __future__ import annotations

from functools import cache
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version


def synthetic(run_id: str) -> dict[str, str]:
    """What every request of a run carries."""
    return {
        "User-Agent": f"postdeploy/{_version()}",
        "X-Synthetic-Test": run_id,
        "baggage": "synthetic=true",
        "Accept": "application/json",
        # A cached answer says nothing of what is live now, and an uncompressed one cannot explode.
        "Cache-Control": "no-cache",
        "Accept-Encoding": "identity",
    }


def traceparent(run_id: str, *request: str) -> str:
    """The W3C trace context of one request: a run is one trace, which whoever knows the run id can look up."""
    span = sha256("\n".join((run_id, *request)).encode()).hexdigest()[:16]
    return f"00-{sha256(run_id.encode()).hexdigest()[:32]}-{span}-01"


@cache
def _version() -> str:
    try:
        return version("postdeploy")
    except PackageNotFoundError:  # run from a bare checkout
        return "0"
