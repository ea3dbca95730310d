"""html-validate and caniemail over the gallery: no findings, and no client that lacks more than the baseline says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tools import nodejs
from tools.gallery.clients import baseline, difference, support
from tools.gallery.plates import PLATES, html

pytestmark = pytest.mark.usefixtures("node")


def findings(folder: Path, letters: dict[str, str]) -> list[str]:
    """Return what html-validate finds in letters under the rules for e-mail."""
    files = []
    for name, letter in letters.items():
        files.append(folder / f"{name}.html")
        files[-1].write_text(letter, encoding="utf-8")
    told: list[dict[str, Any]] = json.loads(
        nodejs.run(
            "node_modules/html-validate/bin/html-validate.mjs",
            *("--config", str(nodejs.FOLDER / "email-rules.mjs"), "--formatter", "json"),
            *map(str, files),
            ok=(0, 1),
        )
    )
    return [
        f"{Path(file['filePath']).stem}: {message['ruleId']}: {message['message']}"
        for file in told
        for message in file["messages"]
    ]


def test_html_validate_finds_nothing(tmp_path: Path) -> None:
    letters = {plate.name: html(plate) for plate in PLATES}
    faulty = html(PLATES[0]).replace("</h1>", '</h1><a href="https://example.org"></a>')
    found = findings(tmp_path, {**letters, "faulty": faulty})
    assert [line for line in found if line.startswith("faulty: ")] != []  # it looks, and finds
    assert [line for line in found if not line.startswith("faulty: ")] == []


def test_every_changed_rule_says_why() -> None:
    lines = (nodejs.FOLDER / "email-rules.mjs").read_text(encoding="utf-8").splitlines()
    rules = [number for number, line in enumerate(lines) if re.match(r'\s+"[a-z-]+": ("off"|\[)', line)]
    assert len(rules) >= 5
    assert all(lines[number - 1].lstrip().startswith("// ") for number in rules)


def test_clients_lack_nothing_that_the_baseline_does_not_say() -> None:
    found = support(map(html, PLATES))
    assert list(difference(baseline(), found)) == [], (
        "look at it, then: python -m tools.gallery.clients --write"
    )


def test_a_new_feature_is_a_difference() -> None:
    letter = html(PLATES[0])
    before = support([letter])
    after = support([letter.replace("</h1>", '</h1><p style="filter:blur(3px)">blurred</p>')])
    assert any(line.startswith("+ ") and "filter" in line for line in difference(before, after))
    assert any(line.startswith("- ") and "filter" in line for line in difference(after, before))
