"""Who sends: the sender's settings, checked, or example values where nothing leaves the machine."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from newsletter.errors import ConfigError
from newsletter.settings import Inbox, Settings

if TYPE_CHECKING:
    from newsletter.letters import Identity

EXAMPLE_ADDRESS = "newsletter@example.org"
EXAMPLE_POSTAL_ADDRESS = "1 Example Street, 12345 Exampletown"
EXAMPLE_URL = "https://newsletter.example.org"
LOCAL_OCTETS = 64  # of a local part, RFC 5321 (4.5.3.1.1)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def identity(settings: Settings, *, example: bool, warn: Callable[[str], None]) -> Identity:
    """Return who sends; raise `ConfigError` for values that cannot be used.

    ``example`` fills what is not set by example values, with a warning; without it (mail really goes out) that is
    refused. A public address is https, or on this machine.
    """
    from newsletter.delivery.recipients import Links
    from newsletter.letters import Identity

    sender, url = settings.sender, settings.web.public_url.rstrip("/")
    if url:
        _check_url(url)
    wanted = {
        "sender.email": sender.email,
        "sender.postal_address": sender.postal_address,
        "web.public_url or sender.unsubscribe_mailbox": url or sender.unsubscribe_mailbox,
    }
    missing = ", ".join(name for name, value in wanted.items() if not value)
    if missing and not example:
        raise ConfigError(
            f"{missing} must be set before mail goes out by {settings.provider.name}",
            remedy='set it in newsletter.toml (`newsletter init` writes one), or use provider.name = "outbox"',
        )
    if missing:
        warn(f"example values stand in for {missing}")
    mailbox = (
        checked_address(sender.unsubscribe_mailbox, "sender.unsubscribe_mailbox")
        if sender.unsubscribe_mailbox
        else ""
    )
    from_address = checked_address(sender.email or EXAMPLE_ADDRESS, "sender.email")
    return Identity(
        newsletter=settings.theme.name,
        from_name=sender.name,
        from_address=from_address,
        links=Links(
            public_url=url or ("" if mailbox else EXAMPLE_URL), unsubscribe_mailbox=mailbox,
            return_path=_return_path(settings.inbox, from_address), verp=settings.inbox.verp,
        ),
    )  # fmt: skip


def _return_path(inbox: Inbox, from_address: str) -> str:
    """Return where bounces go, empty for the letter's From; raise `ConfigError` where VERP leaves no room for it."""
    from newsletter.delivery.recipients import VERP_OCTETS

    found = checked_address(inbox.return_path, "inbox.return_path") if inbox.return_path else ""
    local = (found or from_address).rpartition("@")[0]
    most = LOCAL_OCTETS - (VERP_OCTETS if inbox.verp else 0)
    if not local.isascii() or len(local) > most:
        raise ConfigError(
            f"{local!r} cannot stand before the @ of what bounces come back to",
            subject="inbox.return_path",
            remedy=f"write an address with at most {most} ASCII characters there, such as bounces@example.org",
        )
    return found


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        _ = parts.port
    except ValueError:
        host, parts = "", urlsplit("")
    clean = (
        url.isascii()
        and url.isprintable()
        and not set(url) & set(' <>,"\\')
        and not parts.query + parts.fragment
    )
    secure = parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)
    if not (clean and secure and host and parts.username is None):
        raise ConfigError(
            f"{url!r} cannot stand before the address of a page",
            subject="web.public_url",
            remedy="write https://NAME or https://NAME/PATH, a name that is not ASCII as xn--...",
        )


def checked_address(address: str, setting: str) -> str:
    """Return an address of the settings; raise `ConfigError` for what is none."""
    from subscribers.addresses import parse_address
    from subscribers.errors import SubscribersError

    try:
        return parse_address(address).email
    except SubscribersError as error:
        raise ConfigError(str(error), subject=setting) from error
