"""What the inside asks of the outside. Synchronous: concurrency belongs to the sender.

Adapters in `ingestion`, `summaries` and `providers` have these shapes; `app` hands them down. Each seam has
one contract test suite that every implementation passes, fakes included.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from enum import Enum
from typing import Protocol

from newsletter.models.deliveries import Event, Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.models.papers import DayOfPapers, Paper, Summary


class Source(Protocol):
    """Where the day's papers come from."""

    @property
    def name(self) -> str:
        """A short name for records and messages."""

    def fetch(self, day: date) -> DayOfPapers:
        """Return what the source has for a day. A failing source returns kind FAILED with a warning."""


class Summarizer(Protocol):
    """Says of a paper what is new."""

    def summarize(self, paper: Paper, language: str) -> Summary:
        """Return a summary, in ``language`` where this summarizer can; raise `SummaryError` if none."""


class Exposure(Enum):
    """Which unsettled recipients of a dead process may have been written to."""

    NONE = "none"  # sending again is exact: the provider knows the delivery
    FIRST = "first"  # one after the other: only the first unsettled one
    ALL = "all"  # a batch in one request: any of them


class OnUncertain(Enum):
    """What becomes of a message of which nobody knows whether it was taken."""

    RESEND = "resend"  # again, with the same Message-ID
    HOLD = "hold"  # until an event or a person tells


class Connection(Protocol):
    """An open way to the provider, used by one sending thread."""

    def send(self, letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        """Yield one receipt a recipient, lazily and in order.

        Recipient k+1's data is not written before receipt k was consumed, so the ledger commits in between; that it
        will come may have been said to the server, so who waits between two hands them over one at a time. Where a
        request holds many (`Exposure.ALL`), none begins before the receipts of the one before were consumed.

        Raise `ProviderUnavailable` for faults that concern nobody in particular (log-in, quota, connection),
        `ProviderBusy` where the provider says when it takes something again: those recipients that have no receipt
        yet were not written to.
        """


class Provider(Protocol):
    """Takes messages for delivery."""

    @property
    def name(self) -> str:
        """The value of ``provider.name`` that chooses it."""

    @property
    def batch_size(self) -> int:
        """How many recipients a claim for this provider should hold at most."""

    @property
    def exposure(self) -> Exposure:
        """What a crash in the middle of `Connection.send` leaves in doubt."""

    @property
    def on_uncertain(self) -> OnUncertain:
        """What becomes of what is in doubt."""

    def connect(self) -> AbstractContextManager[Connection]:
        """Open a connection; raise `ProviderUnavailable` if it cannot be had."""


class EventReader(Protocol):
    """Reads what a provider posts of letters on their way."""

    @property
    def name(self) -> str:
        """The provider's name; its events are posted to ``/events/NAME``."""

    def read(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Sequence[Event]:
        """Return the events of a posted body; ``headers`` have names in lower case.

        Raise `WebhookRefused` for a body that the provider did not sign, or signed too long ago. What is signed and
        not understood is an event of `EventKind.UNKNOWN`, never an error.
        """
