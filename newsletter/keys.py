"""The installation's secret, and the keys that are made from it.

It is ``NEWSLETTER_SECRET``, or the content of ``newsletter.secret`` (0600) beside the database. The key of the
suppressions never rotates: with another one the list would forget who must not be written to. The database
keeps its fingerprint.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
import tempfile
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import ConfigError
from newsletter.settings.base import Secret

_RESTORE = "restore newsletter.secret, or set NEWSLETTER_SECRET to what it held"


@dataclass(frozen=True, slots=True)
class DerivedKeys:
    """What is made of a secret; ``fingerprint`` tells two secrets apart and gives neither away."""

    suppressions: bytes
    links: bytes
    fingerprint: str


class Keys:
    """Reads the secret, makes it once, and compares it with what a database knows."""

    def __init__(self, path: Path, given: Secret) -> None:
        self._path = path
        self._given = given

    def read_or_make(self) -> DerivedKeys:
        """Return the keys; without a secret one is made and kept in the file."""
        if self._given:
            return _derive(self._given)
        try:
            content = self._read() or self._make()
        except OSError as error:
            raise self._unusable(error) from error
        return _derive(Secret(content))

    def check(self, fingerprint: str) -> None:
        """Raise `ConfigError` unless the secret is there and is the one with this fingerprint."""
        where = "NEWSLETTER_SECRET" if self._given else str(self._path)
        try:
            content = self._given.reveal() or self._read()
        except OSError as error:
            raise self._unusable(error) from error
        if content is None:
            raise ConfigError("the secret of this database is missing", subject=where, remedy=_RESTORE)
        if not hmac.compare_digest(_derive(Secret(content)).fingerprint, fingerprint):
            raise ConfigError(
                "is not the secret that this database was made with", subject=where, remedy=_RESTORE
            )

    def _read(self) -> str | None:
        try:
            content = self._path.read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return None
        except UnicodeDecodeError:
            content = ""
        if not content:
            raise ConfigError("holds no secret", subject=str(self._path), remedy=_RESTORE)
        return content

    def _make(self) -> str:
        """Write a new secret whole, or take the one that another process wrote meanwhile."""
        content = secrets.token_hex(32)
        handle, unfinished = tempfile.mkstemp(prefix=f".{self._path.name}-", dir=self._path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(content + "\n")
                file.flush()
                os.fsync(file.fileno())
            Path(self._path).hardlink_to(unfinished)
        except FileExistsError:
            content = self._read() or content
        finally:
            Path(unfinished).unlink()
        return content

    def _unusable(self, error: OSError) -> ConfigError:
        return ConfigError(
            f"cannot be used ({error.strerror})",
            subject=str(self._path),
            remedy="make it readable, or set NEWSLETTER_SECRET",
        )


def fingerprint_of(secret: Secret) -> str:
    """Return what tells a secret from others and does not give it away."""
    return _derive(secret).fingerprint


def _derive(secret: Secret) -> DerivedKeys:
    suppressions, links = (
        hmac.digest(secret.reveal().encode(), purpose, "sha256")
        for purpose in (b"newsletter suppressions", b"newsletter links")
    )
    fingerprint = hashlib.sha256(suppressions).hexdigest()[:16]
    return DerivedKeys(suppressions=suppressions, links=links, fingerprint=fingerprint)
