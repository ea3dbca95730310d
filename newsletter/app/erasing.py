"""Erasing a person: off the list, out of the ledger's texts, and out of the file's free space."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from newsletter.app import App
from newsletter.backup.folder import backups_in
from newsletter.delivery import forgetting
from subscribers.suppressions import Erased
from subscribers.traces import Traces

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Erasure:
    """What an erasure takes, or took; ``rest`` counts what is not on the list but in the ledger."""

    person: Erased
    rest: dict[str, int]
    compacted: bool = False
    copies: tuple[Path, ...] = ()  # beside the database, that still hold the person
    backups: tuple[Path, ...] = ()  # of backup.folder: they are packed, and may hold the person


def to_erase(app: App, email_or_id: str) -> Erasure:
    """Return what an erasure would take; nothing changes."""
    suppressions = app.people.suppressions()
    with app.databases.open().read() as connection:
        person = suppressions.to_erase(connection, email_or_id)
        return Erasure(person=person, rest=forgetting.left_behind(connection, person.subscriber.id))


def erase(app: App, number: int, *, actor: str, now: datetime) -> Erasure:
    """Erase a person in one transaction, then what the database's file keeps of deleted rows."""
    suppressions, database = app.people.suppressions(), app.databases.open()
    with database.write(durable=True) as connection:
        rest = forgetting.left_behind(connection, number)
        person = suppressions.erase(connection, str(number), actor=actor, now=now)
        forgetting.forget(connection, number, person.subscriber.email)
    compacted = database.compact()
    copies = () if database.file is None else _copies_with(database.file, person.subscriber.email)
    backups = tuple(backups_in(app.config.path(app.settings.backup.folder)))
    return Erasure(person=person, rest=rest, compacted=compacted, copies=copies, backups=backups)


def _copies_with(file: Path, email: str) -> tuple[Path, ...]:
    """Return the copies that migrations and restores made beside the database and that still hold an address."""
    copies = sorted(file.parent.glob(f"{file.name}.before-*"))
    needles = tuple(needle.encode() for needle in Traces(email).needles())
    return tuple(copy for copy in copies if _holds(copy, needles))


def _holds(path: Path, needles: tuple[bytes, ...]) -> bool:
    """Whether a file holds any of some lower-case texts, in any case."""
    longest = max(map(len, needles))
    with path.open("rb") as file:
        tail = b""
        while chunk := file.read(_CHUNK):
            window = (tail + chunk).lower()
            if any(needle in window for needle in needles):
                return True
            tail = window[-longest:]
    return False
