"""`newsletter completion`: the shell completes commands, options and states."""

from __future__ import annotations

import click
from click.shell_completion import ShellComplete, get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command(short_help="Print what lets a shell complete commands.")
@click.argument("shell", type=click.Choice(SHELLS))
def completion(shell: str) -> None:
    """Print the script that lets bash, zsh or fish complete commands and options with the Tab key.

    \b
    bash:  eval "$(newsletter completion bash)"    (in ~/.bashrc)
    zsh:   eval "$(newsletter completion zsh)"     (in ~/.zshrc, below compinit)
    fish:  newsletter completion fish > ~/.config/fish/completions/newsletter.fish
    """
    from newsletter.cli import PROGRAM, cli

    kind = get_completion_class(shell)
    assert kind is not None
    made = kind(cli, {}, PROGRAM, f"_{PROGRAM.upper()}_COMPLETE")
    click.echo(
        ShellComplete.source(made)
    )  # the base class's: bash's own starts a bash to ask for its version
