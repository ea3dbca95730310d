"""`newsletter subscribers`: the list. One file a kind of command; the group knows them all."""

from __future__ import annotations

import click

from newsletter.cli.subscribers import (
    confirming,
    editing,
    erasing,
    looking,
    showing,
    states,
    stats,
    suppressing,
    tagging,
)


@click.group(short_help="Manage the list of subscribers.")
def subscribers() -> None:
    """Manage the list of subscribers. A subscriber may be given by e-mail address or by number."""


for _command in (
    editing.add,
    editing.remove,
    editing.unsubscribe,
    confirming.confirm,
    states.pause,
    states.resume,
    tagging.tag,
    tagging.untag,
    looking.list_,
    looking.find,
    showing.show,
    stats.stats,
    suppressing.suppress,
    suppressing.unsuppress,
    suppressing.suppressions,
    erasing.erase,
):
    subscribers.add_command(_command)
