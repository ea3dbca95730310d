"""`newsletter subscribers`: the list. One file a kind of command; the group knows them all."""

from __future__ import annotations

import click

from newsletter.cli.subscribers import editing, looking, transfer


@click.group(short_help="Manage the list of subscribers.")
def subscribers() -> None:
    """Manage the list of subscribers. A subscriber may be given by e-mail address or by number."""


for _command in (editing.add, editing.remove, looking.list_, looking.show):
    subscribers.add_command(_command)
for _command in (transfer.import_, transfer.export):
    subscribers.add_command(_command)
