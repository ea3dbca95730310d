"""`newsletter inbox`: what comes back by mail."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.shared import json_option, open_app, print_json, print_table

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.app.mailbox import MailRead
    from newsletter.providers.mailbox.boxes import Box


@click.group(short_help="Read what comes back: bounces, complaints, mails that unsubscribe.")
def inbox() -> None:
    """Read the mailbox that bounces, complaints and unsubscribe mails come to (docs/inbox.md)."""


@inbox.command(short_help="Read the mailbox once, and do what its mails ask for.")
@click.option("--maildir", type=click.Path(path_type=Path), metavar="DIR", help="A Maildir.")
@click.option(
    "--mbox", type=click.Path(path_type=Path), metavar="FILE", help="An mbox file; it is not changed."
)
@click.option("--imap", "by_imap", is_flag=True, help="The folder of [inbox]; so without any of the three.")
@click.option("--dry-run", is_flag=True, help="Only say what each mail is; change nothing.")
@json_option
@click.pass_context
def read(
    context: click.Context,
    maildir: Path | None,
    mbox: Path | None,
    by_imap: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Read each mail once: who bounced for good or complained is suppressed, who unsubscribes leaves.

    Nobody is suppressed without proof that the mail is about a letter of this newsletter. Mails of people are left.
    """
    if sum((maildir is not None, mbox is not None, by_imap)) > 1:
        raise click.UsageError("give one of --maildir, --mbox and --imap")
    with open_app(context) as app:
        from newsletter.app.mailbox import look, work_through

        box = _box(app, maildir, mbox)
        mails = list(look(box) if dry_run else work_through(app, box))
    if as_json:
        print_json({"messages": [_described(mail) for mail in mails]})
    else:
        _show(mails)


def _box(app: App, maildir: Path | None, mbox: Path | None) -> Box:
    from newsletter.app.mailbox import imap
    from newsletter.providers.mailbox.boxes import Maildir, Mbox

    if maildir is not None:
        return Maildir(maildir)
    return Mbox(mbox) if mbox is not None else imap(app)


def _described(mail: MailRead) -> dict[str, str]:
    found, name = mail.found, mail.name.encode("utf-8", "replace").decode()
    return {
        "message": name, "kind": found.kind.value, "recipient": found.recipient, "status": found.status,
        "reason": found.reason,
    }  # fmt: skip


def _show(mails: list[MailRead]) -> None:
    if not mails:
        click.echo("There is no new mail.")
        return
    headings = ("message", "kind", "recipient", "status", "reason", "done")
    print_table(
        headings,
        [
            (*_described(mail).values(), mail.effect.value if mail.effect is not None else "")
            for mail in mails
        ],
    )
    counted = Counter(
        mail.effect.value if mail.effect is not None else mail.found.kind.value for mail in mails
    )
    click.echo(", ".join(f"{number} {name}" for name, number in sorted(counted.items())) + ".")
