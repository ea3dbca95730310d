"""The command `newsletter`, also as `python -m newsletter`: imports what it needs where Ctrl-C is caught."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command; Ctrl-C while its parts are imported ends it in one line, as it does later."""
    try:
        from newsletter.cli import main as command

        command()
    except KeyboardInterrupt:
        print("newsletter: stopped", file=sys.stderr)  # noqa: T201  # what would print it may not be there yet
        sys.exit(130)


if __name__ == "__main__":
    main()
