"""Amazon SNS over HTTPS: what is posted is proven to come from one topic.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html. Anybody can have a topic of their own,
whose messages Amazon signs just as well: so the topic counts as much as the signature.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from threading import Lock
from urllib.parse import parse_qs

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from newsletter.errors import SourceError, WebhookRefused
from newsletter.http_client import HttpClient

MAX_AGE = timedelta(hours=1)  # SNS tries again for about as long
_CERTIFICATE = re.compile(r"/SimpleNotificationService-[A-Za-z0-9]{1,64}\.pem")
_MOST_CERTIFICATES = 8
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {"1": hashes.SHA1, "2": hashes.SHA256}
_NOTIFICATION = ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type")
_SIGNED = {
    "Notification": _NOTIFICATION,
    "SubscriptionConfirmation": (
        *_NOTIFICATION[:2],
        "SubscribeURL",
        "Timestamp",
        "Token",
        "TopicArn",
        "Type",
    ),
}
_SIGNED["UnsubscribeConfirmation"] = _SIGNED["SubscriptionConfirmation"]


class Posted(msgspec.Struct, frozen=True):
    """A message of SNS under its own names. ``Message`` is what the topic was given."""

    Type: str
    MessageId: str
    TopicArn: str
    Message: str
    Timestamp: str
    SignatureVersion: str
    Signature: str
    SigningCertURL: str
    Subject: str | None = None
    SubscribeURL: str | None = None
    Token: str | None = None


_POSTED = msgspec.json.Decoder(Posted)


def fetched(url: str) -> bytes:
    """Return what is at an address; raise `SourceError` where there is nothing, and for a redirect."""
    answer = HttpClient(total=15, tries=2, max_bytes=64 * 1024, max_redirects=0).get(url)
    if answer.status != 200:
        raise SourceError(f"the server answered {answer.status}", subject=url)
    return answer.body


class Topic:
    """A topic, by its ARN. ``fetch`` gets what is at an address of SNS, or raises `SourceError`."""

    def __init__(self, arn: str, fetch: Callable[[str], bytes] = fetched) -> None:
        _, partition, _, region, *_ = arn.split(":")
        self._arn = arn
        # In the topic's own region, so that nothing of another name is ever asked.
        self._place = f"https://sns.{region}.amazonaws.com{'.cn' if partition == 'aws-cn' else ''}"
        self._fetch = fetch
        self._keys: dict[str, rsa.RSAPublicKey] = {}
        self._lock = Lock()

    def proven(self, body: bytes, now: datetime) -> tuple[Posted, datetime]:
        """Return a message of this topic and when it was published; raise `WebhookRefused` for anything else."""
        try:
            posted = _POSTED.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise WebhookRefused("is no message of SNS") from error
        if posted.Type not in _SIGNED or posted.SignatureVersion not in _HASHES:
            raise WebhookRefused("is of a type or a version of signatures that is not known")
        if posted.TopicArn != self._arn:
            raise WebhookRefused("is of another topic")
        at = _time(posted.Timestamp)
        if abs(now - at) > MAX_AGE:
            raise WebhookRefused(f"was published at {at:%Y-%m-%d %H:%M} UTC, which is too far from now")
        self._verify(posted, now)
        return posted, at

    def confirm(self, posted: Posted) -> None:
        """Tell SNS that the subscription is wanted; raise `WebhookRefused` where that cannot be done."""
        url = posted.SubscribeURL or ""
        asked = parse_qs(url.removeprefix(f"{self._place}/?"))
        if asked.get("Action") != ["ConfirmSubscription"] or asked.get("TopicArn") != [self._arn]:
            raise WebhookRefused("has an address for confirming that is not one of SNS")
        try:
            self._fetch(url)
        except SourceError as error:
            raise WebhookRefused(f"cannot be confirmed: {error.problem}") from error

    def _verify(self, posted: Posted, now: datetime) -> None:
        values = ((name, getattr(posted, name)) for name in _SIGNED[posted.Type])
        signed = "".join(f"{name}\n{value}\n" for name, value in values if value is not None).encode()
        try:
            signature = base64.b64decode(posted.Signature, validate=True)
        except ValueError as error:
            raise WebhookRefused("has a signature that cannot be read") from error
        try:
            self._key(posted.SigningCertURL, now).verify(
                signature, signed, padding.PKCS1v15(), _HASHES[posted.SignatureVersion]()
            )
        except InvalidSignature as error:
            raise WebhookRefused("has a wrong signature") from error

    def _key(self, url: str, now: datetime) -> rsa.RSAPublicKey:
        """Return the key of a certificate, fetched once; one at a time, so that forgers cannot have many fetched."""
        if not (url.startswith(self._place) and _CERTIFICATE.fullmatch(url.removeprefix(self._place))):
            raise WebhookRefused("names no certificate of SNS")
        with self._lock:
            if url not in self._keys:
                if len(self._keys) >= _MOST_CERTIFICATES:
                    self._keys.clear()
                self._keys[url] = self._fetched_key(url, now)
            return self._keys[url]

    def _fetched_key(self, url: str, now: datetime) -> rsa.RSAPublicKey:
        try:
            certificate = x509.load_pem_x509_certificate(self._fetch(url))
            key = certificate.public_key()
        except SourceError as error:
            raise WebhookRefused(f"its certificate cannot be had: {error.problem}") from error
        except (ValueError, UnsupportedAlgorithm) as error:
            raise WebhookRefused("its certificate cannot be read") from error
        if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
            raise WebhookRefused("its certificate is not valid now")
        if not isinstance(key, rsa.RSAPublicKey):
            raise WebhookRefused("its certificate has a key of another kind")
        return key


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
        return at.astimezone(UTC) if at.tzinfo is not None else at.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise WebhookRefused("has no time that can be read") from error
