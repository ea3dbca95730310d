"""What of a run the operator is told, and in whose words; nothing of it names a reader or a secret."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from newsletter.masking import masked
from newsletter.results import RunResult

LONGEST = 1_500  # characters of a sentence; Discord takes 2,000 in all
_FEWEST = 4  # characters of a secret that is looked for: a shorter one would take words apart


class Trouble(Enum):
    """What there is an alert for; the words are those of the setting ``alerts.on``."""

    FAILED = "failed"
    HELD = "held"
    MISSED = "missed"
    QUIET = "quiet"


_TITLES = {
    Trouble.FAILED: "a run failed",
    Trouble.HELD: "an issue waits for you",
    Trouble.MISSED: "an issue is late",
    Trouble.QUIET: "no papers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something that the operator is told."""

    trouble: Trouble
    newsletter: str
    edition: str
    day: str
    sentence: str
    at: datetime

    @property
    def name(self) -> str:
        """What it is told once under."""
        return f"{self.trouble.value} {self.edition} {self.day}"

    @property
    def title(self) -> str:
        """What it is about, in a few words."""
        return f"{self.newsletter} ({self.edition}): {_TITLES[self.trouble]}"


def alert_of(result: RunResult, newsletter: str, secrets: Collection[str], now: datetime) -> Alert | None:
    """Return what the operator is to know of a run; None where it went as it should."""
    day, sentence = result.day, result.sentence
    if result.by_hand:
        trouble = Trouble.HELD
    elif result.late:
        trouble, sentence = Trouble.MISSED, result.late
    elif not result.ok:
        trouble = Trouble.FAILED
    elif result.quiet:
        trouble, day = Trouble.QUIET, result.quiet[0]
    elif result.kind is not None and result.state is None and not result.again:
        trouble = Trouble.QUIET
    else:
        return None
    return Alert(
        trouble=trouble, newsletter=newsletter, edition=result.edition, day=day.isoformat() if day else "",
        sentence=without_secrets(sentence, secrets)[:LONGEST], at=now,
    )  # fmt: skip


def without_secrets(text: str, secrets: Collection[str]) -> str:
    """Return a text on one line, without addresses and without these secrets."""
    for secret in secrets:
        if len(secret) >= _FEWEST:
            text = text.replace(secret, "***")
    return " ".join(masked(text).split())


def document(alert: Alert, form: str) -> dict[str, Any]:
    """Return what is posted: ``json`` is our own object, ``slack`` and ``discord`` are messages."""
    if form == "slack":
        text = f"*{alert.title}*\n{alert.sentence}"
        return {"text": text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")}
    if form == "discord":
        return {"content": f"**{alert.title}**\n{alert.sentence}", "allowed_mentions": {"parse": []}}
    return {
        "kind": alert.trouble.value, "newsletter": alert.newsletter, "edition": alert.edition, "day": alert.day or None,
        "sentence": alert.sentence, "at": f"{alert.at:%Y-%m-%dT%H:%M:%SZ}",
    }  # fmt: skip


def ping_address(base: str, end: str) -> str:
    """Return the address of a ping: ``/start``, ``/fail`` or nothing more, before what stands behind a ``?``."""
    parts = urlsplit(base)
    return urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}{end}"))
