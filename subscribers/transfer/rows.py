"""A record becomes a row to store, or a fault with what is wrong in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from subscribers.cells import cell_tags, plain_cell
from subscribers.checks import LONGEST_TEXT, check_edition, check_profile, check_tags, check_text
from subscribers.errors import InvalidValue
from subscribers.models import AddressState, SubscriptionState, Through
from subscribers.transfer import words
from subscribers.transfer.quick import Addresses
from subscribers.transfer.systems import Field, Layout
from subscribers.transfer.table import Extra
from subscribers.transfer.words import Standing

_REMEMBERED = 10_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_SIGNS = {
    Field.LEFT: Standing.LEFT, Field.BOUNCED: Standing.BOUNCED, Field.COMPLAINED: Standing.COMPLAINED,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What an import is told: ``edition`` for rows that name none, for all with ``everybody``.

    ``editions`` are those that there are. ``consent`` says where and when these people agreed, empty: nobody knows.
    """

    edition: str
    everybody: bool = False
    editions: frozenset[str] = frozenset()
    tags: tuple[str, ...] = ()
    consent: str = ""
    mapping: Mapping[str, Field]
    skip_invalid: bool = False


class Row(NamedTuple):
    """A person in an edition, as a file has it; times in microseconds since 1970, as the tables keep them."""

    email: str
    address_key: str
    name: str
    language: str | None
    edition: str
    standing: int
    state: int
    address: int
    suppress: int
    paused_until: int | None
    consent: str | None
    text_version: str
    network: str | None
    given_at: int | None
    confirmed_at: int | None
    since: int | None
    changed: int | None
    cause: str


class Step(NamedTuple):
    """A line of history from JSON Lines."""

    seq: int
    at: int
    of_address: int
    from_state: int | None
    to_state: int
    actor: str
    through: int
    reason: str


class Maker:
    """Makes rows of the records of one list; what rarely changes from row to row is remembered."""

    def __init__(
        self, layout: Layout, wanted: Wanted, addresses: Addresses, standing: Standing | None,
        extra: Extra | None,
    ) -> None:  # fmt: skip
        """``extra`` is what JSON Lines tell beside their cells, which need no apostrophes; None for CSV."""
        self._wanted, self._extra = wanted, extra
        self._bare = plain_cell if extra is None else _as_it_is
        self._read = addresses.read
        self._width = len(layout.columns)
        self._guarded = layout.guarded and extra is None
        self._columns = layout.columns
        self._signs = layout.signs
        self._named = standing
        place = layout.single.get
        self._email = layout.single[Field.EMAIL]
        self._name, self._first, self._last = (
            place(Field.NAME),
            place(Field.FIRST_NAME),
            place(Field.LAST_NAME),
        )
        self._state, self._beneath = place(Field.STATE), place(Field.SUBSCRIPTION)
        self._edition = None if wanted.everybody else place(Field.EDITION)
        self._language, self._tags = place(Field.LANGUAGE), place(Field.TAGS)
        self._consent, self._until = place(Field.CONSENT), place(Field.PAUSED_UNTIL)
        self._consent_at, self._confirmed_at = place(Field.CONSENT_AT), place(Field.CONFIRMED_AT)
        self._known_tags: dict[str, tuple[str, ...]] = {"": wanted.tags}
        self._known_languages: dict[str, str | None] = {"": None}

    def make(self, cells: list[str]) -> tuple[Row, tuple[str, ...]]:
        """Return a row and its tags, or raise `InvalidValue`."""
        missing = self._width - len(cells)
        if missing > 0:
            cells = cells + [""] * missing
        elif missing < 0 and any(cells[self._width :]):
            raise InvalidValue(
                f"has {len(cells)} cells where the header has {self._width}", subject="the row"
            )
        given = cells[self._email]
        email, key = self._read(plain_cell(given) if self._guarded else given)
        language = self._language_of(cells)
        tags = self._tags_of(cells)
        standing = self._standing(cells)
        own = None if self._consent is None else self._text(cells[self._consent], "consent") or None
        agreed = own or self._wanted.consent
        if standing <= Standing.PAUSED and not agreed:
            standing = Standing.PENDING
        beneath = self._beneath_of(cells, standing, agreed=bool(agreed))
        until = self._pause(cells) if beneath is SubscriptionState.PAUSED else None
        consent = own or (agreed if standing <= Standing.PAUSED else None)
        row = Row(
            email, key, self._name_of(cells), language, self._edition_of(cells), int(standing), int(beneath),
            int(words.ADDRESS.get(standing, AddressState.ACTIVE)), int(standing is Standing.SUPPRESSED), until,
            consent, "", None, self._time(cells, self._consent_at) if own else None,
            self._time(cells, self._confirmed_at) if own else None, None, None, standing.name.lower(),
        )  # fmt: skip
        return row if self._extra is None else _with_extra(row, self._extra), tags

    def steps(self) -> list[Step]:
        """Return the history that JSON Lines tell of the row that was made last; raise `InvalidValue`."""
        return (
            [] if self._extra is None else [_step(seq, given) for seq, given in enumerate(self._extra.steps)]
        )

    def _standing(self, cells: list[str]) -> Standing:
        """Return the strictest of what the row says."""
        said = cells[self._state] if self._state is not None else ""
        standing = words.standing(said) if said and not said.isspace() else Standing.ACTIVE
        for place, sign in self._signs:
            cell = cells[place]
            if sign is Field.WANTS:
                found = Standing.ACTIVE if words.truth(cell, self._columns[place]) else Standing.LEFT
            elif not cell or not words.happened(cell):
                continue
            elif sign is Field.BLOCKED:
                found = Standing.SUPPRESSED if words.truth(cell, self._columns[place]) else Standing.ACTIVE
            else:
                found = _SIGNS[sign]
            standing = max(standing, found)
        return standing if self._named is None else max(standing, self._named)

    def _beneath_of(self, cells: list[str], standing: Standing, *, agreed: bool) -> SubscriptionState:
        """Return the subscription's own state, which only our own form tells where the address is barred."""
        if standing <= Standing.PENDING:
            return words.SUBSCRIPTION[standing]
        if standing is Standing.LEFT or self._beneath is None or not cells[self._beneath]:
            return SubscriptionState.UNSUBSCRIBED
        beneath = words.standing(cells[self._beneath])
        if beneath <= Standing.PAUSED and not agreed:
            beneath = Standing.PENDING
        return words.SUBSCRIPTION.get(beneath, SubscriptionState.UNSUBSCRIBED)

    def _pause(self, cells: list[str]) -> int:
        until = self._time(cells, self._until)
        if until is None:
            raise InvalidValue(
                "a pause has an end",
                subject="paused",
                remedy="give it in a column paused_until, or write pending",
            )
        return until

    def _time(self, cells: list[str], place: int | None) -> int | None:
        return None if place is None else stored(words.moment(cells[place], self._columns[place]))

    def _name_of(self, cells: list[str]) -> str:
        name = cells[self._name] if self._name is not None else ""
        if not name and (self._first is not None or self._last is not None):
            parts = (cells[place] for place in (self._first, self._last) if place is not None)
            name = " ".join(part.strip() for part in parts if part.strip())
        return self._text(name, "name") if name else ""

    def _edition_of(self, cells: list[str]) -> str:
        name = cells[self._edition].strip() if self._edition is not None else ""
        if not name:
            return self._wanted.edition
        if name not in self._wanted.editions:
            there = ", ".join(sorted(self._wanted.editions)[:5])
            raise InvalidValue(
                "there is no such edition", subject=repr(check_edition(name)), remedy=f"there are {there}"
            )
        return name

    def _language_of(self, cells: list[str]) -> str | None:
        cell = cells[self._language] if self._language is not None else ""
        if cell not in self._known_languages:
            main, _, rest = self._bare(cell).strip().replace("_", "-").partition("-")
            tag = f"{main.lower()}-{rest}" if rest else main.lower()
            _make_room(self._known_languages)
            self._known_languages[cell] = check_profile("", (), tag or None).language
        return self._known_languages[cell]

    def _text(self, cell: str, what: str) -> str:
        return _one_line(self._bare(cell), what)

    def _tags_of(self, cells: list[str]) -> tuple[str, ...]:
        cell = cells[self._tags] if self._tags is not None else ""
        if cell not in self._known_tags:
            tags = [_one_line(tag, "tag") for tag in cell_tags(self._bare(cell))]
            _make_room(self._known_tags)
            self._known_tags[cell] = check_tags({*tags, *self._wanted.tags} - {""})
        return self._known_tags[cell]


