"""A draft is edited: its letter is made again, and the operator is asked about that one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from newsletter import store
from newsletter.delivery import ledger
from newsletter.delivery.deadline import was_begun
from newsletter.delivery.notices import ask_operator
from newsletter.dispatch import Dispatcher
from newsletter.edits import Edit, edited
from newsletter.errors import IssueError
from newsletter.letters import make_letter
from newsletter.models.issues import Turn
from newsletter.planning import look_over
from newsletter.states import IssueState
from newsletter.store import IssueRecord
from newsletter.templating.issue import issue_json, render


def edit(
    dispatcher: Dispatcher, record: IssueRecord, edits: Sequence[Edit], *, actor: str, turn: Turn | None
) -> IssueRecord:
    """Change a draft, or one that is held, and ask about it again; raise `InputError` for an edit that fits nothing.

    Nothing changes where one of the edits cannot be, lint finds an error, or another process was faster.
    """
    with dispatcher.database.read() as connection:
        before = ledger.letter_bytes(connection, record.id)
        first, all_edits = store.draft_of(connection, record), store.edits_of(connection, record.id)
    issue, subject = edited(first, [*all_edits, *edits])
    rendered = render(issue, replace(dispatcher.design, issue_number=record.number))
    if subject:
        rendered = replace(rendered, subject=subject)
    letter = make_letter(rendered, issue, dispatcher.identity, dispatcher.clock())
    look_over(dispatcher, issue, letter)
    with dispatcher.database.write(durable=True) as connection:
        now = store.find_issue(connection, record.edition, record.day, lock=True) or record
        if (
            now.state not in {IssueState.DRAFT, IssueState.HELD}
            or ledger.letter_bytes(connection, record.id) != before
        ):
            raise IssueError(
                f"is {now.state.value}, or was edited by somebody else meanwhile", subject=f"issue {record.name}",
                remedy="look at it again",
            )  # fmt: skip
        if was_begun(connection, record.id):
            raise IssueError(
                "has gone out to some already, so it stays as it is", subject=f"issue {record.name}",
                remedy=f"`newsletter issues resume {record.name}` goes on, cancel ends it",
            )  # fmt: skip
        ledger.replace_letter(connection, record.id, letter)
        store.replace_document(connection, record.id, issue_json(issue))
        store.add_edits(connection, record.id, edits, actor=actor, now=letter.date)
        if turn is not None and dispatcher.ask and now.state is IssueState.DRAFT:
            ask_operator(connection, dispatcher.ask, record.id, turn, letter.date)
        return store.issue_by_id(connection, record.id)
