"""DKIM: signatures by which receivers tell who sent a message, and that nobody changed it (RFC 6376, RFC 8463).

Headers are signed in their relaxed form, the body in its simple one. The keys come from the package `cryptography`,
which is optional.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Literal

from newsletter.errors import ConfigError

KeyType = Literal["rsa", "ed25519"]
RSA_BITS = (
    2048  # what is made; RFC 8301: the least to sign with, and 4096 is the most that every verifier takes
)
MOST_RSA_BITS = 4096
STRING_OCTETS = 255  # of one string of a TXT record

# Named once more than they stand in a message, so that none can be added: what mail programs show and act upon.
SEALED = (
    *("from", "to", "cc", "reply-to", "subject", "date", "message-id", "mime-version", "content-type"),
    *("content-transfer-encoding", "list-id", "list-unsubscribe", "list-unsubscribe-post"),
)
_ROW = 72  # characters of a folded line
_FOLD = "\r\n "


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A private key; ``public`` is its other half as DNS has it. A key signs the same octets the same way."""

    type: KeyType
    sign: Callable[[bytes], bytes]
    public: bytes


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Signer:
    """Signs for a domain with one key, which receivers look up in DNS by its selector."""

    domain: str
    selector: str
    key: Key

    @property
    def record_name(self) -> str:
        """Return the name in DNS that the public key stands at."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """Return the text that stands there."""
        return f"v=DKIM1; k={self.key.type}; p={base64.b64encode(self.key.public).decode()}"


def signatures(signers: Sequence[Signer], lines: Sequence[str], body: bytes, at: datetime) -> list[str]:
    """Return a DKIM-Signature of each signer for a message's header lines, and the SHA-256 of its body.

    ``at`` is when it says that it was signed: the letter's date, so that a message is the same at every attempt.
    """
    fields = [_relaxed(line) for line in lines]
    names = tuple([name for name, _ in fields])
    headers = "".join([f"{field}\r\n" for _, field in fields])
    body_hash = base64.b64encode(body).decode()
    found = []
    for signer in signers:
        unsigned = f"{_begun(signer, names, int(at.timestamp()))}{body_hash};\r\n b="
        signed = signer.key.sign((headers + _relaxed(unsigned)[1]).encode())
        found.append(unsigned + _folded(base64.b64encode(signed).decode()))
    return found


@lru_cache(maxsize=256)  # most headers of a letter are the same for everybody
def _relaxed(line: str) -> tuple[str, str]:
    """Return the name of a header and the header, in their relaxed form; ours hold no runs of white space."""
    name, _, value = line.partition(":")
    name = name.lower()
    return name, f"{name}:{value.replace(_FOLD, ' ').strip()}"


@lru_cache(maxsize=64)
def _begun(signer: Signer, names: tuple[str, ...], at: int) -> str:
    """Return a signature up to the hash of the body: the same for all recipients of a letter."""
    signed = (*names, *SEALED)
    words = [
        " v=1;", f" a={signer.key.type}-sha256;", " c=relaxed/simple;", f" d={signer.domain};",
        f" s={signer.selector};", f" t={at};", f" h={signed[0]}:", *(f"{name}:" for name in signed[1:-1]),
        f"{signed[-1]};",
    ]  # fmt: skip
    lines = ["DKIM-Signature:"]
    for word in words:
        if len(lines[-1]) + len(word) > _ROW:
            lines.append(f" {word.lstrip()}")
        else:
            lines[-1] += word
    return "\r\n".join([*lines, " bh="])


def _folded(text: str) -> str:
    return _FOLD.join([text[start : start + _ROW] for start in range(0, len(text), _ROW)])


def record_strings(record: str) -> list[str]:
    """Cut a TXT record into the strings that DNS has it in, which are read as one."""
    return [record[start : start + STRING_OCTETS] for start in range(0, len(record), STRING_OCTETS)]


def make_key(kind: KeyType) -> bytes:
    """Return a new private key as PEM (PKCS #8)."""
    with _cryptography():
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
    made = (
        rsa.generate_private_key(65537, RSA_BITS) if kind == "rsa" else ed25519.Ed25519PrivateKey.generate()
    )
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def read_key(pem: bytes, where: str) -> Key:
    """Return the private key of a PEM file; raise `ConfigError` about ``where`` for what cannot sign."""
    with _cryptography():
        from cryptography.exceptions import UnsupportedAlgorithm
        from cryptography.hazmat.primitives import hashes, serialization
        from cryptography.hazmat.primitives.asymmetric import ed25519, padding, rsa
    try:
        private = serialization.load_pem_private_key(pem, None)
    except TypeError:
        raise ConfigError(
            "the key is encrypted", subject=where, remedy="write it without a password, readable by you alone"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise ConfigError(
            "holds no private key in PEM that can be used",
            subject=where,
            remedy="`newsletter dkim new-key` makes one",
        ) from None
    form = serialization.PublicFormat
    if isinstance(private, ed25519.Ed25519PrivateKey):
        public = private.public_key().public_bytes(serialization.Encoding.Raw, form.Raw)
        return Key(
            type="ed25519", sign=lambda data: private.sign(hashlib.sha256(data).digest()), public=public
        )
    if isinstance(private, rsa.RSAPrivateKey) and RSA_BITS <= private.key_size <= MOST_RSA_BITS:
        public = private.public_key().public_bytes(serialization.Encoding.DER, form.SubjectPublicKeyInfo)
        how = padding.PKCS1v15(), hashes.SHA256()
        return Key(type="rsa", sign=lambda data: private.sign(data, *how), public=public)
    found = f"{private.key_size} bits" if isinstance(private, rsa.RSAPrivateKey) else type(private).__name__
    raise ConfigError(
        f"the key must be RSA with {RSA_BITS} to {MOST_RSA_BITS} bits, or Ed25519, and is not ({found})",
        subject=where, remedy="`newsletter dkim new-key` makes one",
    )  # fmt: skip


@contextmanager
def _cryptography() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"DKIM needs the package {(error.name or '').partition('.')[0]!r}",
            remedy="pip install 'daily-papers-newsletter[dkim]'",
        ) from error
