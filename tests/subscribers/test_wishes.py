"""The person's own wish is kept, whatever the operator did before or does after."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from subscribers.errors import InvalidValue, Suppressed
from subscribers.models import AddressState, SubscriptionState, Through
from subscribers.requests import Answer, Requests
from subscribers.selection import Chosen
from subscribers.standing import Standing
from subscribers.store.subscriptions import ensure_edition
from subscribers.subscriptions import ListSettings, SubscriberList
from subscribers.suppressions import Suppressions

NOW = datetime(2024, 9, 12, 6, 30, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
SETTINGS = ListSettings(hash_key=b"a key for tests only")


@pytest.mark.parametrize("through", [Through.REQUEST, Through.ONE_CLICK, Through.FORM])
def test_who_leaves_after_the_operators_removal_is_not_brought_back(
    people: SubscriberList, connection: sa.Connection, through: Through
) -> None:
    added = people.add(connection, "me@example.org", edition="daily", actor="ops", now=NOW)
    people.remove(connection, "me@example.org", actor="ops", now=NOW)
    number = ensure_edition(connection, "daily")
    for _ in range(2):
        if through is Through.REQUEST:
            moved = people.remove(connection, "1", actor="ops", now=LATER, through=through, reason="by phone")
            assert moved == ()
        elif through is Through.ONE_CLICK:
            link = (added.subscriber.key, number)
            assert Requests(SETTINGS).leave_all(connection, [link], through=through, now=LATER) == 0
        else:
            left = Requests(SETTINGS).leave(
                connection, added.subscriber.key, number, through=through, now=LATER
            )
            assert left.answer is Answer.ALREADY
    steps = people.show(connection, "me@example.org").history
    assert [each.step.through for each in steps] == [Through.CLI, Through.CLI, through], "kept once"
    assert steps[-1].from_state is steps[-1].to_state is SubscriptionState.UNSUBSCRIBED
    with pytest.raises(Suppressed, match="left daily"):
        people.add(connection, "me@example.org", edition="daily", actor="ops", now=LATER)
    back = Requests(SETTINGS).come_back(connection, added.subscriber.key, number, now=LATER)
    assert back.answer is Answer.REFUSED, "the operator's removal stands"


def test_force_needs_a_reason_and_says_what_it_lifted(
    people: SubscriberList, connection: sa.Connection
) -> None:
    people.add(connection, "me@example.org", edition="daily", actor="ops", now=NOW)
    Suppressions(SETTINGS).suppress(connection, "me@example.org", reason="x", actor="ops", now=NOW)
    with pytest.raises(InvalidValue, match="needs a reason"):
        people.add(connection, "me@example.org", edition="daily", actor="ops", now=NOW, force="  ")
    added = people.add(
        connection, "me@example.org", edition="daily", actor="ops", now=NOW, force="wrote again"
    )
    assert (added.created, added.reactivated, added.lifted) == (False, False, True)
    (lifted,) = Suppressions(SETTINGS).listing(connection, lifted=True)
    assert lifted.lifted_reason == "wrote again"


def test_every_subscription_is_listed_where_it_stands(
    people: SubscriberList, connection: sa.Connection
) -> None:
    suppressions, requests = Suppressions(SETTINGS), Requests(SETTINGS)
    for name in ("active", "paused", "unsubscribed", "bounced", "complained", "suppressed", "erased"):
        people.add(connection, f"{name}@example.org", edition="daily", actor="ops", now=NOW)
    requests.ask(connection, "pending@example.org", edition="daily", source="form", text_version="1", now=NOW)
    people.pause(connection, "paused@example.org", until=LATER, actor="ops", now=NOW)
    people.remove(connection, "unsubscribed@example.org", actor="ops", now=NOW)
    suppressions.happened(connection, 4, AddressState.BOUNCED, reason="550", now=NOW)
    suppressions.happened(connection, 5, AddressState.COMPLAINED, reason="spam", now=NOW)
    suppressions.suppress(connection, "suppressed@example.org", reason="x", actor="ops", now=NOW)
    suppressions.erase(connection, "erased@example.org", actor="ops", now=NOW)
    for where in Standing:
        rows = list(people.listing(connection, Chosen(state=where)))
        assert [row.email for row in rows] == (
            [""] if where is Standing.ERASED else [f"{where.value}@example.org"]
        )


@pytest.mark.parametrize("text", ["özil", "ÖZIL", "Özil", "zO", "ZOE@", "example.ORG", "Ö"])
def test_a_name_is_found_in_any_case(people: SubscriberList, connection: sa.Connection, text: str) -> None:
    people.add(connection, "zoe@example.org", edition="daily", name="Zoë Özil", actor="ops", now=NOW)
    people.add(connection, "x@example.com", edition="daily", name="100%_", actor="ops", now=NOW)
    assert [row.id for row in people.listing(connection, Chosen(text=text))] == [1]
    assert [row.id for row in people.listing(connection, Chosen(text="0%_"))] == [2]


def test_tags_come_and_go(people: SubscriberList, connection: sa.Connection) -> None:
    people.add(connection, "me@example.org", edition="daily", tags=["lab"], actor="ops", now=NOW)
    assert people.tag(connection, "1", ["beta", "lab", " beta "]) == ("beta",)
    assert people.untag(connection, "me@example.org", ["lab", "none"]) == ("lab",)
    assert people.find(connection, "1").tags == ("beta",)
    with pytest.raises(InvalidValue, match="empty"):
        people.tag(connection, "1", [" "])
