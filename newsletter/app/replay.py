"""A replay: an issue made again from the answers that were kept."""

from __future__ import annotations

from dataclasses import replace as changed
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from newsletter.app.network import Network
from newsletter.app.summarizing import summarizer
from newsletter.errors import InputError
from newsletter.models.issues import Letter
from newsletter.models.papers import DayKind, DayOfPapers

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.database import Database


def sent_and_again(app: App, edition: str, day: date) -> tuple[Letter, Letter]:
    """Return an issue's letter as it was frozen, and as it comes out of the kept answers now."""
    from newsletter import store
    from newsletter.collecting import with_history
    from newsletter.delivery import ledger
    from newsletter.letters import make_letter
    from newsletter.pipeline import make_issue
    from newsletter.templating.issue import render

    name = f"{day}/{edition}"
    database = app.databases.find()
    record = None
    if database is not None:
        with database.read() as connection:
            record = store.find_issue(connection, edition, day)
    if database is None or record is None:
        raise InputError("there is no such issue", subject=name, remedy="`newsletter run` makes one")
    as_of, policy = record.created_at, app.editions.policy(edition)
    today = _collected(app, database, day, as_of)
    if today is None:
        raise InputError(
            "no answers of its sources are kept", subject=name,
            remedy="they are kept for sources.keep_raw_days, and not for issues made --from files",
        )  # fmt: skip
    if today.kind is DayKind.FAILED:
        raise InputError(
            f"its kept answers are not those that the sources of now ask for: {today.warnings[-1]}", subject=name,
            remedy="set [sources] as it was then",
        )  # fmt: skip
    plan = policy.plan(today.kind)
    if plan is None:
        raise InputError(
            f"the edition's settings make no issue of a day that is {today.kind.value.replace('_', ' ')}", subject=name,
            remedy=f"set [editions.{edition}] as it was then",
        )  # fmt: skip
    window = range(1, plan.carry_days + 1)
    earlier = [_collected(app, database, day - timedelta(days=back), as_of) for back in window]
    with database.read() as connection:
        sent = ledger.load_letter(connection, record.id)
        people = with_history(connection, edition, today, [each for each in earlier if each], as_of=as_of)
    issue = make_issue(
        today, people, edition=edition, language=app.settings.edition(edition).language, selection=plan.selection,
        summarizer=summarizer([each.paper for each in people]), occasion=plan.occasion,
    )  # fmt: skip
    rendered = render(issue, changed(app.letters.design(edition), issue_number=record.number))
    again = make_letter(rendered, issue, app.letters.identity(example=True), sent.date)
    return sent, again


def _collected(app: App, database: Database, day: date, as_of: datetime) -> DayOfPapers | None:
    from newsletter import store
    from newsletter.http_client import Response
    from newsletter.ingestion.recording import RecordedClient

    with database.read() as connection:
        answers = store.answers_of(connection, day, as_of)
    if not answers:
        return None
    recorded = RecordedClient(
        {url: Response(status=each.status, headers={}, body=each.body) for url, each in answers.items()}
    )
    return Network(app.settings.sources, clock=lambda: as_of, answers=recorded).source().fetch(day)
