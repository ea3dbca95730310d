"""An address in what people and servers wrote goes, and what stands around it stays."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from subscribers import schema
from subscribers.errors import UnknownSubscriber
from subscribers.subscriptions import ListSettings, SubscriberList
from subscribers.suppressions import Suppressions
from subscribers.traces import Traces

NOW = datetime(2024, 9, 12, 6, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("550 <ADA@Example.ORG>: user unknown", "550 <(erased)>: user unknown"),
        ("write to ada@example.org.", "write to (erased)."),
        ("rfc822;ada@example.org", "rfc822;(erased)"),
        ("bounce+ada=example.org@lists.example", "bounce+(erased)@lists.example"),
        ("/u?email=ada%40example.org&x=1", "/u?email=(erased)&x=1"),
        ("/u?to=%3Cada%40example.org%3E", "/u?to=%3C(erased)%3E"),
        ("wada@example.org", "wada@example.org"),
        ("x.ada@example.org", "x.ada@example.org"),
        ("x+ada@example.org", "x+ada@example.org"),
        ("ada@example.org.uk", "ada@example.org.uk"),
        ("ada@example.organic", "ada@example.organic"),
        ("nothing here", "nothing here"),
    ],
)
def test_an_address_in_any_form_goes(text: str, left: str) -> None:
    assert Traces("Ada@example.org").redact(text) == left


def test_a_domain_in_its_own_script_goes() -> None:
    assert Traces("ada@xn--bcher-kva.example").redact("an Ada@BÜCHER.example") == "an (erased)"


def test_texts_of_others_keep_all_but_the_address(people: SubscriberList, connection: sa.Connection) -> None:
    suppressions = Suppressions(ListSettings(hash_key=b"a key for tests only"))
    for email, name in [
        ("ada@example.org", "Ada"),
        ("b@example.org", "is ada@example.org"),
        ("wada@example.org", ""),
    ]:
        people.add(connection, email, edition="daily", name=name, tags=["lab"], actor="ops", now=NOW)
    people.tag(connection, "b@example.org", ["ada@example.org", "ada_example.org"])
    people.remove(
        connection,
        "b@example.org",
        actor="ops",
        now=NOW,
        reason="same as ADA@example.org, and wada@example.org",
    )
    suppressions.suppress(
        connection, "x@example.org", reason="ada@example.org asked for it", actor="ops", now=NOW
    )
    suppressions.suppress(connection, "ada@example.org", reason="Ada is angry", actor="ops", now=NOW)
    suppressions.erase(connection, "ada@example.org", actor="ops", now=NOW)

    other = people.show(connection, "b@example.org")
    assert (other.subscriber.name, other.subscriber.tags) == ("is (erased)", ("ada_example.org", "lab"))
    assert other.history[-1].step.reason == "same as (erased), and wada@example.org"
    reasons = connection.execute(
        sa.select(schema.suppression.c.reason).order_by(schema.suppression.c.id)
    ).scalars()
    assert list(reasons) == ["(erased) asked for it", "(erased) is angry"]
    assert people.find(connection, "wada@example.org").id == 3


def test_nothing_is_kept_of_the_erased_again(people: SubscriberList, connection: sa.Connection) -> None:
    suppressions = Suppressions(ListSettings(hash_key=b"a key for tests only"))
    people.add(connection, "ada@example.org", edition="daily", actor="ops", now=NOW)
    suppressions.erase(connection, "1", actor="ops", now=NOW)
    for act in (
        lambda: people.tag(connection, "1", ["lab"]),
        lambda: people.untag(connection, "1", ["lab"]),
        lambda: people.remove(connection, "1", actor="ops", now=NOW, reason="Ada said so"),
        lambda: people.pause(connection, "1", until=NOW.replace(year=2025), actor="ops", now=NOW),
    ):
        with pytest.raises(UnknownSubscriber, match="subscriber 1: is erased"):
            act()
