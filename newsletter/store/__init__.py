"""Papers, days, votes, issues and the sources' answers: their SQL. Functions take the caller's transaction."""

from newsletter.store.answers import (
    RawAnswer,
    answers_of,
    forget_answers,
    keep_answer,
    recall,
    remember,
    reserve_turn,
)
from newsletter.store.days import (
    find_day,
    find_paper,
    load_day,
    newest_day,
    save_day,
    stored_days,
    vote_history,
)
from newsletter.store.installation import get_setting, put_setting
from newsletter.store.issues import (
    IssueRecord,
    create_issue,
    find_issue,
    issues_of,
    issues_on,
    left_out_of,
    move_issue,
    newest_issue,
    next_number,
    sent_papers,
    unfinished_issues,
)

__all__ = [
    "IssueRecord",
    "RawAnswer",
    "answers_of",
    "create_issue",
    "find_day",
    "find_issue",
    "find_paper",
    "forget_answers",
    "get_setting",
    "issues_of",
    "issues_on",
    "keep_answer",
    "left_out_of",
    "load_day",
    "move_issue",
    "newest_day",
    "newest_issue",
    "next_number",
    "put_setting",
    "recall",
    "remember",
    "reserve_turn",
    "save_day",
    "sent_papers",
    "stored_days",
    "unfinished_issues",
    "vote_history",
]
