"""The command `newsletter`: one file a noun. Imports that cost stand inside the commands that need them."""

from __future__ import annotations

import importlib
import io
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING

import click

from newsletter import __version__
from newsletter.errors import ConfigError, InputError, NewsletterError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

PROGRAM = "newsletter"
COMMANDS = {
    "preview": ("newsletter.cli.preview:preview", "Write the letter to files, as a reader would get it."),
    "lint": ("newsletter.cli.lint:lint", "Look for what is wrong with a letter, before anybody gets it."),
    "run": ("newsletter.cli.run:run", "Send the day's issue: each subscriber once."),
    "status": ("newsletter.cli.status:status", "Tell how everything stands, and what needs a hand."),
    "next": ("newsletter.cli.next:next_", "Print when the coming issues are sent."),
    "send": ("newsletter.cli.send:send", "Send one issue by its name, or its letter as a test."),
    "collect": ("newsletter.cli.collect:collect", "Collect days and their votes, without sending."),
    "papers": ("newsletter.cli.papers:papers", "Look at the papers that were collected."),
    "rank": ("newsletter.cli.rank:rank", "Print who would stand in the issue of a day, and why."),
    "summaries": (
        "newsletter.cli.summaries:summaries",
        "Check that summaries are true to their papers.",
    ),
    "issues": ("newsletter.cli.issues:issues", "Look at issues; pause, go on, cancel."),
    "deliveries": (
        "newsletter.cli.deliveries:deliveries",
        "See who got an issue; send again, resolve.",
    ),
    "stats": ("newsletter.cli.stats:stats", "Tell how the last issues did, and at which domains."),
    "subscribers": ("newsletter.cli.subscribers:subscribers", "Manage the list of subscribers."),
    "serve": ("newsletter.cli.serve:serve", "Serve the pages on which people subscribe and leave."),
    "notices": ("newsletter.cli.notices:notices", "Send mails of its own: to confirm, to welcome."),
    "inbox": ("newsletter.cli.inbox:inbox", "Read what comes back: bounces, complaints, leavings."),
    "events": ("newsletter.cli.events:events", "See what mail providers posted of letters; work it through."),
    "replay": (
        "newsletter.cli.replay:replay",
        "Make a sent issue again from the sources' answers, and compare.",
    ),
    "templates": ("newsletter.cli.templates:templates", "List, copy and check the letter's templates."),
    "dkim": ("newsletter.cli.dkim:dkim", "Make keys that sign letters, and print what goes into DNS."),
    "config": ("newsletter.cli.config:config", "Print every setting, its value and where it came from."),
    "database": ("newsletter.cli.database:database", "Look after the database's schema."),
    "backup": ("newsletter.cli.backup:backup", "Make, check and restore backups."),
    "init": ("newsletter.cli.init:init", "Write a commented newsletter.toml."),
    "completion": (
        "newsletter.cli.completion:completion",
        "Print what lets a shell complete commands.",
    ),
    "demo": ("newsletter.cli.demo:demo", "Send the bundled day to three sample subscribers."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called; their help stands in `COMMANDS`."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names in the order of the help."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import a command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that is meant; for one that there is not, name the nearest."""
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(error.command_name, possibilities=COMMANDS, ctx=ctx) from None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Return the commands that begin so, without importing them, and what any command has."""
        from click.shell_completion import CompletionItem

        found = [
            CompletionItem(name, help=text)
            for name, (_, text) in COMMANDS.items()
            if name.startswith(incomplete)
        ]
        return [*found, *click.Command.shell_complete(self, ctx, incomplete)]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


@click.group(
    cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.option(
    "--config", "config_file", type=click.Path(path_type=Path), help="Settings file (./newsletter.toml)."
)
@click.option("--debug", is_flag=True, expose_value=False, help="Show the traceback of an error.")
@click.version_option(__version__, prog_name=PROGRAM)
@click.pass_context
def cli(context: click.Context, config_file: Path | None) -> None:
    """Collect the day's papers, rank them, and send every subscriber one letter."""
    context.obj = config_file


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit: 0 done, 2 wrong use, configuration or input, 1 the work failed."""
    given = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in given  # an error tells people to add it, and they add it at the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(
            errors="backslashreplace"
        )  # a terminal that lacks a letter is no reason to stop
    try:
        result = cli.main(
            args=[word for word in given if word != "--debug"], prog_name=PROGRAM, standalone_mode=False
        )
        sys.stdout.flush()
        code = result if isinstance(result, int) else 0
    except BrokenPipeError:  # the reader of our output left, such as `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        code = 2
    except Exception as error:  # noqa: BLE001  # the one place where an error becomes an exit code
        if debug:
            traceback.print_exc()
        if isinstance(error, click.UsageError) and error.ctx is None:
            error.ctx = _meant(given)
        text, code = explain(error)
        click.echo(f"{PROGRAM}: {text}", err=True)
    sys.exit(code)


def _meant(words: list[str]) -> click.Context:
    """Return the context of the command that words name: click gives none where an option lacks its value."""
    context = click.Context(cli, info_name=PROGRAM)
    for word in words:
        group = context.command
        found = group.get_command(context, word) if isinstance(group, click.Group) else None
        if found is not None:
            context = click.Context(found, info_name=word, parent=context)
    return context


def explain(error: Exception) -> tuple[str, int]:
    """Return an error's one line and its exit code."""
    if isinstance(error, click.Abort):
        return "stopped", 130
    if isinstance(error, click.NoSuchOption) and error.option_name == "--config":
        return f"--config stands before the command: {PROGRAM} --config FILE COMMAND", 2
    if isinstance(error, click.UsageError):
        where = error.ctx.command_path if error.ctx is not None else PROGRAM
        return f"{' '.join(error.format_message().split()).rstrip('.')} (see `{where} --help`)", 2
    if isinstance(error, click.ClickException):
        return " ".join(error.format_message().split()), error.exit_code
    if isinstance(error, (ConfigError, InputError)):
        return str(error), 2
    if isinstance(error, NewsletterError):
        return str(error), 1
    if isinstance(error, OSError) and error.strerror and error.filename:
        return f"{os.fsdecode(error.filename)}: {error.strerror}; check the path and its permissions", 1
    if isinstance(error, OSError) and error.strerror:
        return (
            f"what is to be written or read cannot be: {error.strerror}; make room, or name another file",
            1,
        )
    from subscribers.errors import StoreError, SubscribersError

    if isinstance(error, SubscribersError):
        return str(error), 1 if isinstance(error, StoreError) else 2
    cause = " ".join(str(error).split())
    return f"unexpected {type(error).__name__}: {cause}; run it again with --debug for the details", 1
