"""Which column says what: by `--map`, by what systems call their columns, or by what a row without header holds."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from subscribers.addresses import parse_address
from subscribers.errors import InvalidAddress, InvalidValue
from subscribers.transfer.words import STANDINGS, word

OWN_COLUMNS = (
    "email", "name", "edition", "state", "tags", "language", "consent_source", "consent_given_at",
    "consent_confirmed_at", "paused_until", "subscription",
)  # fmt: skip
PROBLEM = "problem"


class Field(Enum):
    """What a column may say."""

    EMAIL = "email"
    NAME = "name"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    EDITION = "edition"
    STATE = "state"
    TAGS = "tags"
    LANGUAGE = "language"
    CONSENT = "consent"
    CONSENT_AT = "consent_at"
    CONFIRMED_AT = "confirmed_at"
    PAUSED_UNTIL = "paused_until"
    SUBSCRIPTION = "subscription"  # the subscription's own state, where `state` is the address's
    LEFT = "left"  # a time or yes: this person left
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    BLOCKED = "blocked"
    WANTS = "wants"  # no: this person left
    IGNORE = "ignore"


_NAMES: Mapping[Field, str] = {
    Field.EMAIL: "email e_mail email_address e_mail_address emailaddress mail user_email_address user_email "
    "subscriber_email contact_email 이메일 correo courriel adresse_e_mail メールアドレス 邮箱",
    Field.NAME: "name full_name fullname user_name display_name subscriber_name contact_name 이름 nombre",
    Field.FIRST_NAME: "first_name firstname fname given_name forename vorname prénom prenom",
    Field.LAST_NAME: "last_name lastname lname surname family_name nachname nom apellidos",
    Field.EDITION: "edition",
    Field.STATE: "state status subscriber_type subscription_status subscriber_status email_status member_status",
    Field.TAGS: "tags tag labels groups",
    Field.LANGUAGE: "language lang locale preferred_language",
    Field.LEFT: "email_disabled unsubscribed_at unsubscribe_time unsub_time unsubscription_date unsubscribed "
    "unsubscribed_on unsubscribe_date date_unsubscribed deleted_at opted_out opt_out email_opt_out cancelled_at "
    "opt_out_time optout_time unsubscription_time",
    Field.BOUNCED: "bounced_at clean_time cleaned_at bounced bounce_date",
    Field.COMPLAINED: "complained_at complained spam_complaint abuse_time marked_as_spam_at",
    Field.BLOCKED: "email_blacklisted blacklisted blocklisted email_blocklisted suppressed blocked",
    Field.WANTS: "subscribed_to_emails emails_enabled subscribed email_enabled opted_in",
}
NAMES = {name: meant for meant, names in _NAMES.items() for name in names.split()}
_OWN = {
    "consent_source": Field.CONSENT, "consent_given_at": Field.CONSENT_AT, "consent_confirmed_at": Field.CONFIRMED_AT,
    "paused_until": Field.PAUSED_UNTIL, "subscription": Field.SUBSCRIPTION,
}  # fmt: skip
_SYSTEMS: tuple[tuple[str, frozenset[str], frozenset[str]], ...] = tuple(
    (name, frozenset(every.split()), frozenset(some.split()))
    for name, every, some in (
        ("our own", "email edition state consent_source", ""),
        (
            "Mailchimp",
            "email_address",
            "member_rating leid euid optin_time confirm_time unsub_time clean_time",
        ),
        ("Ghost", "email subscribed_to_emails", ""),
        ("listmonk", "email attributes", ""),
        ("Substack", "email active_subscription", ""),
        ("Substack", "email stripe_plan", ""),
        ("Substack", "user_email_address", ""),
        ("Buttondown", "email_address type creation_date", ""),
        ("Buttondown", "email subscriber_type", ""),
        ("Brevo", "email email_blacklisted", ""),
        ("Kit", "first_name email created_at status", ""),
    )
)
_BY_SYSTEM = {"Buttondown": {"type": Field.STATE}}
_SINGLE = frozenset(Field) - {
    Field.LEFT,
    Field.BOUNCED,
    Field.COMPLAINED,
    Field.BLOCKED,
    Field.WANTS,
    Field.IGNORE,
}
_NAME = re.compile(r"[^\W\d_][^\d@]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """What the columns of a file are. ``single`` has a place at most once, ``signs`` may stand in several."""

    columns: tuple[str, ...]
    system: str = ""
    header: bool = True
    single: Mapping[Field, int] = field(default_factory=dict)
    signs: tuple[tuple[int, Field], ...] = ()

    @property
    def own(self) -> bool:
        """Whether it is our own form, which tells who agreed to what."""
        return self.system == "our own"

    @property
    def guarded(self) -> bool:
        """Whether even addresses may have an apostrophe before them that keeps spreadsheets from calculating."""
        return self.own or self.columns[-1:] == (PROBLEM,)


def check_mapping(pairs: Iterable[str]) -> dict[str, Field]:
    """Return what ``COLUMN=FIELD`` says, or raise `InvalidValue`."""
    found: dict[str, Field] = {}
    for pair in pairs:
        column, equals, name = pair.rpartition("=")
        known = [each.value for each in Field]
        if not equals or not column.strip():
            raise InvalidValue("is no mapping", subject=repr(pair[:60]), remedy="write --map COLUMN=FIELD")
        if word(name) not in known:
            near = difflib.get_close_matches(word(name), known, n=1)
            hint = f"did you mean {near[0]}? " if near else ""
            raise InvalidValue(
                "there is no such field",
                subject=repr(name[:40]),
                remedy=f"{hint}there are {', '.join(known)}",
            )
        found[column.strip()] = Field(word(name))
    return found


def recognised(first: Sequence[str], mapping: Mapping[str, Field]) -> Layout:
    """Return what the columns are, from the first record of a file; raise `InvalidValue` without one of addresses."""
    if any("@" in cell and _is_address(cell) for cell in first):
        return _without_header(first, mapping)
    columns = tuple(cell.strip() for cell in first)
    names = [word(column) for column in columns]
    there = frozenset(names)
    system = next(
        (name for name, every, some in _SYSTEMS if every <= there and (not some or some & there)), ""
    )
    known = NAMES | _BY_SYSTEM.get(system, {}) | (_OWN if system == "our own" else {})
    meant = [known.get(name, Field.IGNORE) for name in names]
    return _layout(columns, meant, mapping, system=system, header=True)


def header_score(cells: Sequence[str]) -> int:
    """Return how many cells are names of columns that are known here."""
    return sum(word(cell) in NAMES for cell in cells)


def _without_header(first: Sequence[str], mapping: Mapping[str, Field]) -> Layout:
    meant = []
    for cell in first:
        text = cell.strip()
        if Field.EMAIL not in meant and _is_address(text):
            meant.append(Field.EMAIL)
        elif word(text) in STANDINGS and Field.STATE not in meant:
            meant.append(Field.STATE)
        elif _NAME.fullmatch(text) and Field.NAME not in meant:
            meant.append(Field.NAME)
        else:
            meant.append(Field.IGNORE)
    columns = tuple(
        f"column {number}" if each is Field.IGNORE else each.value
        for number, each in enumerate(meant, start=1)
    )
    return _layout(columns, meant, mapping, system="", header=False)


def _layout(
    columns: tuple[str, ...], meant: list[Field], mapping: Mapping[str, Field], *, system: str, header: bool
) -> Layout:
    for column, wanted in mapping.items():
        meant = [
            Field.IGNORE if each is wanted and wanted in _SINGLE else each for each in meant
        ]  # the guess gives way
        meant[_place(columns, column)] = wanted
    single: dict[Field, int] = {}
    signs = []
    for place, each in enumerate(meant):
        if each in _SINGLE:
            single.setdefault(each, place)
        elif each is not Field.IGNORE:
            signs.append((place, each))
    if Field.EMAIL not in single:
        there = ", ".join(column or '""' for column in columns[:12])[:300]
        raise InvalidValue(
            f"no column of addresses is known among: {there}", subject="line 1",
            remedy=f"name it with --map '{columns[0] or 1}=email', say",
        )  # fmt: skip
    return Layout(columns=columns, system=system, header=header, single=single, signs=tuple(signs))


def _place(columns: tuple[str, ...], column: str) -> int:
    if column in columns:
        return columns.index(column)
    folded = [word(each) for each in columns]
    if word(column) in folded:
        return folded.index(word(column))
    if column.isascii() and column.isdigit() and 0 < int(column[:9]) <= len(columns):
        return int(column[:9]) - 1
    there = ", ".join(each or '""' for each in columns[:12])[:300]
    raise InvalidValue("there is no such column", subject=repr(column[:40]), remedy=f"there are {there}")


def _is_address(text: str) -> bool:
    try:
        parse_address(text.strip().lstrip("'"))
    except InvalidAddress:
        return False
    return True
