"""What makes settings useless though each by itself is right."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection

from newsletter.config.descriptions import OF_EVENTS
from newsletter.errors import ConfigError
from newsletter.languages import nearest_first, shipped_as
from newsletter.settings import Settings

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


def check(settings: Settings, given: Collection[str]) -> None:
    """Raise `ConfigError` for what cannot be; ``given`` are the paths of the settings that are not left out."""
    _check_names(settings)
    _check_sources(settings)
    _check_languages(settings)
    _check_alerts(settings, given)


def _check_names(settings: Settings) -> None:
    for name in (*settings.editions, *settings.sources.feeds):
        if not _NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r} is no name for an edition or a feed", remedy="use a-z, 0-9 and -, 32 at most"
            )


def _check_sources(settings: Settings) -> None:
    known = ["huggingface", "arxiv", *settings.sources.feeds]
    for name in settings.sources.use:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean {close[0]!r}?" if close else "a feed needs a table [sources.feeds.NAME]"
            raise ConfigError(f"there is no source {name!r}", subject="sources.use", remedy=remedy)


def _check_languages(settings: Settings) -> None:
    for name, edition in settings.editions.items():
        if shipped_as(edition.language) is None:
            raise ConfigError(
                f"{edition.language!r} is not shipped",
                subject=f"editions.{name}.language",
                remedy=f"choose one of {', '.join(nearest_first(edition.language))}",
            )


def _check_alerts(settings: Settings, given: Collection[str]) -> None:
    for path in OF_EVENTS:
        if path in given:
            raise ConfigError(
                "has no use here: events of mails to you are not taken", subject=path, remedy="take it out"
            )
    for name, address in (("webhook", settings.alerts.webhook), ("ping", settings.alerts.ping)):
        if address and not re.match(r"https?://[^/\s]", address.reveal()):
            raise ConfigError(
                "is no address of the web", subject=f"alerts.{name}", remedy="write https://HOST/PATH"
            )
