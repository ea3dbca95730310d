"""The settings of the web door, checked."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from newsletter.app.identity import LOOPBACK, identity
from newsletter.config import Config

if TYPE_CHECKING:
    from newsletter.app import App


def reached_at(config: Config, address: str) -> Config:
    """Return the settings with the server's own address as the public one, where none is set and nobody else sees it.

    So a newsletter that is tried out on one machine mails links that work there.
    """
    settings = config.settings
    local = urlsplit(address).hostname in LOOPBACK
    if settings.web.public_url or not local or settings.provider.own.real_mail:
        return config
    web = msgspec.structs.replace(settings.web, public_url=address)
    return replace(config, settings=msgspec.structs.replace(settings, web=web))


def public_url(app: App) -> str:
    """Return the address that links begin with, empty if none is set; raises `ConfigError` for a wrong one."""
    identity(app.settings, example=True, warn=lambda _line: None)
    return app.settings.web.public_url.rstrip("/")
