"""What SendGrid posts to a webhook about the mail that it took, signed, and as unruly as it may be."""

from __future__ import annotations

import base64
import random
import ssl
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Any

import orjson
import urllib3

from tests.servers.sendgrid.mail import Delivered
from tests.support.sendgrid_posts import SendGridSigner


class Fate(Enum):
    """What becomes of a mail, as the events tell it."""

    DELIVERED = ("processed", "delivered")
    BOUNCED = ("processed", "bounce")
    BLOCKED = ("processed", "blocked")
    DROPPED = ("dropped",)
    DEFERRED = ("processed", "deferred", "delivered")
    COMPLAINED = ("processed", "delivered", "spamreport")
    UNSUBSCRIBED = ("processed", "delivered", "unsubscribe")
    OPENED = ("processed", "delivered", "open")
    PROCESSED = ("processed",)  # and nothing more is heard


_DETAILS: dict[str, dict[str, Any]] = {
    "delivered": {"response": "250 2.0.0 OK"},
    "bounce": {
        "event": "bounce",
        "type": "bounce",
        "status": "5.1.1",
        "reason": "550 5.1.1 The mailbox is not there",
    },
    "blocked": {
        "event": "bounce",
        "type": "blocked",
        "status": "5.7.1",
        "reason": "550 5.7.1 Refused by policy",
    },
    "dropped": {"reason": "Bounced Address"},
    "deferred": {"attempt": "1", "response": "451 4.3.0 Come again later"},
    "open": {"useragent": "Mozilla/5.0", "ip": "192.0.2.7", "sg_machine_open": False},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """Where events are posted, and how: all in order and once, unless told otherwise.

    ``fate`` is asked for each address. Batches of ``batch`` go out ``late`` seconds after the mail was taken,
    ``copies`` times; ``shuffled`` mixes the events of a whole burst, copies among them, by ``seed``. A post that is
    not answered with 2xx is made again ``retries`` times. ``never`` posts nothing. ``clock`` (seconds) dates the
    signatures.
    """

    url: str
    fate: Callable[[str], Fate] = lambda _: Fate.DELIVERED
    late: float = 0.0
    copies: int = 1
    shuffled: bool = False
    never: bool = False
    batch: int = 1_000
    retries: int = 5
    pause: float = 0.1
    seed: int = 0
    ca_file: str | None = None
    clock: Callable[[], float] = time.time
    signer: SendGridSigner = field(default_factory=SendGridSigner)

    def signed(self, body: bytes) -> dict[str, str]:
        """Return the headers of a post."""
        own = self.signer.headers(body, datetime.fromtimestamp(self.clock(), UTC))
        return {"Content-Type": "application/json", "User-Agent": "SendGrid Event API", **own}


def events_of(mail: Delivered, fate: Fate, at: float, index: int) -> Iterator[dict[str, Any]]:
    """Yield the events of one mail, each with an id of its own; ``index`` numbers the mails of a request."""
    for offset, name in enumerate(fate.value):
        yield {
            **mail.custom_args,
            "email": mail.address,
            "timestamp": int(at) + offset,
            "smtp-id": mail.headers.get("Message-ID", f"<{mail.message_id}.{index}@geopod.example>"),
            "event": name,
            "category": list(mail.categories),
            "sg_event_id": base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("="),
            "sg_message_id": f"{mail.message_id}.recvd-{mail.request:x}-{index}",
            **_DETAILS.get(name, {}),
        }


class Poster:
    """Posts events from a thread of its own. ``posts`` holds the status of each post that was made (0: no answer)."""

    def __init__(self, webhook: Webhook) -> None:
        self._webhook = webhook
        self._due: list[tuple[float, dict[str, Any]]] = []
        self._changed = threading.Condition()
        self._busy = False
        self._ended = threading.Event()
        self._random = random.Random(webhook.seed)
        self._thread = threading.Thread(target=self._run, name="sendgrid-events", daemon=True)
        self.posts: list[int] = []
        self.lost = 0  # events that were given up

    def start(self) -> None:
        """Begin to post."""
        self._thread.start()

    def stop(self) -> None:
        """End at once; what was not posted is not."""
        self._ended.set()
        with self._changed:
            self._changed.notify_all()
        self._thread.join(10)

    def take(self, mails: Sequence[Delivered]) -> None:
        """Put down what will be told of the mails of one request."""
        if self._webhook.never:
            return
        at = time.time()
        due = time.monotonic() + self._webhook.late
        told = [
            (due, event)
            for index, mail in enumerate(mails)
            for event in events_of(mail, self._webhook.fate(mail.address), at, index)
        ]
        with self._changed:
            self._due += told
            self._changed.notify_all()

    def state(self) -> dict[str, Any]:
        """Return how the posts went, and whether there is nothing left to post."""
        with self._changed:
            settled = not self._due and not self._busy
        public_key = self._webhook.signer.verification_key
        return {"posts": list(self.posts), "lost": self.lost, "settled": settled, "public_key": public_key}

    def settle(self, seconds: float = 30.0) -> bool:
        """Wait until everything was posted or given up; return whether it was."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._due and not self._busy, seconds)

    def _run(self) -> None:
        trusted = ssl.create_default_context(cafile=self._webhook.ca_file)
        with urllib3.PoolManager(retries=False, timeout=30, ssl_context=trusted) as pool:
            while burst := self._next():
                for start in range(0, len(burst), self._webhook.batch):
                    self._post(pool, burst[start : start + self._webhook.batch])
                with self._changed:
                    self._busy = False
                    self._changed.notify_all()

    def _next(self) -> list[dict[str, Any]]:
        """Return all that is due, as it is to be posted; nothing at the end."""
        with self._changed:
            while not self._ended.is_set():
                now = time.monotonic()
                burst = [event for due, event in self._due if due <= now]
                if burst:
                    self._busy = True
                    self._due = [(due, event) for due, event in self._due if due > now]
                    return self._as_posted(burst)
                self._changed.wait(min((due for due, _ in self._due), default=now + 60) - now)
        return []

    def _as_posted(self, burst: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return a burst in the order of its posts, with the copies."""
        if self._webhook.shuffled:
            burst *= self._webhook.copies
            self._random.shuffle(burst)
            return burst
        size = self._webhook.batch
        batches = [burst[start : start + size] for start in range(0, len(burst), size)]
        return [event for batch in batches for _ in range(self._webhook.copies) for event in batch]

    def _post(self, pool: urllib3.PoolManager, events: Sequence[dict[str, Any]]) -> None:
        body = orjson.dumps(events)
        for _ in range(1 + self._webhook.retries):
            try:
                answer = pool.request(
                    "POST", self._webhook.url, body=body, headers=self._webhook.signed(body)
                )
                status = answer.status
            except urllib3.exceptions.HTTPError:
                status = 0
            self.posts.append(status)
            if 200 <= status < 300 or self._ended.wait(self._webhook.pause):
                return
        self.lost += len(events)
