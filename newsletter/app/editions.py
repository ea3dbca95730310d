"""The editions of the settings: which one is meant, and what it takes of a day."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.models.issues import Selection
from newsletter.settings import Settings
from newsletter.settings.editions import DEFAULT_EDITION

if TYPE_CHECKING:
    from newsletter.publishing import Policy


class Editions:
    """Tells of editions; each method raises `ConfigError` for one that the settings do not have."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def name(self, name: str | None) -> str:
        """Return the edition that is meant: the given one, the only one, or `daily`."""
        if name is None:
            known = self._settings.editions
            name = next(iter(known)) if len(known) == 1 else DEFAULT_EDITION
        self._settings.edition(name)
        return name

    def selection(self, edition: str, top: int | None, min_votes: int | None) -> Selection:
        """Return how many papers to take; ``--top 0`` alone means all of them, whatever their votes."""
        own = self._settings.edition(edition)
        if min_votes is None:
            min_votes = 0 if top == 0 else own.min_votes
        return Selection(top=own.top if top is None else top, min_votes=min_votes)

    def policy(self, edition: str) -> Policy:
        """Return what an edition takes, and what it does with odd days."""
        from newsletter.publishing import OnNotReady, OnQuiet, Policy

        own = self._settings.edition(edition)
        return Policy(
            selection=self.selection(edition, None, None), carry_days=own.carry_days, quiet=OnQuiet(own.quiet),
            not_ready=OnNotReady(own.not_ready),
        )  # fmt: skip