def _make_room(known: dict[str, Any]) -> None:
    if len(known) >= _REMEMBERED:
        for key in list(known)[1:]:  # the first stands for an empty cell
            del known[key]


def _as_it_is(text: str) -> str:
    return text


def _one_line(text: str, what: str) -> str:
    """Return a text on one line: what parts lines in a cell is a space to us."""
    if text.isascii() and text.isprintable() and len(text) <= LONGEST_TEXT:
        return text.strip()
    return check_text(text if text.isprintable() else " ".join(text.split()), what)


def _with_extra(row: Row, extra: Extra) -> Row:
    return row._replace(
        text_version=_one_line(extra.text_version, "text version"),
        network=_one_line(extra.network, "network") or None,
        since=stored(words.moment(extra.since, "since")),
        changed=stored(words.moment(extra.changed, "changed")),
        cause=_one_line(extra.suppression, "reason") or row.cause,
    )


def stored(at: datetime | None) -> int | None:
    """Return a time as the tables keep it."""
    return None if at is None else (at - _EPOCH) // _MICROSECOND


def _step(seq: int, given: Mapping[str, Any]) -> Step:
    try:
        of_address = bool(given.get("address"))
        kind: Any = AddressState if of_address else SubscriptionState
        before = given.get("from")
        at = stored(words.moment(str(given["at"]), "at"))
        if at is None:
            raise KeyError("at")
        return Step(
            seq, at, int(of_address), None if before is None else int(kind[str(before).upper()]),
            int(kind[str(given["to"]).upper()]), check_text(str(given["actor"]), "actor"),
            int(Through[str(given["through"]).upper().replace("-", "_")]),
            check_text(str(given.get("reason") or ""), "reason"),
        )  # fmt: skip
    except KeyError as error:
        raise InvalidValue("a step of the history lacks or has an unknown", subject=str(error)) from error
