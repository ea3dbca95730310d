"""What SendGrid's event webhook posts, signed with a key of the tests."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SIGNATURE, TIMESTAMP = "x-twilio-email-event-webhook-signature", "x-twilio-email-event-webhook-timestamp"


@dataclass(frozen=True, slots=True, kw_only=True)
class SendGridSigner:
    """Signs as SendGrid does."""

    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    @property
    def verification_key(self) -> str:
        """The public key as SendGrid shows it."""
        public = self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(public).decode()

    def headers(self, body: bytes, now: datetime) -> dict[str, str]:
        """Return the headers of a body that is posted now."""
        moment = str(int(now.timestamp()))
        signature = self._key.sign(moment.encode() + body, ec.ECDSA(hashes.SHA256()))
        return {SIGNATURE: base64.b64encode(signature).decode(), TIMESTAMP: moment}


def posted(event: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    """Return an event about the n-th reader, without what we gave with the letter."""
    return {
        "email": f"reader{number}@example.org", "timestamp": 1726212600, "event": event,
        "smtp-id": "<14c5d75ce93.dfd.64b469@ismtpd-555>", "sg_event_id": f"{event}-{number}",
        "sg_message_id": f"14c5d75ce93.dfd.64b469.filter0001.16648.{number}.0", "category": ["news"], **fields,
    }  # fmt: skip


def body_of(events: Sequence[Any]) -> bytes:
    """Return the body that some events are posted in."""
    return json.dumps(events).encode()


def mutated(body: bytes, chance: random.Random) -> bytes:
    """Return a body with some octets changed, taken out, doubled, or put in."""
    changed = bytearray(body)
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(changed))
        match chance.randrange(4):
            case 0:
                changed[at] = chance.randrange(256)
            case 1:
                del changed[at : at + chance.randint(1, 40)]
            case 2:
                changed[at:at] = changed[chance.randrange(len(changed)) :][:40]
            case _:
                changed[at:at] = chance.choice(
                    [b"\x00", b"null", b"[", b'"', b"{}", b"1e999", b"\\ud800", b"\xc3"]
                )
    return bytes(changed)
