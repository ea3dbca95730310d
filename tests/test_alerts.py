"""What an alert says, where a ping goes, and that what was told is remembered on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from newsletter import store
from newsletter.alerts import LONGEST, Alert, alert_of, document, ping_address, without_secrets
from newsletter.database import Database
from newsletter.models.papers import DayKind
from newsletter.results import RunResult
from newsletter.states import Counts, IssueState

NOW = datetime(2026, 1, 6, 8, tzinfo=UTC)
DAY = date(2026, 1, 5)
AGAIN = timedelta(hours=20)


def told(**values: object) -> Alert | None:
    """Return the alert of a run."""
    return alert_of(RunResult(edition="daily", sentence="A sentence.", **values), "News", [], NOW)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({}, None),
        ({"day": DAY, "kind": DayKind.COMPLETE, "state": IssueState.FINISHED}, None),
        ({"day": DAY, "kind": DayKind.COMPLETE, "again": True}, None),
        ({"ok": False}, "failed"),
        ({"ok": False, "by_hand": True}, "held"),
        ({"by_hand": True, "late": "Late."}, "held"),
        ({"late": "Late."}, "missed"),
        ({"ok": False, "late": "Late."}, "missed"),
        ({"day": DAY, "kind": DayKind.QUIET}, "quiet"),
        ({"day": DAY, "kind": DayKind.COMPLETE}, "quiet"),
        ({"state": IssueState.FINISHED, "quiet": (DAY,), "counts": Counts(prepared=1, accepted=1)}, "quiet"),
        ({"ok": False, "quiet": (DAY,)}, "failed"),
    ],
    ids=str,
)
def test_what_there_is_an_alert_for(values: dict[str, object], kind: str | None) -> None:
    found = told(**values)
    assert (found.trouble.value if found else None) == kind


def test_nobody_is_named() -> None:
    reply = "550 <ada@example.org>: no; see https://x.example/?a=ada%40example.org, token T0KEN1, \nab"
    said = without_secrets(reply, ["T0KEN1", "", "ab"])
    assert "ada" not in said
    assert "T0KEN1" not in said
    assert said.endswith("***, ab")  # one of two letters would take words apart


@pytest.mark.parametrize("form", ["json", "slack", "discord"])
def test_what_is_long_still_fits(form: str) -> None:
    found = alert_of(RunResult(edition="daily", sentence="word " * 5_000, ok=False), "N" * 80, [], NOW)
    assert found is not None
    assert len(found.sentence) <= LONGEST
    assert len(str(document(found, form))) < 2_000


@pytest.mark.parametrize(
    ("base", "end", "address"),
    [
        ("https://hc.example/u", "/start", "https://hc.example/u/start"),
        ("https://hc.example/u/", "/fail", "https://hc.example/u/fail"),
        ("https://hc.example/u?create=1", "/fail", "https://hc.example/u/fail?create=1"),
        ("https://hc.example/u", "", "https://hc.example/u"),
    ],
)
def test_where_a_ping_goes(base: str, end: str, address: str) -> None:
    assert ping_address(base, end) == address


def test_what_was_told_is_remembered_for_a_while(database: Database) -> None:
    def is_news(name: str, now: datetime) -> bool:
        with database.write() as connection:
            return store.is_news(connection, name, now, again=AGAIN)

    assert is_news("webhook failed daily", NOW)
    assert not is_news("webhook failed daily", NOW + AGAIN - timedelta(seconds=1))
    assert is_news("email failed daily", NOW)
    assert is_news("webhook failed daily", NOW + AGAIN)
    assert not is_news("webhook failed daily", NOW + AGAIN)
    with database.write() as connection:
        store.was_not_told(connection, "webhook failed daily")
    assert is_news("webhook failed daily", NOW + AGAIN)
    assert not is_news("email failed daily", NOW + AGAIN - timedelta(minutes=1))
