"""What speaks SendGrid's API, made from the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.app.extras import needing
from newsletter.config import Config
from newsletter.errors import ConfigError
from newsletter.protocols import OnUncertain, Provider
from newsletter.settings.providers import SendgridTable

if TYPE_CHECKING:
    from newsletter.providers.sendgrid_suppressions import SuppressionLists


def sendgrid_provider(config: Config, own: SendgridTable) -> Provider:
    """Return the provider; raise `ConfigError` without a key or without the package that it needs."""
    with needing("sendgrid", "provider.name"):
        from newsletter.providers.sendgrid import SendGridProvider, SendGridSettings
    return SendGridProvider(
        SendGridSettings(
            api_key=_key(own), base_url=own.base_url, timeout=own.timeout, sandbox=own.sandbox,
            track_opens=own.track_opens, track_clicks=own.track_clicks,
            ca_file=config.path(own.ca_file) if own.ca_file else None,
        ),
        OnUncertain(own.on_uncertain),
    )  # fmt: skip


def suppression_lists(own: SendgridTable) -> SuppressionLists:
    """Return the account's lists; raise `ConfigError` without a key or without the package that they need."""
    key = _key(own)
    with needing("sendgrid", "provider.sendgrid"):
        from newsletter.providers.sendgrid_suppressions import Account, SuppressionLists
    return SuppressionLists(Account(api_key=key, base_url=own.base_url, timeout=own.timeout))


def _key(own: SendgridTable) -> str:
    key = own.api_key.reveal().strip()
    if not key:
        raise ConfigError(
            "is not set", subject="provider.sendgrid.api_key",
            remedy="set NEWSLETTER_PROVIDER__SENDGRID__API_KEY in the environment",
        )  # fmt: skip
    if not (key.isascii() and key.isprintable() and " " not in key):
        raise ConfigError(
            "is no key: it holds white space or letters beyond ASCII", subject="provider.sendgrid.api_key",
            remedy="copy it anew",
        )  # fmt: skip
    return key
