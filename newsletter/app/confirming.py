"""Those who are pending: asked by mail to confirm, or confirmed by the operator's word."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING

from subscribers.models import SubscriptionState
from subscribers.requests import Answer
from subscribers.selection import Chosen

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.correspondence import Tally

AGAIN_AFTER = timedelta(days=7)


def mail_pending(
    app: App, who: str | None, edition: str, report: Callable[[str], None]
) -> tuple[int, int, Tally]:
    """Mail the link to one or to all who are pending; return how many are asked, were so lately, and what was sent."""
    from newsletter.app import now
    from newsletter.delivery import notices

    letters, people, listing = (
        app.senders.correspondence(report),
        app.people.requests(),
        app.people.subscribers(),
    )
    chosen = Chosen(edition=edition, state=SubscriptionState.PENDING)
    with app.databases.open().read() as connection:
        pending = [who] if who is not None else [str(row.id) for row in listing.listing(connection, chosen)]
    asked = lately = 0
    for given in pending:
        with app.databases.open().write(durable=True) as connection:
            found = people.ask_again(connection, given, edition, now=now())
            if found.answer is not Answer.TO_CONFIRM or found.subscriber is None:
                continue
            if notices.asked_since(connection, found.subscriber.id, now() - AGAIN_AFTER):
                lately += 1
                continue
            language = found.subscriber.language or app.settings.edition(edition).language
            asked += notices.answer(connection, found, language, now(), limited=False)
    return asked, lately, letters.drain()


def confirm_by_word(app: App, who: str, edition: str, consent: str, actor: str) -> bool:
    """Confirm one who is pending, on the operator's word of where and when they agreed; return if it changed."""
    from newsletter.app import now

    people = app.people.subscribers()
    with app.databases.open().write(durable=True) as connection:
        return people.confirm(connection, who, edition=edition, consent=consent, actor=actor, now=now())
