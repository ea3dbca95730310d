"""The docs are true: made pages are current, links lead somewhere, what the README names exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from newsletter.cli import COMMANDS
from tools import docs

ROOT = Path(__file__).parent.parent
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("*.md"))]


@pytest.mark.parametrize(
    ("name", "make"),
    [("commands.md", docs.commands), ("settings.md", docs.settings), ("lint.md", docs.rules)],
)
def test_a_made_page_is_current(name: str, make: object) -> None:
    assert callable(make)
    assert (ROOT / "docs" / name).read_text(encoding="utf-8") == make(), "run `make docs`"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
        if not target.startswith(("https://", "mailto:")):
            assert (page.parent / target).exists(), target


def test_every_command_has_help_for_each_of_its_options() -> None:
    page = docs.commands()
    for name in COMMANDS:
        assert f"## newsletter {name}\n" in page
    for line in page.splitlines():
        assert not re.fullmatch(r"  --[a-z-]+( [A-Z\[]\S*)*", line), f"an option without help: {line}"


def test_the_readme_names_commands_that_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for name in re.findall(r"^newsletter ([a-z]+)", text, re.MULTILINE):
        assert name in COMMANDS
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"(?:^|`)make ([a-z]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_lock_files_name_no_host() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        assert "://" not in path.read_text(encoding="utf-8"), path.name
