"""What a draft was made of, and what was changed in it by whom."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from newsletter.edits import Edit, EditKind
from newsletter.errors import IssueError
from newsletter.models.issues import Issue
from newsletter.store.issues import IssueRecord, issue_papers
from newsletter.store.tables import draft, issue, issue_edit, issue_paper


def keep_draft(connection: Connection, issue_id: int, content: Issue) -> None:
    """Keep what a draft is made of."""
    connection.execute(insert(draft).values(issue_id=issue_id, content=msgspec.json.encode(content)))


def draft_of(connection: Connection, record: IssueRecord) -> Issue:
    """Return what a draft was made of, before it was edited; raise `IssueError` for an issue that was none."""
    content = connection.execute(
        select(draft.c.content).where(draft.c.issue_id == record.id)
    ).scalar_one_or_none()
    if content is None:
        raise IssueError("was not made as a draft, so it cannot be edited", subject=f"issue {record.name}")
    return msgspec.json.decode(content, type=Issue)


def edits_of(connection: Connection, issue_id: int) -> list[Edit]:
    """Return the edits of an issue in order."""
    rows = connection.execute(
        select(issue_edit).where(issue_edit.c.issue_id == issue_id).order_by(issue_edit.c.id)
    )
    return [Edit(kind=EditKind(row.kind), before=row.before, after=row.after) for row in rows]


def add_edits(
    connection: Connection, issue_id: int, edits: Iterable[Edit], *, actor: str, now: datetime
) -> None:
    """Keep edits with who made them and when."""
    connection.execute(
        insert(issue_edit),
        [
            {
                "issue_id": issue_id, "at": now, "actor": actor, "kind": edit.kind.value, "before": edit.before,
                "after": edit.after,
            }
            for edit in edits
        ],
    )  # fmt: skip


def replace_document(connection: Connection, issue_id: int, document: dict[str, Any]) -> None:
    """Put another document in the place of an issue's, and its papers."""
    connection.execute(
        update(issue).where(issue.c.id == issue_id).values(document=msgspec.json.encode(document))
    )
    connection.execute(delete(issue_paper).where(issue_paper.c.issue_id == issue_id))
    issue_papers(connection, issue_id, document)
