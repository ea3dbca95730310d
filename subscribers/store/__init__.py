"""The SQL of the list. A transaction belongs to the caller: nothing here begins or commits one.

Tables are in `subscribers.schema`, what is kept for proof in `subscribers.records`. Statements run on SQLite
and PostgreSQL alike.
"""

from __future__ import annotations

from subscribers.schema import metadata
from subscribers.store.people import addresses_of, keys_at, keys_of
from subscribers.store.selects import at_domains, deliverable, mailboxes
from subscribers.store.subscriptions import wake

__all__ = [
    "addresses_of",
    "at_domains",
    "deliverable",
    "keys_at",
    "keys_of",
    "mailboxes",
    "metadata",
    "wake",
]  # what other packages may use; the rest serves `subscriptions`
