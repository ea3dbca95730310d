"""What speaks Amazon SES's API, made from the settings."""

from __future__ import annotations

from newsletter.app.extras import needing
from newsletter.config import Config
from newsletter.errors import ConfigError
from newsletter.protocols import EventReader, OnUncertain, Provider
from newsletter.settings.providers import SesTable


def ses_provider(config: Config, own: SesTable) -> Provider:
    """Return the provider; raise `ConfigError` without its package, a region or credentials."""
    with needing("ses", "provider.name"):
        from newsletter.providers.ses import SesProvider, SesSettings
    key, secret = own.access_key_id.strip(), own.secret_access_key.reveal().strip()
    if bool(key) != bool(secret):
        raise ConfigError(
            "one is set without the other", subject="provider.ses.access_key_id and secret_access_key",
            remedy="set both, or none for the credentials that AWS's own tools find",
        )  # fmt: skip
    return SesProvider(
        SesSettings(
            region=own.region, base_url=own.base_url, access_key_id=key, secret_access_key=secret,
            configuration_set=own.configuration_set, timeout=own.timeout,
            ca_file=config.path(own.ca_file) if own.ca_file else None,
        ),
        OnUncertain(own.on_uncertain),
    )  # fmt: skip


def ses_events(own: SesTable) -> EventReader:
    """Return what reads the events of the topic that is set; raise `ConfigError` without the packages for it."""
    with needing("ses", "provider.ses.topic"):
        from newsletter.providers.ses_events import SesEvents
        from newsletter.providers.sns import Topic
    return SesEvents(Topic(own.topic))
