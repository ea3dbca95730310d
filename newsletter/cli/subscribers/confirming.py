"""`newsletter subscribers confirm`: mails to those who are pending, and the operator's own word."""

from __future__ import annotations

import click

from newsletter.cli.shared import complain, edition_option, json_option, open_app, print_json, warn
from newsletter.cli.subscribers.forms import operator


@click.command(short_help="Ask pending subscribers to confirm, by mail.")
@click.argument("subscriber", required=False)
@edition_option
@click.option("--send", is_flag=True, help="Mail the link to SUBSCRIBER, or to everybody who is pending.")
@click.option("--consent", metavar="TEXT", help="Confirm SUBSCRIBER yourself: where and when they agreed.")
@json_option
@click.pass_context
def confirm(
    context: click.Context, subscriber: str | None, edition: str | None, send: bool, consent: str | None,
    as_json: bool,
) -> int:  # fmt: skip
    """Ask who is pending to confirm (--send), or confirm one who agreed otherwise (--consent).

    Nobody gets more than one such mail a week.
    """
    if send == (consent is not None):
        raise click.UsageError("say --send, or --consent TEXT with a SUBSCRIBER")
    if consent is not None and subscriber is None:
        raise click.UsageError("--consent confirms one SUBSCRIBER: name one")
    with open_app(context) as app:
        from newsletter.app.confirming import confirm_by_word, mail_pending

        name, fault = app.editions.name(edition), ""
        if consent is not None:
            assert subscriber is not None
            done = confirm_by_word(app, subscriber, name, consent, operator())
            result = {"confirmed": int(done)}
        else:
            asked, lately, tally = mail_pending(app, subscriber, name, warn)
            result, fault = {"asked": asked, "too soon": lately, "sent": tally.sent}, tally.fault
    if as_json:
        print_json(result)
    else:
        click.echo(", ".join(f"{n} {what}" for what, n in result.items()) + ".")
    if fault:
        complain(fault)
    return 1 if fault else 0
