"""Amazon SNS as the tests play it: a topic's certificate, and messages that are signed with it."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from urllib.parse import urlencode

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from newsletter.errors import SourceError

ARN = "arn:aws:sns:eu-west-1:123456789012:newsletter-events"
PLACE = "https://sns.eu-west-1.amazonaws.com"
CERTIFICATE_URL = f"{PLACE}/SimpleNotificationService-0123456789abcdef.pem"
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
_HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}


@cache
def private_key(number: int = 0) -> rsa.RSAPrivateKey:
    """Return one of several keys."""
    assert number >= 0
    return rsa.generate_private_key(65537, 2048)


def certificate(key: rsa.RSAPrivateKey, begins: datetime = NOW - timedelta(days=1)) -> bytes:
    """Return a certificate of a week as PEM."""
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    built = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(7).not_valid_before(begins).not_valid_after(begins + timedelta(days=7))
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    return built.public_bytes(serialization.Encoding.PEM)


@dataclass(kw_only=True)
class Amazon:
    """What is at SNS's addresses. ``asked`` are those that were fetched; ``confirms`` is whether it lets confirm."""

    asked: list[str] = field(default_factory=list)
    confirms: bool = True

    def fetch(self, url: str) -> bytes:
        """Return what is there."""
        self.asked.append(url)
        if url == CERTIFICATE_URL:
            return certificate(private_key())
        if url.startswith(f"{PLACE}/?Action=ConfirmSubscription") and self.confirms:
            return b"<ConfirmSubscriptionResponse/>"
        raise SourceError("the server answered 404", subject=url)


def envelope(
    message: str, *, version: str = "2", key: rsa.RSAPrivateKey | None = None, **changes: Any
) -> dict[str, Any]:
    """Return a signed message of the topic; ``changes`` are made before it is signed, one of None takes away."""
    query = {"Action": "ConfirmSubscription", "TopicArn": ARN, "Token": "f00d"}
    posted = {
        "Type": "Notification", "MessageId": "22b80b92-fdea-4c2c-8f9d-bdfb0c7bf324", "TopicArn": ARN,
        "Subject": "Amazon SES Email Event Notification", "Message": message, "Timestamp": "2026-03-02T07:59:58.123Z",
        "SignatureVersion": version, "SigningCertURL": CERTIFICATE_URL, "UnsubscribeURL": f"{PLACE}/?Action=Unsubscribe",
    }  # fmt: skip
    if changes.get("Type", "Notification") != "Notification":
        del posted["Subject"]
        posted |= {"Token": "f00d", "SubscribeURL": f"{PLACE}/?{urlencode(query)}"}
    posted = {name: value for name, value in {**posted, **changes}.items() if value is not None}
    names = ["Message", "MessageId", "SubscribeURL", "Subject", "Timestamp", "Token", "TopicArn", "Type"]
    text = "".join(f"{name}\n{posted[name]}\n" for name in names if name in posted)
    signature = (key or private_key()).sign(text.encode(), padding.PKCS1v15(), _HASHES[version]())
    return {**posted, "Signature": base64.b64encode(signature).decode()}


def body(message: str, **changes: Any) -> bytes:
    """Return what is posted."""
    return json.dumps(envelope(message, **changes)).encode()
