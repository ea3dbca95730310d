"""What became of deliveries, by the domain of the addresses as they are now, for one issue or several together.

Addresses come in as a `Select` of ``id, email, domain`` (`subscribers.store.mailboxes`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from sqlalchemy import Connection, Select, and_, func, select

from newsletter.delivery.outcomes import Outcomes, Reach
from newsletter.delivery.tables import delivery
from newsletter.states import STATES_OF, Counts, DeliveryOutcome, DeliveryState

LARGEST = 10  # domains that are told apart
OTHERS, UNKNOWN = "others", "unknown"
_OUTCOMES = {
    "delivered": DeliveryOutcome.DELIVERED,
    "bounced": DeliveryOutcome.BOUNCED,
    "complained": DeliveryOutcome.COMPLAINED,
}
_Part = TypeVar("_Part", Counts, Outcomes)


@dataclass(frozen=True, slots=True, kw_only=True)
class OfDomain:
    """What became of the deliveries to one domain; `OTHERS` are all but the largest, `UNKNOWN` the erased."""

    domain: str
    counts: Counts
    outcomes: Outcomes


def by_domain(
    connection: Connection, issue_ids: Collection[int], mailboxes: Select[Any], total: Reach,
    leaving: Iterable[Select[tuple[int]]],
) -> tuple[OfDomain, ...]:  # fmt: skip
    """Return the largest domains, the others together, and people who are erased; the parts add up to ``total``.

    ``leaving`` are the people who unsubscribed after each of the issues. Where nobody told of all of them, nobody told
    of a domain.
    """
    left = _left_by_domain(connection, mailboxes, leaving)
    known: list[OfDomain] = []
    unknown: list[OfDomain] = []
    for row in connection.execute(_largest(issue_ids, mailboxes)):
        own = {name: int(number or 0) for name, number in row._mapping.items() if name != "domain"}
        outcomes = {
            **{name: own.pop(name) for name in (*_OUTCOMES, "no_word")},
            "unsubscribed": left[row.domain],
        }
        part = OfDomain(
            domain=UNKNOWN if row.domain is None else row.domain, counts=Counts(**own),
            outcomes=_known(outcomes, total.outcomes),
        )  # fmt: skip
        (unknown if row.domain is None else known).append(part)
    del known[LARGEST:]
    counts, rest = total.counts, total.outcomes
    for each in (*known, *unknown):
        counts, rest = _less(counts, each.counts), _less(rest, each.outcomes)
    others = OfDomain(domain=OTHERS, counts=counts, outcomes=rest)
    return (*known, *([others] if counts.prepared or rest.unsubscribed else []), *unknown)


def _largest(issue_ids: Collection[int], mailboxes: Select[Any]) -> Select[Any]:
    people, own = mailboxes.subquery(), delivery.c
    # In two steps, because the databases work out a domain anew for each column that counts it.
    kinds = (
        select(people.c.domain, own.state, own.outcome, func.count().label("n"))
        .select_from(delivery)
        .outerjoin(people, people.c.id == own.subscriber_id)
        .where(own.issue_id.in_(issue_ids))
        .group_by(people.c.domain, own.state, own.outcome)
        .subquery()
    )
    numbers, of = func.sum(kinds.c.n), kinds.c
    prepared = numbers.label("prepared")
    silent = and_(of.state == int(DeliveryState.ACCEPTED), of.outcome == int(DeliveryOutcome.UNKNOWN))
    parts = [
        *(numbers.filter(of.state.in_(wanted)).label(name) for name, wanted in STATES_OF.items()),
        *(numbers.filter(of.outcome == int(wanted)).label(name) for name, wanted in _OUTCOMES.items()),
        numbers.filter(silent).label("no_word"),
    ]
    return (
        select(of.domain, prepared, *parts)
        .group_by(of.domain)
        .order_by(of.domain.is_(None).desc(), prepared.desc(), of.domain)
        .limit(LARGEST + 1)
    )


def _left_by_domain(
    connection: Connection, mailboxes: Select[Any], leaving: Iterable[Select[tuple[int]]]
) -> Counter[str | None]:
    people, found = mailboxes.subquery(), Counter[str | None]()
    for gone in leaving:
        left = gone.subquery()
        counted = (
            select(people.c.domain, func.count(left.c.id.distinct()).label("n"))
            .select_from(left)
            .outerjoin(people, people.c.id == left.c.id)
            .group_by(people.c.domain)
        )
        found.update({row.domain: row.n for row in connection.execute(counted)})
    return found


def _known(part: dict[str, int], total: Outcomes) -> Outcomes:
    """Leave out what nobody told."""
    return Outcomes(**{name: number for name, number in part.items() if getattr(total, name) is not None})


def _less(whole: _Part, part: _Part) -> _Part:
    left: dict[str, Any] = {}
    for each in fields(whole):
        of_whole = getattr(whole, each.name)
        left[each.name] = None if of_whole is None else of_whole - getattr(part, each.name)
    return type(whole)(**left)
