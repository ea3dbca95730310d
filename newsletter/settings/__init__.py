"""Every setting, as the tables of ``newsletter.toml``, with its help, default and bounds.

`newsletter config`, `newsletter init` and docs/settings.md are made from what stands here.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from newsletter.errors import ConfigError
from newsletter.settings.base import Secret, Table
from newsletter.settings.delivery import Delivery
from newsletter.settings.editions import DEFAULT_EDITION, Edition, Theme
from newsletter.settings.providers import AlertProvider, Provider
from newsletter.settings.sources import Sources


class Database(Table, frozen=True):
    url: Annotated[
        str,
        Meta(description="SQLAlchemy URL; sqlite:///FILE is relative to the file, postgresql:// works too."),
    ] = "sqlite:///newsletter.db"


class Sender(Table, frozen=True):
    email: Annotated[str, Meta(description="Address that the letter comes from.")] = ""
    name: Annotated[str, Meta(description="Name beside that address.")] = "Daily Papers"
    postal_address: Annotated[
        str, Meta(description="Your postal address, printed in the foot; mail law asks for it.")
    ] = ""
    unsubscribe_mailbox: Annotated[
        str, Meta(description="Mailbox that takes unsubscribe mails, for newsletters without a web server.")
    ] = ""


class Dkim(Table, frozen=True):
    domain: Annotated[
        str,
        Meta(
            description="Domain to sign for: that of sender.email, or one above it. Empty: nothing is signed."
        ),
    ] = ""
    keys: Annotated[
        dict[str, str],
        Meta(
            description="PEM files of the keys that sign, by selector (k2026: dkim-k2026.pem); each of several signs."
        ),
    ] = msgspec.field(default_factory=dict)


class Web(Table, frozen=True):
    public_url: Annotated[
        str, Meta(description="Public https address of this newsletter's pages (unsubscribe links).")
    ] = ""
    host: Annotated[str, Meta(description="Address that `newsletter serve` listens on.")] = "127.0.0.1"
    port: Annotated[int, Meta(description="Its port; 0 takes any that is free.", ge=0, le=65535)] = 8000
    trusted_proxies: Annotated[
        list[str],
        Meta(description="Networks of your proxies; X-Forwarded-For is believed from these alone."),
    ] = msgspec.field(default_factory=lambda: ["127.0.0.0/8", "::1/128"])
    metrics: Annotated[
        list[str],
        Meta(
            description="Networks that may read the numbers at /metrics; for everybody else they are not there."
        ),
    ] = msgspec.field(default_factory=lambda: ["127.0.0.0/8", "::1/128"])
    signups_per_network: Annotated[
        int, Meta(description="Sign-ups an hour from one network (/24, IPv6 /48).", ge=1)
    ] = 20
    signups_per_minute: Annotated[int, Meta(description="Sign-ups a minute in all.", ge=1)] = 60
    role_addresses: Annotated[
        Literal["accept", "refuse"],
        Meta(description="Sign-ups of addresses that belong to a role, such as info@."),
    ] = "accept"
    disposable: Annotated[
        Literal["accept", "refuse"],
        Meta(description="Sign-ups of addresses of well-known services for throw-away mail."),
    ] = "accept"
    keep_network: Annotated[
        bool, Meta(description="Whether the record of a consent holds the network that it came from.")
    ] = False


class Inbox(Table, frozen=True):
    host: Annotated[
        str, Meta(description="Name of the IMAP server (TLS) that bounces come to; empty means none.")
    ] = ""
    port: Annotated[int, Meta(description="Its port.", ge=1, le=65535)] = 993
    username: Annotated[str, Meta(description="User to log in with.")] = ""
    password: Annotated[Secret, Meta(description="Its password; better set by the environment.")] = Secret("")
    folder: Annotated[str, Meta(description="Folder to read.", min_length=1)] = "INBOX"
    ca_file: Annotated[
        str, Meta(description="Certificate authority of the server, if it is one of your own.")
    ] = ""
    timeout: Annotated[float, Meta(description="Seconds to wait for any one answer.", gt=0, le=600)] = 30.0
    return_path: Annotated[
        str,
        Meta(
            description="Address that letters by SMTP come back to (the envelope's sender); empty means sender.email."
        ),
    ] = ""
    verp: Annotated[
        bool,
        Meta(
            description="Whether each reader's letters come back to an address of their own, such as "
            "bounces+KEY-1@example.org: a proof where a bounce quotes nothing. The mailbox must take such addresses."
        ),
    ] = False
    soft_bounces: Annotated[
        int,
        Meta(
            description="Soft bounces, of as many letters, after which an address is suppressed.",
            ge=1,
            le=100,
        ),
    ] = 5
    soft_days: Annotated[int, Meta(description="Days within which they count.", ge=1, le=365)] = 30


class Log(Table, frozen=True):
    level: Annotated[
        Literal["off", "error", "warning", "info", "debug"],
        Meta(description="What of a send is logged: off is nothing, debug each message that is accepted."),
    ] = "off"
    format: Annotated[
        Literal["text", "json"], Meta(description="Lines of the log: text, or a JSON object each.")
    ] = "text"
    file: Annotated[
        str, Meta(description="File that the log is appended to; empty means standard error.")
    ] = ""
    addresses: Annotated[
        bool, Meta(description="Whether the log may hold people's addresses; without it they are masked.")
    ] = False


class Backup(Table, frozen=True):
    folder: Annotated[str, Meta(description="Folder that `newsletter backup create` writes to.")] = "backups"
    keep: Annotated[
        int,
        Meta(description="How many backups it keeps there; older ones of its own naming are removed.", ge=1),
    ] = 7


class Alerts(Table, frozen=True):
    email: Annotated[
        str,
        Meta(description="Your own address: alerts are mailed to it, and drafts that wait for your word."),
    ] = ""
    webhook: Annotated[
        Secret,
        Meta(description="Address (https) that alerts are posted to; better set by the environment."),
    ] = Secret("")
    webhook_format: Annotated[
        Literal["json", "slack", "discord"],
        Meta(description="What is posted: an object of ours, or a message."),
    ] = "json"
    ping: Annotated[
        Secret,
        Meta(
            description="Address that is told that runs happen: /start before one, it itself after, /fail if it failed."
        ),
    ] = Secret("")
    on: Annotated[
        list[Literal["failed", "held", "missed", "quiet"]],
        Meta(
            description="What there is an alert for: a run that failed, an issue that waits for a hand, one that was"
            " not finished by the schedule's latest, a day without papers."
        ),
    ] = msgspec.field(default_factory=lambda: ["failed", "held", "missed", "quiet"])
    provider: AlertProvider = AlertProvider()


class Settings(Table, frozen=True):
    """Everything that can be set."""

    database: Database = Database()
    sources: Sources = Sources()
    provider: Provider = Provider()
    delivery: Delivery = Delivery()
    sender: Sender = Sender()
    dkim: Dkim = Dkim()
    alerts: Alerts = Alerts()
    web: Web = Web()
    inbox: Inbox = Inbox()
    log: Log = Log()
    backup: Backup = Backup()
    theme: Theme = Theme()
    editions: dict[str, Edition] = msgspec.field(default_factory=lambda: {DEFAULT_EDITION: Edition()})

    def edition(self, name: str) -> Edition:
        """Return an edition's settings; raise `ConfigError` for a name that is not configured."""
        if name not in self.editions:
            known = ", ".join(sorted(self.editions))
            raise ConfigError(f"there is no edition {name!r}", remedy=f"configured are: {known}")
        return self.editions[name]
