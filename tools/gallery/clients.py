"""What mail clients do not support of the gallery's letters, by caniemail, beside a stored baseline.

``python -m tools.gallery.clients`` prints the difference, with ``--write`` the baseline is renewed (`make node` first).
A new line of it is a decision: is the letter right without that feature?
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from tools import nodejs
from tools.gallery.plates import PLATES, html

BASELINE = Path(__file__).parent / "clients.json"
# Thunderbird and La Poste are left out: caniemail has no word on every feature for them, and stops there.
CLIENTS = (
    "apple-mail.*",
    "gmail.*",
    "outlook.*",
    "yahoo.*",
    "samsung-email.android",
    "protonmail.*",
    "fastmail.*",
)
Support = dict[str, dict[str, str]]


def support(letters: Iterable[str]) -> Support:
    """Return what each client does not support of HTML letters: ``none`` or ``partial`` by feature."""
    with tempfile.TemporaryDirectory() as folder:
        files = []
        for number, letter in enumerate(letters):
            file = Path(folder, f"{number}.html")
            file.write_text(letter, encoding="utf-8")
            files.append(str(file))
        found: Support = json.loads(nodejs.run("support.mjs", ",".join(CLIENTS), *files))
    return found


def baseline() -> Support:
    """Return what was found when somebody last looked."""
    stored: Support = json.loads(BASELINE.read_text(encoding="utf-8"))
    return stored


def difference(before: Support, now: Support) -> Iterator[str]:
    """Yield a line for each feature that is new to a client's list, or gone from it."""
    for client in sorted(before.keys() | now.keys()):
        old, new = (set(each.get(client, {}).items()) for each in (before, now))
        yield from (f"+ {client}: {feature} ({how})" for feature, how in sorted(new - old))
        yield from (f"- {client}: {feature} ({how})" for feature, how in sorted(old - new))


def main(arguments: list[str] | None = None) -> int:
    """Print the difference; return 1 where there is one and it was not written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="store what is found as the new baseline")
    options = parser.parse_args(arguments)
    lack = nodejs.missing()
    if lack:
        parser.exit(2, f"{lack}\n")
    found = support(map(html, PLATES))
    changed = list(difference(baseline() if BASELINE.exists() else {}, found))
    for line in changed:
        print(line)
    if options.write:
        text = json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False)
        BASELINE.write_text(text + "\n", encoding="utf-8")
    return 0 if options.write or not changed else 1


if __name__ == "__main__":
    raise SystemExit(main())
