"""Fails when the tests take fewer of the branches than they should (coverage's own limit mixes lines in).

Silent when all is well, so that pytest's closing line stays the last one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(report: str, wanted: str) -> int:
    """Compare the share of branches in a coverage JSON report with what is wanted."""
    totals = json.loads(Path(report).read_text(encoding="utf-8"))["totals"]
    branches, covered = totals.get("num_branches", 0), totals.get("covered_branches", 0)
    share = 100 * covered / branches if branches else 0.0  # nothing measured is nothing tested
    if share >= float(wanted):
        return 0
    print(f"{covered} of {branches} branches are tested: {share:.1f} %, wanted {wanted} %.")
    return 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
