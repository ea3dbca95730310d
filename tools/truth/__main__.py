"""Measure the truth of summaries: `python -m tools.truth [--write]` (docs/truth.md)."""

from __future__ import annotations

import sys
from pathlib import Path

from tools.truth import pairs, report

PAGE = Path(__file__).resolve().parents[2] / "docs" / "truth.md"


def main(arguments: list[str]) -> None:
    """Print the figures; with ``--write`` put them into the page."""
    own = list(report.figures(pairs.own()))
    print("\n".join(own))
    shared = None
    if pairs.corpus() is not pairs.own():
        shared = [*report.model_day(), *report.figures(pairs.corpus())]
        print("\n".join([report.SHARED_HEADING, *shared]))
    if "--write" in arguments:
        if shared is None:
            sys.exit("the recorded papers are not beside this checkout; the page needs them")
        PAGE.write_text(report.page(own, shared), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
