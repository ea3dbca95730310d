"""Letters, before there is one: how they look and who sends them."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from newsletter.app.identity import EXAMPLE_POSTAL_ADDRESS
from newsletter.config import Config

if TYPE_CHECKING:
    from newsletter.letters import Identity
    from newsletter.templating.issue import Design


class Letters:
    """Tells how letters look, and who sends them."""

    def __init__(self, config: Config, warn: Callable[[str], None]) -> None:
        self._config = config
        self._warn = warn

    def design(self, edition: str) -> Design:
        """Return how the letter looks."""
        from newsletter.app.theming import inbox_templates, override_folder, theme
        from newsletter.templating.issue import Design
        from newsletter.templating.theme import Layout

        settings = self._config.settings
        own = settings.edition(edition)
        subject, preheader = inbox_templates(self._config, edition)
        return Design(
            name=settings.theme.name,
            theme=theme(self._config),
            full=own.full,
            layout=Layout(settings.theme.layout),
            pictures=own.images == "remote",
            subject=subject,
            preheader=preheader,
            postal_address=settings.sender.postal_address or EXAMPLE_POSTAL_ADDRESS,
            templates=override_folder(self._config),
            value_bytes=max(320, len(settings.web.public_url) + 64),
        )

    def identity(self, *, example: bool) -> Identity:
        """Return who sends. ``example`` fills what is not set by example values, with a warning; else refuse."""
        from newsletter.app.identity import identity

        return identity(self._config.settings, example=example, warn=self._warn)
