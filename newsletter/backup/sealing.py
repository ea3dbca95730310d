"""Backups that are sealed: files in age's format, opened by a passphrase or by the key of a recipient.

The program `age` opens them too. https://age-encryption.org/v1
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO

from newsletter.errors import BackupError, ConfigError, InputError

_MAGIC = b"age-encryption.org/v1\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """For whom a backup is sealed: who knows a passphrase, or else who has the key of a recipient (``age1...``)."""

    passphrase: str = ""
    recipients: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opener:
    """What opens a sealed backup: a passphrase, or a file of age keys."""

    passphrase: str = ""
    identity: Path | None = None


def is_sealed(file: Path) -> bool:
    """Whether a file is in age's format."""
    with file.open("rb") as content:
        return content.read(len(_MAGIC)) == _MAGIC


def read_passphrase(file: Path) -> str:
    """Return the first line of a file; raise `InputError` where there is none."""
    try:
        line = file.read_text(encoding="utf-8").partition("\n")[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        cause = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise InputError(f"cannot be read ({cause})", subject=str(file)) from error
    if not line:
        raise InputError("holds no passphrase in its first line", subject=str(file))
    return line


def check_recipients(recipients: tuple[str, ...]) -> None:
    """Raise `InputError` for what is no public key of age."""
    _recipients(_pyrage(), recipients)


def seal(plain: Path, target: BinaryIO, wanted: Seal) -> None:
    """Write a file sealed. With a passphrase all of it is in memory at once."""
    pyrage = _pyrage()
    try:
        if wanted.passphrase:
            target.write(pyrage.passphrase.encrypt(plain.read_bytes(), wanted.passphrase))
        else:
            with plain.open("rb") as content:
                pyrage.encrypt_io(content, target, _recipients(pyrage, wanted.recipients))
    except pyrage.EncryptError as error:
        raise BackupError(
            f"cannot be sealed ({error})", subject="the backup", remedy="make room on the disk"
        ) from error


def unseal(sealed: Path, plain: Path, opener: Opener | None) -> None:
    """Write what a sealed file holds; raise `InputError` where the key is another or the file is not whole."""
    if opener is None:
        raise InputError("is sealed", subject=str(sealed), remedy="--passphrase-file or --identity opens it")
    pyrage = _pyrage()
    try:
        with plain.open("xb") as target, sealed.open("rb") as content:
            if opener.identity is None:
                target.write(pyrage.passphrase.decrypt(content.read(), opener.passphrase))
            else:
                pyrage.decrypt_io(content, target, _identities(pyrage, opener.identity))
    except OSError as error:
        if error.errno is None:  # pyrage's, of a chunk that is not whole
            raise _broken(sealed) from None
        raise
    except pyrage.DecryptError as error:
        if str(error) == "Decryption failed":
            raise InputError("is sealed with another passphrase", subject=str(sealed)) from None
        if "matching keys" in str(error):
            raise InputError(
                "is sealed with another key, or with a passphrase in place of a key", subject=str(sealed)
            ) from None
        if "xcessive work" in str(error):
            raise InputError(
                f"cannot be opened here ({error})",
                subject=str(sealed),
                remedy="use a faster machine, or `age -d`",
            ) from None
        raise _broken(sealed) from None


def _broken(sealed: Path) -> InputError:
    return InputError(
        "is damaged, or its end is missing",
        subject=str(sealed),
        remedy="copy it again, or name another backup",
    )


def _recipients(pyrage: ModuleType, names: tuple[str, ...]) -> list[Any]:
    try:
        return [pyrage.x25519.Recipient.from_str(name) for name in names]
    except pyrage.RecipientError as error:
        raise InputError(
            f"is no public key of age ({error})", subject="--recipient",
            remedy="`age-keygen` prints one: age1...",
        ) from error  # fmt: skip


def _identities(pyrage: ModuleType, file: Path) -> list[Any]:
    try:
        lines = file.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("cannot be read", subject=str(file)) from error
    try:
        found = [
            pyrage.x25519.Identity.from_str(word) for word in lines if word.startswith("AGE-SECRET-KEY-")
        ]
    except pyrage.IdentityError:
        found = []
    if not found:
        raise InputError("holds no key of age", subject=str(file), remedy="`age-keygen` makes one")
    return found


def _pyrage() -> ModuleType:
    try:
        import pyrage
    except ModuleNotFoundError as error:
        raise ConfigError(
            "sealed backups need the package 'pyrage'", subject="newsletter backup",
            remedy="pip install 'daily-papers-newsletter[backup]'",
        ) from error  # fmt: skip
    found: ModuleType = pyrage
    return found
