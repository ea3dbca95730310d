"""What speaks Postmark's API, made from the settings."""

from __future__ import annotations

from newsletter.config import Config
from newsletter.errors import ConfigError
from newsletter.protocols import EventReader, OnUncertain, Provider
from newsletter.settings.providers import PostmarkTable

LEAST_SECRET = 16


def postmark_provider(config: Config, own: PostmarkTable) -> Provider:
    """Return the provider; raise `ConfigError` without a token."""
    from newsletter.providers.postmark import PostmarkProvider, PostmarkSettings

    token = own.token.reveal().strip()
    if not (token.isascii() and token.isprintable() and token and " " not in token):
        raise ConfigError(
            "is not set" if not token else "is no token: it holds white space or letters beyond ASCII",
            subject="provider.postmark.token", remedy="set NEWSLETTER_PROVIDER__POSTMARK__TOKEN in the environment",
        )  # fmt: skip
    return PostmarkProvider(
        PostmarkSettings(
            token=token, stream=own.stream, base_url=own.base_url, timeout=own.timeout,
            ca_file=config.path(own.ca_file) if own.ca_file else None,
        ),
        OnUncertain(own.on_uncertain),
    )  # fmt: skip


def postmark_events(own: PostmarkTable) -> EventReader:
    """Return what reads the events of the webhook; raise `ConfigError` for a secret that can be guessed."""
    from newsletter.providers.postmark_events import PostmarkEvents

    secret = own.webhook_secret.reveal().strip()
    if len(secret) < LEAST_SECRET:
        raise ConfigError(
            f"is shorter than {LEAST_SECRET} letters", subject="provider.postmark.webhook_secret",
            remedy="make a long one by chance; nothing else proves an event of Postmark",
        )  # fmt: skip
    return PostmarkEvents(secret)
