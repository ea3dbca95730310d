"""Who signs letters: the keys of the settings, read and checked."""

from __future__ import annotations

import os
import re
from pathlib import Path

from newsletter.app.identity import checked_address
from newsletter.config import Config
from newsletter.dkim import Key, KeyType, Signer, make_key, read_key
from newsletter.errors import ConfigError, InputError
from newsletter.messages import mail_address

_SELECTOR = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_DOMAIN = re.compile(r"(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}")


def signers(config: Config) -> tuple[Signer, ...]:
    """Return who signs, none where [dkim] is empty; raise `ConfigError` for what receivers would not accept."""
    dkim = config.settings.dkim
    if not dkim.domain and not dkim.keys:
        return ()
    if not dkim.keys:
        raise ConfigError(
            "names no key", subject="dkim.keys", remedy="`newsletter dkim new-key SELECTOR` makes one"
        )
    domain = dkim.domain.lower()
    if not _DOMAIN.fullmatch(domain):
        raise ConfigError(
            f"{dkim.domain!r} is no domain to sign for", subject="dkim.domain",
            remedy="write it as in example.com, a name that is not ASCII as xn--...",
        )  # fmt: skip
    _check_alignment(domain, config.settings.sender.email)
    return tuple(
        Signer(domain=domain, selector=checked_selector(name), key=_key(config, name, file))
        for name, file in dkim.keys.items()
    )


def checked_selector(name: str) -> str:
    """Return a selector; raise `ConfigError` for one that is no name in DNS."""
    if not _SELECTOR.fullmatch(name):
        raise ConfigError(
            f"{name!r} is no selector", subject="dkim.keys",
            remedy="use letters, digits and - between them, 63 at most",
        )  # fmt: skip
    return name


def new_key(path: Path, kind: KeyType) -> None:
    """Write a new private key that its owner alone can read; raise `InputError` where a file is, or none can be."""
    content = make_key(kind)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise InputError(
            "exists already, and a key is never written over", subject=str(path), remedy="name another --out"
        ) from None
    except OSError as error:
        raise InputError(
            f"cannot be written ({error.strerror})", subject=str(path), remedy="name another --out"
        ) from error
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _key(config: Config, selector: str, file: str) -> Key:
    path = config.path(file)
    where = f"dkim.keys.{selector}, {path}"
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"cannot be read ({error.strerror})", subject=where, remedy="correct the path, or the permissions"
        ) from error
    return read_key(content, where)


def _check_alignment(domain: str, sender: str) -> None:
    """Refuse a domain by which DMARC would not know the sender: it must be theirs, one above or one below it."""
    if not sender:
        raise ConfigError(
            "letters are signed for the domain of sender.email, which is empty", subject="dkim.domain",
            remedy="set sender.email",
        )  # fmt: skip
    theirs = mail_address(checked_address(sender, "sender.email")).rpartition("@")[2].lower()
    if not (f".{theirs}".endswith(f".{domain}") or f".{domain}".endswith(f".{theirs}")):
        raise ConfigError(
            f"{domain} does not align with {theirs}, the domain of sender.email", subject="dkim.domain",
            remedy="DMARC asks for the same domain, or one above or below it",
        )  # fmt: skip
