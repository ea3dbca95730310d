"""Runs by the providers of development, and what every provider needs to be one."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args, get_type_hints

from newsletter.app.providers import MAKERS
from newsletter.settings import providers as settings
from tests.cli.command import PEOPLE, SAMPLE, SENDER, Command
from tests.providers import test_contract


def test_a_provider_has_its_three_lines() -> None:
    hints = get_type_hints(settings.Provider)
    names = set(get_args(hints["name"]))
    assert names == set(MAKERS) == set(hints) - {"name"}
    assert names <= set(test_contract.MAKERS)
    assert all(issubclass(hints[name], settings.ProviderTable) for name in names)
    assert set(get_args(get_type_hints(settings.AlertProvider)["name"])) <= names | {""}


def test_what_the_console_shows_is_beside_json(people: Command) -> None:
    result = people("run", "--from", SAMPLE, "--json", env={"NEWSLETTER_PROVIDER__NAME": "console"})
    assert result.code == 0
    assert result.json["counts"]["accepted"] == 3
    for address in PEOPLE:
        assert f"{address}" in result.err
    assert "\nSubject: " in result.err
    assert "https://newsletter.example.org/u/" in result.err  # example values do


def test_files_to_look_at(people: Command) -> None:
    env = {"NEWSLETTER_PROVIDER__NAME": "file", "NEWSLETTER_PROVIDER__FILE__PATH": "looked/at"}
    people("run", "--from", SAMPLE, env=env).ok()
    files = sorted((people.folder / "looked" / "at").iterdir())
    assert [file.suffix for file in files] == [".eml"] * 3
    assert people("send", "2024-09-12", "--test", "me@example.org", env=env).code == 0
    assert len(list((people.folder / "looked" / "at").iterdir())) == 4


def test_alerts_go_to_files(people: Command) -> None:
    env = {
        **SENDER, "NEWSLETTER_PROVIDER__NAME": "smtp", "NEWSLETTER_PROVIDER__SMTP__HOST": "127.0.0.1",
        "NEWSLETTER_PROVIDER__SMTP__PORT": "1", "NEWSLETTER_ALERTS__EMAIL": "me@example.org",
        "NEWSLETTER_ALERTS__PROVIDER__NAME": "file",
    }  # fmt: skip
    assert people("run", "--from", SAMPLE, env=env).code == 1
    assert len(list((people.folder / "mails").glob("*.eml"))) == 1


def test_the_docs_name_every_provider() -> None:
    page = (Path(__file__).parents[2] / "docs" / "providers.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(MAKERS)
