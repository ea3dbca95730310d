"""Values that are refused before the database is asked: here it has no tables, so asking it would fail."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from subscribers.errors import InvalidAddress, InvalidValue
from subscribers.subscriptions import ListSettings, SubscriberList

NOW = datetime(2024, 9, 12, 6, 30, tzinfo=UTC)


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    """Return a connection to a database without tables."""
    engine = sa.create_engine("sqlite://")
    with engine.connect() as connection:
        yield connection
    engine.dispose()


@pytest.mark.parametrize(
    "given", ["", "me", "-1", "1.0", "²", "me@example.org\n", "1; DROP TABLE subscriber"]
)
def test_what_is_neither_address_nor_number_is_refused(
    people: SubscriberList, connection: sa.Connection, given: str
) -> None:
    with pytest.raises(InvalidAddress):
        people.find(connection, given)


@pytest.mark.parametrize("edition", ["", "Daily", "-daily", "a b", "day/ko", "d" * 33, "ko\n", "한국"])
def test_a_bad_edition_is_refused(people: SubscriberList, connection: sa.Connection, edition: str) -> None:
    with pytest.raises(InvalidValue, match="no name for an edition"):
        people.add(connection, "me@example.org", edition=edition, actor="operator", now=NOW)


@pytest.mark.parametrize(
    ("name", "tags", "language", "said"),
    [
        ("Me\r\nBcc: you@example.org", [], None, "line break"),
        ("Me\x00", [], None, "line break"),
        ("Me\u2028you", [], None, "line break"),
        ("Me\u202eyou", [], None, "line break"),
        ("Me\ue000name\ue001", [], None, "line break"),
        ("Me\ud800", [], None, "line break"),
        ("n" * 201, [], None, "at most 200"),
        ("", ["a\tb"], None, "line break"),
        ("", [" "], None, "empty"),
        ("", ["t" * 201], None, "at most 200"),
        ("", [], "english", "no language"),
        ("", [], "", "no language"),
    ],
)
def test_a_bad_profile_is_refused(
    people: SubscriberList,
    connection: sa.Connection,
    name: str,
    tags: list[str],
    language: str | None,
    said: str,
) -> None:
    with pytest.raises(InvalidValue, match=said) as refused:
        people.add(
            connection,
            "me@example.org",
            edition="daily",
            name=name,
            tags=tags,
            language=language,
            actor="operator",
            now=NOW,
        )
    assert str(refused.value).isprintable()


def test_a_short_key_is_refused_and_no_key_is_shown() -> None:
    with pytest.raises(InvalidValue, match="at least 16 bytes"):
        ListSettings(hash_key=b"short")
    assert "secret" not in repr(ListSettings(hash_key=b"a secret key of the list"))
