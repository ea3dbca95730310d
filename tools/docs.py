"""Makes docs/commands.md, docs/settings.md and docs/lint.md from the code: `python -m tools.docs [--check]`."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import click

from newsletter.cli import PROGRAM, cli
from newsletter.config.descriptions import describe
from newsletter.settings.base import Secret
from newsletter.templating.lint.rules import Rule

DOCS = Path(__file__).parent.parent / "docs"
MADE = "<!-- made from the code by `make docs`; do not edit -->\n"


def commands() -> str:
    """Return the page of every command: its usage, help and options."""
    parts = [
        MADE,
        "# Commands\n",
        "Every command explains itself with `--help`. Exit codes: 0 done (also when there was nothing to do, which is",
        "said), 2 wrong use, configuration or input, 1 the work failed.\n",
    ]
    for context in _walk(click.Context(cli, info_name=PROGRAM, **cli.context_settings)):
        help_text = re.sub(r"[ \t]+$", "", context.command.get_help(context), flags=re.MULTILINE)
        parts += [f"## {context.command_path}\n", "```text", help_text, "```\n"]
    return "\n".join(parts)


def _walk(context: click.Context) -> Iterator[click.Context]:
    yield context
    command = context.command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _walk(click.Context(child, info_name=name, parent=context))


def settings() -> str:
    """Return the page of every setting: its type, default and help."""
    parts = [
        MADE,
        "# Settings\n",
        "`newsletter init` writes them all, commented, into `newsletter.toml`; `newsletter config` prints what is in",
        "force and where it came from. Paths are relative to the file. Every setting can be given by the environment:",
        "`NEWSLETTER_` and its path in capitals, with `__` between the levels, such as",
        "`NEWSLETTER_PROVIDER__SMTP__HOST`. The command line wins over the environment, that over the file.\n",
        "`NEWSLETTER_SECRET` stands for the content of `newsletter.secret`. `NAME` is the name of an edition; the one",
        "that is there by default is `daily`.\n",
        "| setting | type | default | what it does |",
        "| --- | --- | --- | --- |",
    ]
    for info in describe():
        default = "" if isinstance(info.default, Secret) else info.default
        written = str(default).lower() if isinstance(default, bool) else default  # as the file has it
        shown = "empty" if default == "" else "must be given" if default is None else f"`{written}`"
        parts.append(f"| `{info.path}` | {info.kind} | {shown} | {info.help} |")
    return "\n".join(parts) + "\n"


def rules() -> str:
    """Return the page of every rule of the lint: its severity and reason."""
    parts = [
        MADE,
        "# Lint\n",
        "What `newsletter lint`, `preview` and every send look for in a finished letter. An error stops a send, a",
        "warning does not.\n",
        "| rule | severity | why |",
        "| --- | --- | --- |",
        *(f"| `{rule.label}` | {rule.severity.value} | {rule.why} |" for rule in Rule),
    ]
    return "\n".join(parts) + "\n"


def main() -> int:
    """Write the pages, or with --check compare them and say which are old."""
    old = 0
    for name, content in (("commands.md", commands()), ("settings.md", settings()), ("lint.md", rules())):
        path = DOCS / name
        if "--check" in sys.argv[1:]:
            if not path.is_file() or path.read_text(encoding="utf-8") != content:
                print(f"{path.name} is old; run `make docs`", file=sys.stderr)
                old = 1
        else:
            path.write_text(content, encoding="utf-8")
    return old


if __name__ == "__main__":
    sys.exit(main())
