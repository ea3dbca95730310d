"""Reading the mailbox that bounces, complaints and unsubscribe mails come to, and doing what they ask for."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from newsletter.app import App, now
from newsletter.app.receiving import allowance
from newsletter.delivery.feedback import Effect, Feedback, take
from newsletter.errors import ConfigError
from newsletter.providers.mailbox import read
from newsletter.providers.mailbox.boxes import Box, Imap, ImapSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class MailRead:
    """A mail, what it says, and what became of it; None where nothing was to be done (a dry run)."""

    name: str
    found: Feedback
    effect: Effect | None


def imap(app: App) -> Imap:
    """Return the configured folder; raise `ConfigError` where none is."""
    own = app.settings.inbox
    if not own.host:
        raise ConfigError(
            "names no mail server", subject="inbox.host", remedy="set it, or give --maildir or --mbox"
        )
    ca_file: Path | None = app.config.path(own.ca_file) if own.ca_file else None
    return Imap(
        ImapSettings(
            host=own.host, port=own.port, username=own.username, password=own.password.reveal(), folder=own.folder,
            timeout=own.timeout, ca_file=ca_file,
        )
    )  # fmt: skip


def look(box: Box) -> Iterator[MailRead]:
    """Yield what each mail says, and change nothing."""
    with box:
        for name, data in box.mails():
            yield MailRead(name=name, found=read(data), effect=None)


def work_through(app: App, box: Box) -> Iterator[MailRead]:
    """Do what each mail asks for, once; what only a person can answer stays as it is."""
    database, people, bounces = app.databases.open(), app.people.requests(), allowance(app)
    with box:
        for name, data in box.mails():
            found, event = read(data), hashlib.sha256(data).hexdigest()
            with database.write(durable=True) as connection:
                effect = take(connection, people, found, event_id=event, allowance=bounces, now=now())
            if effect is not Effect.LEFT:
                box.done(name)
            yield MailRead(name=name, found=found, effect=effect)
