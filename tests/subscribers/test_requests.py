"""What people do themselves, on SQLite and on PostgreSQL: ask, confirm, leave, take it back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from subscribers.errors import Suppressed
from subscribers.models import AddressState, SubscriptionState, Through
from subscribers.requests import Answer, Asked, Requests
from subscribers.selection import Chosen
from subscribers.store import deliverable, wake
from subscribers.subscriptions import ListSettings, SubscriberList
from subscribers.suppressions import Suppressions

NOW = datetime(2024, 9, 12, 6, 30, tzinfo=UTC)
SETTINGS = ListSettings(hash_key=b"a key for tests only")
MARA = "mara@example.org"


@pytest.fixture
def requests() -> Requests:
    """Return the list, as pages use it."""
    return Requests(SETTINGS)


def ask(requests: Requests, connection: sa.Connection, email: str = MARA, now: datetime = NOW) -> Asked:
    return requests.ask(
        connection, email, edition="daily", source="form", text_version="1", network="192.0.2.0/24", now=now
    )


def confirmed(requests: Requests, connection: sa.Connection) -> Asked:
    asked = ask(requests, connection)
    assert asked.consent is not None
    return requests.confirm(connection, asked.consent, now=NOW)


def leave(
    requests: Requests, connection: sa.Connection, asked: Asked, now: datetime = NOW, reason: str = ""
) -> Asked:
    assert asked.subscriber is not None
    return requests.leave(
        connection, asked.subscriber.key, 1, through=Through.ONE_CLICK, now=now, reason=reason
    )


def reached(connection: sa.Connection) -> set[str]:
    return {row.email for row in connection.execute(deliverable("daily"))}


def test_nothing_is_sent_before_it_is_confirmed(requests: Requests, connection: sa.Connection) -> None:
    asked = ask(requests, connection)
    assert asked.answer is Answer.TO_CONFIRM
    assert reached(connection) == set()
    assert asked.consent is not None
    assert requests.confirm(connection, asked.consent, now=NOW + timedelta(hours=1)).answer is Answer.DONE
    assert reached(connection) == {MARA}
    (consent,) = SubscriberList(SETTINGS).show(connection, MARA).consents
    assert (consent.source, consent.text_version, consent.network) == ("form", "1", "192.0.2.0/24")
    assert (consent.given_at, consent.confirmed_at) == (NOW, NOW + timedelta(hours=1))


def test_a_link_works_once(requests: Requests, connection: sa.Connection) -> None:
    first = ask(requests, connection)
    second = ask(requests, connection)
    assert first.consent is not None
    assert second.consent is not None
    assert first.consent != second.consent
    assert requests.confirm(connection, first.consent, now=NOW).answer is Answer.DONE
    assert requests.confirm(connection, first.consent, now=NOW).answer is Answer.ALREADY
    leave(requests, connection, first)
    assert requests.confirm(connection, first.consent, now=NOW).answer is Answer.REFUSED
    assert requests.confirm(connection, 99, now=NOW).answer is Answer.REFUSED
    assert reached(connection) == set()


def test_who_left_may_ask_again_and_nobody_else_can_do_it_for_them(
    requests: Requests, connection: sa.Connection
) -> None:
    asked = confirmed(requests, connection)
    leave(requests, connection, asked)
    again = ask(requests, connection)
    assert again.answer is Answer.TO_CONFIRM
    with pytest.raises(Suppressed, match="left daily on 2024-09-12"):
        SubscriberList(SETTINGS).add(connection, MARA, edition="daily", actor="operator", now=NOW)
    assert reached(connection) == set()
    assert again.consent is not None
    assert requests.confirm(connection, again.consent, now=NOW).answer is Answer.DONE
    assert reached(connection) == {MARA}


def test_leaving_is_taken_back_for_a_while(requests: Requests, connection: sa.Connection) -> None:
    asked = confirmed(requests, connection)
    assert asked.subscriber is not None
    key = asked.subscriber.key
    assert leave(requests, connection, asked).answer is Answer.DONE
    assert leave(requests, connection, asked, reason="too long").answer is Answer.ALREADY
    history = SubscriberList(SETTINGS).show(connection, MARA).history
    assert [entry.step.reason for entry in history] == ["", "", "too long"]
    late = NOW + timedelta(days=31)
    assert requests.come_back(connection, key, 1, now=late).answer is Answer.REFUSED
    assert requests.come_back(connection, key, 1, now=NOW).answer is Answer.DONE
    assert requests.come_back(connection, key, 1, now=NOW).answer is Answer.ALREADY
    assert reached(connection) == {MARA}


def test_who_was_not_confirmed_is_not_so_by_taking_it_back(
    requests: Requests, connection: sa.Connection
) -> None:
    asked = ask(requests, connection)
    leave(requests, connection, asked)
    assert asked.subscriber is not None
    back = requests.come_back(connection, asked.subscriber.key, 1, now=NOW)
    assert back.subscription is not None
    assert back.subscription.state is SubscriptionState.PENDING
    assert reached(connection) == set()


def test_whom_the_operator_took_off_cannot_take_it_back(
    requests: Requests, connection: sa.Connection
) -> None:
    asked = confirmed(requests, connection)
    SubscriberList(SETTINGS).remove(connection, MARA, actor="operator", now=NOW)
    assert asked.subscriber is not None
    assert requests.come_back(connection, asked.subscriber.key, 1, now=NOW).answer is Answer.REFUSED


@pytest.mark.parametrize(("key", "number"), [(b"x" * 16, 1), (b"", 1), (None, 2), (None, 10**9)])
def test_an_unknown_link_changes_nothing(
    requests: Requests, connection: sa.Connection, key: bytes | None, number: int
) -> None:
    asked = confirmed(requests, connection)
    assert asked.subscriber is not None
    chosen = asked.subscriber.key if key is None else key
    assert requests.leave(connection, chosen, number, through=Through.FORM, now=NOW).answer is Answer.REFUSED
    assert reached(connection) == {MARA}


def test_a_pause_ends_by_itself(requests: Requests, connection: sa.Connection) -> None:
    confirmed(requests, connection)
    people = SubscriberList(SETTINGS)
    until = NOW + timedelta(days=3)
    (paused,) = people.pause(connection, MARA, until=until, actor="operator", now=NOW)
    assert paused.paused_until == until
    assert reached(connection) == set()
    assert wake(connection, until - timedelta(seconds=1)) == 0
    assert wake(connection, until) == 1
    assert reached(connection) == {MARA}
    last = people.show(connection, MARA).history[-1]
    assert (last.step.through, last.from_state) == (Through.CLOCK, SubscriptionState.PAUSED)


@pytest.mark.parametrize("state", [AddressState.BOUNCED, AddressState.COMPLAINED])
def test_a_bounce_or_complaint_ends_it_until_it_is_lifted(
    requests: Requests, connection: sa.Connection, state: AddressState
) -> None:
    asked = confirmed(requests, connection)
    assert asked.subscriber is not None
    barred = Suppressions(SETTINGS)
    assert barred.happened(connection, asked.subscriber.id, state, reason="550 5.1.1", now=NOW)
    assert not barred.happened(connection, asked.subscriber.id, state, reason="again", now=NOW)
    assert reached(connection) == set()
    assert ask(requests, connection).answer is Answer.REFUSED
    assert barred.unsuppress(connection, MARA, reason="the mailbox is back", actor="operator", now=NOW)
    assert not barred.unsuppress(connection, MARA, reason="twice", actor="operator", now=NOW)
    assert reached(connection) == {MARA}
    (kept,) = barred.listing(connection, lifted=True)
    assert (kept.reason, kept.lifted_reason, kept.email) == ("550 5.1.1", "the mailbox is back", MARA)


def test_erased_is_erased_and_stays_suppressed(requests: Requests, connection: sa.Connection) -> None:
    asked = confirmed(requests, connection)
    assert asked.subscriber is not None
    barred, people = Suppressions(SETTINGS), SubscriberList(SETTINGS)
    taken = barred.erase(connection, MARA, actor="operator", now=NOW)
    assert (taken.subscriptions, taken.consents) == (1, 1)
    assert reached(connection) == set()
    assert list(people.listing(connection)) == []
    (row,) = people.listing(connection, Chosen(state=AddressState.ERASED))
    assert (row.email, row.name, row.state) == ("", "", SubscriptionState.UNSUBSCRIBED)
    assert ask(requests, connection).answer is Answer.REFUSED
    assert leave(requests, connection, asked).answer is Answer.REFUSED, "links of before lead to nobody"
    details = people.show(connection, str(asked.subscriber.id))
    assert len(details.history) == 4
    assert details.consents == ()
    added = people.add(connection, MARA, edition="daily", actor="op", now=NOW, force="asked on paper")
    assert added.created
    assert added.subscriber.id != asked.subscriber.id


def test_neither_a_stranger_nor_a_removal_wipes_out_that_somebody_left(
    requests: Requests, connection: sa.Connection
) -> None:
    people = SubscriberList(SETTINGS)
    asked = confirmed(requests, connection)
    leave(requests, connection, asked)
    ask(requests, connection)  # a stranger types the address
    people.remove(connection, MARA, actor="operator", now=NOW)
    with pytest.raises(Suppressed, match="one-click"):
        people.add(connection, MARA, edition="daily", actor="operator", now=NOW)
    assert reached(connection) == set()


def test_one_click_in_a_group_is_kept_after_a_removal_too(
    requests: Requests, connection: sa.Connection
) -> None:
    people = SubscriberList(SETTINGS)
    asked = confirmed(requests, connection)
    assert asked.subscriber is not None
    people.remove(connection, MARA, actor="operator", now=NOW)
    assert (
        requests.leave_all(connection, [(asked.subscriber.key, 1)], through=Through.ONE_CLICK, now=NOW) == 0
    )
    with pytest.raises(Suppressed, match="one-click"):
        people.add(connection, MARA, edition="daily", actor="operator", now=NOW)


def test_who_left_is_not_asked_again_by_the_operator(requests: Requests, connection: sa.Connection) -> None:
    asked = ask(requests, connection)
    assert requests.ask_again(connection, MARA, "daily", now=NOW).consent == asked.consent
    leave(requests, connection, asked)
    assert ask(requests, connection).answer is Answer.TO_CONFIRM, "by the form it is their own wish"
    assert requests.ask_again(connection, MARA, "daily", now=NOW).answer is Answer.REFUSED
