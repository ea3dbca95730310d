"""The one room that knows every part: it builds them from the settings and never decides."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property

from newsletter.app.databases import Databases
from newsletter.app.days import Days
from newsletter.app.editions import Editions
from newsletter.app.letters import Letters
from newsletter.app.people import People
from newsletter.app.secret import SecretKeys
from newsletter.app.senders import Senders
from newsletter.config import Config


def now() -> datetime:
    """Return the time: the one place that asks for it."""
    return datetime.now(UTC)


class App:
    """The parts of one command, built when asked for. `close` it at the end.

    ``clock`` is the time that its runs go by. ``warn`` is told what the operator should know.
    """

    def __init__(self, config: Config, warn: Callable[[str], None]) -> None:
        self.config = config
        self.clock = now
        self.settings = config.settings
        self.warn = warn

    @cached_property
    def databases(self) -> Databases:
        """The ways to the database."""
        return Databases(self.config, self.warn)

    @cached_property
    def keys(self) -> SecretKeys:
        """The keys that are made from the installation's secret."""
        return SecretKeys(self.config, self.databases)

    @cached_property
    def people(self) -> People:
        """The list of subscribers."""
        return People(self.databases, self.keys)

    @cached_property
    def editions(self) -> Editions:
        """The editions of the settings."""
        return Editions(self.settings)

    @cached_property
    def days(self) -> Days:
        """Days of papers, fetched and stored."""
        return Days(self)

    @cached_property
    def letters(self) -> Letters:
        """How letters look, and who sends them."""
        return Letters(self.config, self.warn)

    @cached_property
    def senders(self) -> Senders:
        """What sends."""
        return Senders(self)

    def close(self) -> None:
        """Close the database."""
        self.databases.close()
