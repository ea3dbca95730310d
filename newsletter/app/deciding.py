"""A person in the loop: who is asked about drafts, and decisions that are made by command."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from newsletter import store
from newsletter.app.identity import checked_address
from newsletter.delivery import drafts
from newsletter.errors import ConfigError, InputError
from newsletter.logs import INFO, tell
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
    if not settings.web.public_url and settings.provider.name != "outbox":
        raise ConfigError(
            "needs web.public_url, because its link leads to a page", subject=setting,
            remedy="set it, and let `newsletter serve` run",
        )  # fmt: skip
    return checked_address(settings.alerts.email, "alerts.email")


def decide(
    app: App, edition: str, day: date, decision: drafts.Decision, *, actor: str, reason: str = ""
) -> IssueRecord:
    """Approve or hold an issue; raises `InputError` for one that does not exist."""
    with app.database().write(durable=True) as connection:
        record = store.find_issue(connection, edition, day, lock=True)
        if record is None:
            raise InputError(
                "there is no such issue",
                subject=f"{day}/{edition}",
                remedy="`newsletter issues list` names them",
            )
        decided = drafts.decide(connection, record, decision, actor=actor, now=app.clock(), reason=reason)
    tell(
        INFO,
        f"issue {decided.state.value}",
        issue=decided.name,
        was=record.state.value,
        reason=decided.reason,
    )
    return decided
