"""Whether the settings can be used: the parts of a run are made, and nothing is sent, written or fetched."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from newsletter.app.deciding import asked_of
from newsletter.app.limiting import limits
from newsletter.errors import ConfigError, NewsletterError

if TYPE_CHECKING:
    from newsletter.app import App


def faults(app: App) -> list[str]:
    """Return what a run would refuse, a line each."""
    from newsletter.app.signing import signers

    settings = app.settings
    parts: list[Callable[[], object]] = [
        app.senders.provider,
        app.senders.operator_provider,
        partial(signers, app.config),
        partial(app.letters.identity, example=not settings.provider.own.real_mail),
        partial(limits, settings.delivery),
    ]
    for edition in settings.editions:
        parts += [partial(app.letters.design, edition), partial(asked_of, settings, edition)]
    found: dict[str, None] = {}
    for make in parts:
        try:
            make()
        except (ConfigError, NewsletterError) as error:
            found[str(error)] = None
    return list(found)
