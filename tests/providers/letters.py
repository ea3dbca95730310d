"""The letter and the recipients that the tests of providers send."""

from __future__ import annotations

from datetime import UTC, datetime

from newsletter.models.deliveries import Recipient
from newsletter.models.issues import Letter, placeholder

LETTER = Letter(
    subject="Daily papers",
    html=f'<p>Fourteen papers.</p><a href="{placeholder("unsubscribe_url")}">Unsubscribe</a>',
    text=f"Fourteen papers.\n..and a line that begins with a dot.\n{placeholder('unsubscribe_url')}\n",
    language="en",
    from_name="Paper Post",
    from_address="post@news.example.org",
    date=datetime(2024, 9, 13, 6, 30, tzinfo=UTC),
    boundary="=_letter",
)


def recipient(number: int, address: str = "", name: str = "") -> Recipient:
    """Return the recipient with this subscriber id."""
    return Recipient(
        subscriber_id=number,
        address=address or f"reader{number}@example.org",
        name=name or f"Reader {number}",
        delivery_id=f"daily.20240912.{number}",
        message_id=f"<daily.20240912.{number}@news.example.org>",
        values={"unsubscribe_url": f"https://news.example.org/u/{number}"},
    )


def recipients(count: int) -> list[Recipient]:
    """Return recipients with the subscriber ids from 1."""
    return [recipient(number) for number in range(1, count + 1)]
