"""`newsletter dkim`: the keys that sign letters, and their records in DNS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter.cli.shared import json_option, open_app, print_json
from newsletter.config import load
from newsletter.errors import InputError

if TYPE_CHECKING:
    from newsletter.dkim import KeyType


@click.group(short_help="Make keys that sign letters, and print what goes into DNS.")
def dkim() -> None:
    """Keys that sign letters, by which receivers tell that they are yours (docs/dkim.md)."""


@dkim.command(short_help="Print the records that belong into DNS.")
@json_option
@click.pass_context
def record(context: click.Context, as_json: bool) -> None:
    """Print the TXT record of each key as a line of a zone file, cut into strings of at most 255 octets.

    A form on a web page mostly wants the strings joined: `--json` has both.
    """
    from newsletter.dkim import record_strings

    with open_app(context) as app:
        from newsletter.app import signing

        signers = signing.signers(app.config)
    if not signers:
        raise InputError("nothing is signed yet", subject="[dkim]", remedy="set dkim.domain and dkim.keys")
    if as_json:
        print_json(
            [
                {
                    "selector": each.selector, "name": each.record_name, "type": "TXT", "value": each.record,
                    "strings": record_strings(each.record),
                }
                for each in signers
            ]
        )  # fmt: skip
        return
    for each in signers:
        strings = " ".join(f'"{string}"' for string in record_strings(each.record))
        click.echo(f"{each.record_name}. IN TXT ( {strings} )")


@dkim.command("new-key", short_help="Make a key.")
@click.argument("selector")
@click.option(
    "--type", "kind", type=click.Choice(["rsa", "ed25519"]), default="rsa", show_default=True,
    help="RSA with 2048 bits, which every receiver knows, or Ed25519, which is shorter and faster.",
)  # fmt: skip
@click.option(
    "--out", metavar="FILE", help="Where it goes, from newsletter.toml's folder (dkim-SELECTOR.pem)."
)
@click.pass_context
def new_key(context: click.Context, selector: str, kind: KeyType, out: str | None) -> None:
    """Write a new private key that you alone can read; no file is written over.

    SELECTOR names it in DNS: a new one for each key, such as the year, so that old letters stay valid.
    """
    from newsletter.app import signing

    config = load(context.find_object(Path))
    name = out or f"dkim-{signing.checked_selector(selector)}.pem"
    signing.new_key(config.path(name), kind)
    dkim, sender = config.settings.dkim, config.settings.sender.email
    keys = ", ".join(f"{key} = {json.dumps(path)}" for key, path in {**dkim.keys, selector: name}.items())
    click.echo(f"Wrote {config.path(name)}. Whoever has it can sign as you: keep it as safe as a password.")
    click.echo("In newsletter.toml:\n\n[dkim]")
    click.echo(f'domain = "{dkim.domain or sender.rpartition("@")[2] or "example.com"}"')
    click.echo(f"keys = {{ {keys} }}\n")
    click.echo(
        "`newsletter dkim record` then prints what goes into DNS; put it there before the next letter."
    )
