"""Count in how many abstracts each term stands, for newsletter/summaries/frequencies.txt.

    python -m tools.frequencies PAPERS.jsonl

Each line of the file is an object with ``title`` and ``abstract``. Only counts are kept, never a sentence.
"""

from __future__ import annotations

import json
import sys
from collections import Counter, defaultdict
from pathlib import Path

from newsletter.summaries.latex import to_text
from newsletter.summaries.terms import keys

TABLE = Path(__file__).resolve().parents[1] / "newsletter" / "summaries" / "frequencies.txt"
LEAST = 2  # abstracts that a term stands in; rarer ones weigh as unknown ones do


def main(paths: list[str]) -> None:
    """Write the table of the given files."""
    papers = [
        json.loads(line) for path in paths for line in Path(path).read_text(encoding="utf-8").splitlines()
    ]
    counts = Counter(
        term for paper in papers for term in keys(f"{paper['title']} {to_text(paper['abstract'])}")
    )
    by_count: dict[int, list[str]] = defaultdict(list)
    for term, count in counts.items():
        if count >= LEAST:
            by_count[count].append(term)
    lines = [
        f"{len(papers)} abstracts; then a line for each count, with the terms that stand in so many of them"
    ]
    lines += [f"{count} {' '.join(sorted(by_count[count]))}" for count in sorted(by_count, reverse=True)]
    TABLE.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{TABLE}: {sum(map(len, by_count.values())):,} terms of {len(papers):,} abstracts")


if __name__ == "__main__":
    main(sys.argv[1:])
