"""One issue sent by its name, and its real letter sent to a few as a test."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from newsletter import store
from newsletter.delivery import claims, ledger, restored
from newsletter.delivery.recipients import recipient
from newsletter.errors import InputError, ProviderBusy, ProviderUnavailable
from newsletter.letters import Identity, make_letter
from newsletter.models.deliveries import Receipt
from newsletter.models.issues import Letter
from newsletter.templating.issue import render

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.dispatch import Dispatcher
    from newsletter.results import RunResult

MARK = "[Test] "


def send_planned(dispatcher: Dispatcher, edition: str, day: date) -> RunResult:
    """Send what is waiting of an issue that was planned; raises `InputError` for one that was not."""
    with dispatcher.database.read() as connection:
        record = store.find_issue(connection, edition, day)
    if record is None:
        raise InputError(
            "there is no such issue",
            subject=f"{day}/{edition}",
            remedy=f"`newsletter run --day {day}` plans one",
        )
    return dispatcher.go_on(record, dry_run=False)


def send_test(
    app: App, edition: str, day: date, addresses: Sequence[str], report: Callable[[str], None]
) -> Iterator[tuple[str, Receipt]]:
    """Send the letter of an issue, or the one that its day would have now, marked, to a few; no row of it is kept.

    Its unsubscribe link leads to nobody. Yields the provider's answer for each as it comes. Raises `InvalidAddress`
    before anything is sent, and `ProviderUnavailable` where those who are left got nothing.
    """
    from subscribers.addresses import parse_address

    checked = [parse_address(address).email for address in addresses]
    provider = app.senders.provider()
    identity = app.letters.identity(example=not app.settings.provider.own.real_mail)
    letter = _letter(app, edition, day, identity, report)
    letter = replace(letter, subject=MARK + letter.subject)
    readers = []
    for number, address in enumerate(checked):
        row = claims.ClaimedRow(
            subscriber_id=number, email=address, name="", key=bytes(16), edition_number=0, attempt=1
        )
        reader = recipient(
            row, edition=edition, day=day, links=identity.links, from_address=letter.from_address
        )
        once, domain = secrets.token_hex(12), letter.from_address.rpartition("@")[2]
        readers.append(reader._replace(delivery_id=f"test.{once}", message_id=f"<test.{once}@{domain}>"))
    try:
        with provider.connect() as connection:
            yield from zip(checked, connection.send(letter, readers), strict=True)
    except ProviderBusy as error:  # nothing goes on with a test
        raise ProviderUnavailable(
            error.problem, subject=error.subject, remedy="nobody was rejected; send the test again later"
        ) from error


def _letter(app: App, edition: str, day: date, identity: Identity, report: Callable[[str], None]) -> Letter:
    from newsletter.app import now
    from newsletter.app.previewing import make_preview

    database = app.databases.find()
    if database is not None:
        with database.read() as connection:
            restored.check(connection)
            record = store.find_issue(connection, edition, day)
            if record is not None:
                report(f"the letter of issue {record.name}, as it is frozen ({record.state.value})")
                return ledger.load_letter(connection, record.id)
    report(f"no issue of {day}/{edition} is planned yet: the letter as it would be now")
    issue = make_preview(app, paths=(), day=day, edition=edition, language=None, top=None, min_votes=None)
    return make_letter(render(issue, app.letters.design(edition)), issue, identity, now())
