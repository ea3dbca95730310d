"""The values that go from room to room: frozen, keyword-only, without behaviour that needs a room.

Times are aware and in UTC. Text is plain text (never HTML) unless a field says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

from newsletter.states import BY_HAND as BY_HAND
from newsletter.states import STOPPED as STOPPED
from newsletter.states import Counts as Counts
from newsletter.states import DeliveryOutcome as DeliveryOutcome
from newsletter.states import DeliveryState as DeliveryState
from newsletter.states import IssueState as IssueState
from newsletter.states import goes_on_by_hand as goes_on_by_hand

# Private-use characters mark a placeholder in a letter; `templating` removes them from all content,
# so nothing that a source says can look like one.
PLACEHOLDER_OPEN = "\ue000"
PLACEHOLDER_CLOSE = "\ue001"


def placeholder(name: str) -> str:
    """Return the mark that stands in a letter where a recipient's value ``name`` goes."""
    return f"{PLACEHOLDER_OPEN}{name}{PLACEHOLDER_CLOSE}"


class DayKind(Enum):
    """What a source's day turned out to be."""

    COMPLETE = "complete"
    QUIET = "quiet"  # closed, and nobody submitted a paper
    NOT_READY = "not_ready"  # not closed yet, or in the future
    CUT = "cut"  # the source has more than it gave
    FAILED = "failed"  # no readable answer after retries


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One part of a summary: ``What's New`` and its text. A heading may be empty (plain bullets)."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A paper as its sources describe it.

    ``id`` is the arXiv id without version (``2409.06820``), or the source's own id for others.
    ``votes`` is the count at the time the day was taken, None where it is not known; ``votable`` is whether
    any of its sources has votes at all (a paper of one that has none is not held to ``min_votes``).
    ``page_url`` is where its source shows it, ``discussion_url`` where people talk about it.
    ``authors`` keep the source's order. ``sections`` is a summary that came with the paper (a digest), written in
    ``sections_language`` as far as the digest's script tells.
    """

    id: str
    title: str
    url: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    votes: int | None = None
    votable: bool = True
    image: str | None = None
    submitted_at: datetime | None = None
    published_at: datetime | None = None
    short_summary: str = ""
    keywords: tuple[str, ...] = ()
    pdf_url: str | None = None
    page_url: str | None = None
    discussion_url: str | None = None
    code_url: str | None = None
    code_stars: int | None = None
    project_url: str | None = None
    organization: str | None = None
    comments: int | None = None
    sections: tuple[Section, ...] = ()
    sections_language: str = ""
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayPart:
    """What one of several merged sources gave: its kind of day, how many papers, and its warnings."""

    source: str
    kind: DayKind
    papers: int
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DayOfPapers:
    """What one source (or several, merged) gave for one day.

    ``page`` is where the source shows all of it. ``parts`` tells the sources of a merged day apart.
    """

    source: str
    day: date
    kind: DayKind
    papers: tuple[Paper, ...]
    taken_at: datetime
    page: str | None = None
    warnings: tuple[str, ...] = ()
    parts: tuple[DayPart, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VoteCount:
    """The votes of a paper, observed at a time."""

    paper_id: str
    votes: int
    taken_at: datetime


class SummaryOrigin(Enum):
    """Where a summary came from."""

    DIGEST = "digest"  # it came with the paper, in a digest
    EXTRACT = "extract"  # the paper's own sentences
    TITLE = "title"  # nothing could be said: title and link only


class PaperKind(Enum):
    """What a paper mainly gives to its readers."""

    BENCHMARK = "benchmark"
    DATASET = "dataset"
    MODEL = "model"
    METHOD = "method"
    SURVEY = "survey"
    SYSTEM = "system"
    THEORY = "theory"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """Why a summary is not sent: where it came from, the check it failed, the faulty text (may be empty), why."""

    origin: SummaryOrigin
    check: str
    text: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What is said of a paper. ``lead`` is one sentence for places that show one line (may be empty).

    ``kind`` is None when unsure; ``result`` is the paper's own sentence with its main result, empty if it has
    none. ``refused`` are the summaries that were not good enough to be this one.
    """

    origin: SummaryOrigin
    sections: tuple[Section, ...]
    lead: str = ""
    language: str = "en"
    kind: PaperKind | None = None
    result: str = ""
    refused: tuple[Refusal, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """How many papers an issue takes: ``top`` 0 means all; fewer than ``fill`` are filled up to it."""

    top: int = 15
    min_votes: int = 2
    fill: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A paper in an issue. ``rank`` counts from 1 in sending order; ``carried_from`` is an earlier day's."""

    rank: int
    paper: Paper
    summary: Summary
    carried_from: date | None = None


class Occasion(Enum):
    """Why an issue is as it is."""

    DAY = "day"  # the papers of its day
    PARTIAL = "partial"  # its day was not complete, and was sent all the same
    QUIET = "quiet"  # its day has no papers; a note says so
    ROLL_UP = "roll-up"  # its day has no papers; the best of earlier days that were not sent


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One edition's number for one day, before it is rendered.

    ``collected`` counts the day's papers, ``entries`` are those that were selected; ``left_out`` are the other
    candidates (paper id, why).
    """

    edition: str
    day: date
    language: str
    entries: tuple[Entry, ...]
    collected: int
    kind: DayKind = DayKind.COMPLETE
    occasion: Occasion = Occasion.DAY
    source_url: str | None = None
    warnings: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def votes(self) -> int:
        """The votes of all entries together."""
        return sum(entry.paper.votes or 0 for entry in self.entries)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """An issue in every form. ``html`` and ``text`` hold placeholders; ``markdown`` is the archive form."""

    subject: str
    preheader: str
    html: str
    text: str
    markdown: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """An issue rendered once, frozen at planning: what every recipient gets but for placeholders.

    ``headers`` are the same for everybody. ``boundary`` and ``date`` are part of it, so that the bytes
    made from it are always the same.
    """

    subject: str
    html: str
    text: str
    language: str
    from_name: str
    from_address: str
    date: datetime
    boundary: str
    headers: tuple[tuple[str, str], ...] = ()


class Recipient(NamedTuple):
    """A delivery's address and values.

    ``delivery_id`` names the delivery (issue and subscriber) for good and tells nothing about the person;
    the outbox uses it as a file name. ``values`` fill the letter's placeholders as plain text. ``return_path`` is the
    address that bounces go to, where the provider lets us say it; empty means the letter's From. It is a tuple, because
    a send makes one for each reader.
    """

    subscriber_id: int
    address: str
    name: str
    delivery_id: str
    message_id: str
    values: Mapping[str, str] = MappingProxyType({})
    headers: tuple[tuple[str, str], ...] = ()
    return_path: str = ""


class Outcome(Enum):
    """What a provider said of one message."""

    ACCEPTED = "accepted"
    RETRY = "retry"  # not taken; a later try may succeed
    REJECTED = "rejected"  # refused for good
    UNCERTAIN = "uncertain"  # it may have been taken


class Receipt(NamedTuple):
    """A provider's answer for one recipient. ``reply`` is what it said, word for word, on one line.

    ``hard``: the reply says that the address is not there, so that nothing should be sent to it again. It is a tuple
    as a recipient is.
    """

    subscriber_id: int
    outcome: Outcome
    reply: str = ""
    provider_id: str = ""
    hard: bool = False


class EventKind(Enum):
    """What a provider says became of a letter; the values are stored (django-anymail's names in brackets)."""

    QUEUED = "queued"  # the provider has it [queued, sent]
    DEFERRED = "deferred"  # the reader's server puts it off [deferred]
    DELIVERED = "delivered"  # the reader's server has it [delivered]
    HARD = "hard"  # the mailbox or its domain is not there [bounced, rejected]
    SOFT = "soft"  # it bounced for any other reason [bounced, rejected]
    POLICY = "policy"  # it was the letter or its sender that was refused [bounced, rejected]
    COMPLAINT = "complaint"  # [complained]
    UNSUBSCRIBE = "unsubscribe"  # [unsubscribed]
    SUBSCRIBE = "subscribe"  # [subscribed]
    OPENED = "opened"  # [opened]
    OPENED_BY_MACHINE = "opened-by-machine"  # [opened]
    CLICKED = "clicked"  # [clicked]
    UNKNOWN = "unknown"  # none of these: kept, and counted [unknown]


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that a provider says of one letter, proven to be the provider's word.

    ``id`` names it for good at that provider. ``delivery_id`` and ``subscriber_id`` are those that the provider was
    given with the letter (empty and None where it gives none back): the subscriber is the delivery's only if the
    id can be made from its key. ``address`` is given where ``subscriber_id`` is not. ``reason`` is what a server
    or the provider said, on one line; of an unknown kind, what the provider calls it.
    """

    id: str
    kind: EventKind
    at: datetime
    delivery_id: str = ""
    subscriber_id: int | None = None
    address: str = ""
    status: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """An edition's scheduled send of a local day; nothing of it is begun after ``latest`` (of any zone)."""

    day: date
    latest: datetime

    @property
    def deadline(self) -> str:
        """``latest`` as people read it, with its zone."""
        return f"{self.latest:%Y-%m-%d %H:%M %Z}"
