"""Lint of a letter that is not planned yet: as the settings of now would send it."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from newsletter.templating.lint.check import lint

if TYPE_CHECKING:
    from newsletter.letters import Identity
    from newsletter.models import Issue, Rendered
    from newsletter.settings import Settings
    from newsletter.templating.lint.findings import Finding


def lint_rendered(
    settings: Settings, rendered: Rendered, issue: Issue, identity: Identity, now: datetime
) -> list[Finding]:
    """Return what is wrong with a letter as the example reader would get it, errors first.

    The postal address is the one of the settings: an example one does for a preview, not for mail.
    """
    from newsletter.letters import checked, example_reader, make_letter

    letter = make_letter(rendered, issue, identity, now)
    seen = checked(
        letter,
        example_reader(letter, issue, identity),
        postal_address=settings.sender.postal_address,
        real_mail=settings.provider.name != "outbox",
    )
    return lint(seen)
