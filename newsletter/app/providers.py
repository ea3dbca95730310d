"""Mail providers by the name that chooses them: a new one is a line of `MAKERS`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from newsletter.app.signing import signers
from newsletter.config import Config
from newsletter.settings import providers as settings

if TYPE_CHECKING:
    from newsletter.protocols import Provider

Maker = Callable[[Config, Any], "Provider"]  # is told the provider's own table


def make_provider(config: Config, choice: settings.Provider | settings.AlertProvider) -> Provider:
    """Return the provider that is chosen; raise `ConfigError` for settings that it cannot work with."""
    return MAKERS[choice.name](config, choice.own)


def _outbox(config: Config, own: settings.OutboxTable) -> Provider:
    from newsletter.providers.outbox import OutboxProvider

    return OutboxProvider(config.path(own.path), signers(config))


def _console(config: Config, _own: settings.ConsoleTable) -> Provider:
    from newsletter.providers.console import ConsoleProvider

    return ConsoleProvider(sys.stderr, signers(config))


def _file(config: Config, own: settings.FileTable) -> Provider:
    from newsletter.providers.file import FileProvider

    return FileProvider(config.path(own.path), signers(config))


def _smtp(config: Config, own: settings.SmtpTable) -> Provider:
    from newsletter.protocols import OnUncertain
    from newsletter.providers.smtp import SmtpProvider, SmtpSettings

    return SmtpProvider(
        SmtpSettings(
            host=own.host, port=own.port, username=own.username, password=own.password.reveal(), tls=own.tls,
            timeout=own.timeout, messages_per_connection=own.messages_per_connection,
            ca_file=config.path(own.ca_file) if own.ca_file else None,
        ),
        on_uncertain=OnUncertain(own.on_uncertain),
        signers=signers(config),
    )  # fmt: skip


def _sendgrid(config: Config, own: settings.SendgridTable) -> Provider:
    from newsletter.app.sendgrid import sendgrid_provider

    return sendgrid_provider(config, own)


def _ses(config: Config, own: settings.SesTable) -> Provider:
    from newsletter.app.ses import ses_provider

    return ses_provider(config, own)


def _postmark(config: Config, own: settings.PostmarkTable) -> Provider:
    from newsletter.app.postmark import postmark_provider

    return postmark_provider(config, own)


MAKERS: Mapping[str, Maker] = {
    "outbox": _outbox,
    "console": _console,
    "file": _file,
    "smtp": _smtp,
    "sendgrid": _sendgrid,
    "ses": _ses,
    "postmark": _postmark,
}
