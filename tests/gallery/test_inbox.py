"""The gallery through our own SMTP provider into MailDev, a real inbox, as `make inbox` does it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from urllib.request import urlopen

import pytest

from tools.gallery import inbox
from tools.gallery.plates import PLATES


@pytest.mark.usefixtures("node")
def test_every_letter_arrives_whole() -> None:
    with inbox.maildev() as running:
        subjects = list(inbox.send(running, datetime.now(UTC)))
        with urlopen(f"{running.address}api/email", timeout=10) as answer:
            arrived: list[dict[str, Any]] = json.load(answer)
    assert len(arrived) == len(subjects) == len(PLATES)
    by_name = {mail["to"][0]["name"]: mail for mail in arrived}
    for plate, subject in zip(PLATES, subjects, strict=True):
        mail, issue = by_name[plate.name], plate.make()
        assert mail["subject"] == subject
        assert mail["to"][0]["address"] == f"{plate.name}@example.org"
        assert f'lang="{issue.language}"' in mail["html"]
        for entry in issue.entries:
            assert entry.paper.url in mail["text"]
        assert f"{plate.name}@example.org" in mail["html"]
        assert f"{plate.name}@example.org" in mail["text"]
