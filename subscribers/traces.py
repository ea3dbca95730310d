"""An address in what people and servers wrote: found in any case, and taken out with the text around it kept.

Reasons, replies of mail servers and payloads of events quote addresses. Erasure goes through all of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import quote

import sqlalchemy as sa

from subscribers.schema import consent, execute, history, import_run, subscriber, suppression, tag

REDACTED = "(erased)"
WRITTEN = (  # what may quote somebody else's address; the rest holds times, numbers and words of our own
    history.c.reason, history.c.actor, consent.c.source, suppression.c.reason, suppression.c.lifted_reason,
    suppression.c.actor, suppression.c.lifted_by, subscriber.c.name,
    import_run.c.file, import_run.c.actor, import_run.c.undone_by,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Traces:
    """The ways in which an address may be written; ``email`` is one with an ASCII domain."""

    email: str

    def needles(self) -> tuple[str, ...]:
        """Return every spelling, in lower case: plain, as an international domain, in links and in bounce addresses."""
        local, _, domain = self.email.lower().rpartition("@")
        spellings = [f"{local}{sign}{domain}" for sign in ("@", "%40", "=")]
        try:
            readable = domain.encode("ascii").decode("idna")
        except UnicodeError:
            readable = domain
        spellings.append(f"{quote(local, safe='')}%40{domain}".lower())
        return tuple(dict.fromkeys([*spellings, f"{local}@{readable}"]))

    def redact(self, text: str) -> str:
        """Return a text without the address; a longer address that ends or begins with it stays."""
        for needle in self.needles():
            before = "" if "%40" in needle else r"(?<![A-Za-z0-9._])" if "=" in needle else r"(?<![\w.+%-])"
            text = re.sub(
                before + re.escape(needle) + r"(?!\.?[A-Za-z0-9-])", REDACTED, text, flags=re.IGNORECASE
            )
        return text


def sweep(connection: sa.Connection, traces: Traces, columns: Iterable[sa.Column[str]]) -> int:
    """Take an address out of text columns, whoever's rows they are in; return how many texts changed."""
    changed = 0
    for column in columns:
        place = list(column.table.primary_key.columns)
        quoted = [sa.func.lower(column).contains(needle, autoescape=True) for needle in traces.needles()]
        for row in execute(connection, sa.select(*place, column).where(sa.or_(*quoted))).all():
            text = row[-1]
            if (rest := traces.redact(text)) == text:
                continue
            here = [part == row[index] for index, part in enumerate(place)]
            execute(connection, sa.update(column.table).where(*here).values({column: rest}))
            changed += 1
    return changed


def sweep_list(connection: sa.Connection, email: str) -> int:
    """Take an address out of every text of the list; return how many texts changed."""
    traces = Traces(email)
    labels = [sa.func.lower(tag.c.tag).contains(needle, autoescape=True) for needle in traces.needles()]
    named = [
        row for row in execute(connection, sa.select(tag).where(sa.or_(*labels))) if _names(traces, row.tag)
    ]
    for row in named:  # a tag is a key: two that become the same would be one
        here = (tag.c.subscriber_id == row.subscriber_id, tag.c.tag == row.tag)
        execute(connection, sa.delete(tag).where(*here))
    return len(named) + sweep(connection, traces, WRITTEN)


def _names(traces: Traces, label: str) -> bool:
    return traces.redact(label) != label
