"""Files sealed by a passphrase as age's specification has it, at any cost: ours take a second each on purpose.

https://github.com/C2SP/C2SP/blob/main/age.md
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

CHUNK = 64 << 10


def sealed(content: bytes, passphrase: str, *, log_n: int = 4, said: int | None = None) -> bytes:
    """Return content sealed at a cost of 2 ** ``log_n``; ``said`` is what the file claims in its place."""
    key, salt, nonce = (os.urandom(16) for _ in range(3))
    label = b"age-encryption.org/v1/scrypt" + salt
    wrapping = hashlib.scrypt(passphrase.encode(), salt=label, n=1 << log_n, r=8, p=1, dklen=32)
    wrapped = ChaCha20Poly1305(wrapping).encrypt(bytes(12), key, None)
    header = f"age-encryption.org/v1\n-> scrypt {_text(salt)} {said or log_n}\n{_text(wrapped)}\n---".encode()
    mac = hmac.digest(_derived(key, b"", b"header"), header, "sha256")
    stream = ChaCha20Poly1305(_derived(key, nonce, b"payload"))
    parts = [content[start : start + CHUNK] for start in range(0, len(content), CHUNK)]
    chunks = [
        stream.encrypt(number.to_bytes(11, "big") + bytes([number == len(parts) - 1]), part, None)
        for number, part in enumerate(parts)
    ]
    return header + f" {_text(mac)}\n".encode() + nonce + b"".join(chunks)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode().rstrip("=")


def _derived(key: bytes, salt: bytes, info: bytes) -> bytes:
    return HKDF(SHA256(), 32, salt, info).derive(key)
