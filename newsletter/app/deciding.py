"""A person in the loop: who is asked about drafts, and decisions that are made by command."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from newsletter import store
from newsletter.app.delivering import find_issue
from newsletter.app.identity import checked_address
from newsletter.delivery import drafts
from newsletter.edits import Edit
from newsletter.errors import ConfigError
from newsletter.logs import INFO, tell
from newsletter.models.issues import Turn
from newsletter.settings import Settings
from newsletter.store import IssueRecord

if TYPE_CHECKING:
    from newsletter.app import App


def asked_of(settings: Settings, edition: str) -> str:
    """Return the address that an edition's drafts are mailed to, empty where nobody is asked."""
    schedule = settings.edition(edition).schedule
    if schedule is None or not schedule.approve:
        return ""
    setting = f"editions.{edition}.schedule.approve"
    if not settings.alerts.email:
        raise ConfigError(
            "needs alerts.email", subject=setting, remedy="set the address that drafts are mailed to"
        )
    if not settings.web.public_url and settings.provider.own.real_mail:
        raise ConfigError(
            "needs web.public_url, because its link leads to a page", subject=setting,
            remedy="set it, and let `newsletter serve` run",
        )  # fmt: skip
    return checked_address(settings.alerts.email, "alerts.email")


def edit(app: App, edition: str, day: date, edits: Sequence[Edit], *, actor: str) -> IssueRecord:
    """Change a draft and ask about it again; raises `InputError` for an issue or a place that does not exist."""
    from newsletter import drafting

    with app.databases.open().read() as connection:
        record = find_issue(connection, edition, day)
        known = store.turn_of(connection, record.id)
    schedule, turn = app.settings.edition(edition).schedule, None
    if known is not None and schedule is not None:
        turn = Turn(day=known.day, latest=known.latest.astimezone(ZoneInfo(schedule.timezone)))
    dispatcher = app.senders.dispatcher(edition, report=lambda _line: None, progress=lambda _done, _all: None)
    done = drafting.edit(dispatcher, record, edits, actor=actor, turn=turn)
    for each in edits:
        tell(INFO, "issue edited", issue=done.name, kind=each.kind.value)
    return done


def decide(
    app: App, edition: str, day: date, decision: drafts.Decision, *, actor: str, reason: str = ""
) -> IssueRecord:
    """Approve or hold an issue; raises `InputError` for one that does not exist."""
    with app.databases.open().write(durable=True) as connection:
        record = find_issue(connection, edition, day, lock=True)
        decided = drafts.decide(connection, record, decision, actor=actor, now=app.clock(), reason=reason)
    tell(
        INFO,
        f"issue {decided.state.value}",
        issue=decided.name,
        was=record.state.value,
        reason=decided.reason,
    )
    return decided
