"""How the commands say what is on the list, and who says it."""

from __future__ import annotations

import difflib
import getpass
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import Any

import click

STATES = ("pending", "active", "paused", "unsubscribed", "bounced", "complained", "suppressed", "erased")
_BLOCK = 1_000


class State(click.ParamType[str]):
    """Where a subscription stands, in one word."""

    name = "STATE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Return the word, or fail with the nearest one."""
        word = str(value).lower()
        if word not in STATES:
            close = difflib.get_close_matches(word, STATES, n=1)
            hint = f"did you mean {close[0]}?" if close else f"choose one of {', '.join(STATES)}"
            self.fail(f"there is no state {value!r}; {hint}", param, ctx)
        return word

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:  # noqa: ARG002
        """Return the words that begin so."""
        from click.shell_completion import CompletionItem

        return [CompletionItem(word) for word in STATES if word.startswith(incomplete)]


def operator() -> str:
    """Return who gives the command, for the history."""
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):  # no name for this user id, as in some containers
        return "operator"


def moment(at: datetime) -> str:
    """Return a time as people read it."""
    return f"{at:%Y-%m-%d %H:%M}"


def word(member: Any) -> str:
    """Return a state or a way in lower case."""
    return str(member.name).lower().replace("_", "-")


def print_json_array(rows: Iterator[dict[str, Any]]) -> None:
    """Print an array one row a line, without holding the list in memory."""
    import msgspec

    encode, before = msgspec.json.encode, "\n  "
    click.echo("[", nl=False)
    while block := list(islice(rows, _BLOCK)):
        click.echo(before + ",\n  ".join(encode(row).decode() for row in block), nl=False)
        before = ",\n  "
    click.echo("\n]")


def stands(one: Any) -> str:
    """Return where a row of the list stands, in one word."""
    from subscribers.standing import standing

    return standing(one.state, one.address_state, suppressed=one.suppressed).value


def listed(rows: Iterable[Any]) -> Iterator[dict[str, Any]]:
    """Yield rows of the list as JSON has them."""
    for one in rows:
        yield {
            "id": one.id, "email": one.email, "name": one.name, "edition": one.edition, "state": stands(one),
            "subscription_state": word(one.state), "tags": list(one.tags), "language": one.language,
            "since": one.created_at.isoformat(), "changed": one.changed_at.isoformat(),
            "paused_until": one.paused_until and one.paused_until.isoformat(),
        }  # fmt: skip


def rows_of(people: Any, connection: Any, person: Any, editions: Iterable[str]) -> list[dict[str, Any]]:
    """Return what the list says of a subscriber's editions now."""
    from subscribers.selection import Chosen

    wanted = set(editions)
    rows = people.listing(connection, Chosen(subscriber=person.id))
    return [row for row in listed(rows) if row["edition"] in wanted]
