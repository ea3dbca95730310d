"""The lists that SendGrid keeps of whom it sends nothing to, by the management calls of its own package.

https://www.twilio.com/docs/sendgrid/ui/sending-email/index-suppressions
"""

from __future__ import annotations

import http.client
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from time import sleep, time
from typing import Any

import msgspec
from python_http_client.exceptions import HTTPError
from sendgrid import SendGridAPIClient

from newsletter.errors import ProviderBusy, ProviderUnavailable

PAGE = 500  # entries that one call reads or adds: the most that is documented
_TOO_MANY = 429
_MOST_WAITS = 5  # of one call, for the rate limit
_LONGEST_WAIT = 120.0  # seconds
_GLOBAL = "asm.suppressions.global"
_FAULTS = (OSError, http.client.HTTPException, ValueError)


class Kind(Enum):
    """A list. Blocks are none: they are of one letter, and SendGrid writes to the address again."""

    BOUNCES = "bounces"
    INVALID_EMAILS = "invalid_emails"
    SPAM_REPORTS = "spam_reports"
    UNSUBSCRIBES = "unsubscribes"  # from everything, by SendGrid's own link or put there


class Entry(msgspec.Struct, frozen=True):
    """An address on a list, since ``created`` (seconds since 1970); ``status`` as in RFC 3463, of a bounce."""

    email: str
    created: int = 0
    status: str = ""

    @property
    def at(self) -> datetime:
        """The time of the entry; 1970 for one that is none."""
        try:
            return datetime.fromtimestamp(self.created, UTC)
        except (ValueError, OverflowError, OSError):
            return datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The key and where its account is; ``timeout`` bounds each wait for an octet, in seconds."""

    api_key: str = field(repr=False)
    base_url: str
    timeout: float


class SuppressionLists:
    """An account's lists. A call that comes too soon waits until the limit is reset, a minute or two at most."""

    def __init__(
        self,
        account: Account,
        *,
        clock: Callable[[], float] = time,
        wait: Callable[[float], object] = sleep,
    ) -> None:
        logging.getLogger("python_http_client").setLevel(logging.CRITICAL)  # it logs the key
        self._account = account
        self._client = SendGridAPIClient(account.api_key, host=account.base_url.rstrip("/")).client
        self._client.timeout = account.timeout
        self._clock, self._wait = clock, wait

    def read(self, kind: Kind) -> Iterator[Entry]:
        """Yield a list, page after page; raise `ProviderUnavailable`."""
        scope = f"suppression.{kind.value}.read"
        endpoint = getattr(self._client.suppression, kind.value)
        offset, before = 0, b""
        while page := self._entries(
            told := self._called(scope, endpoint.get, query_params={"limit": PAGE, "offset": offset}), scope
        ):
            if told == before:
                raise self._failed(
                    f"gives the same page again and again ({scope})", "check provider.sendgrid.base_url"
                )
            yield from page
            offset, before = offset + len(page), told

    def add(self, addresses: Sequence[str]) -> None:
        """Unsubscribe up to a page of addresses from everything; raise `ProviderUnavailable`. Repeating is harmless."""
        endpoint = self._client.asm.suppressions._("global")
        self._called(f"{_GLOBAL}.create", endpoint.post, request_body={"recipient_emails": list(addresses)})

    def _entries(self, body: bytes, scope: str) -> list[Entry]:
        try:
            return msgspec.json.decode(body, type=list[Entry])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._failed(f"gave no readable list ({scope}: {error})", "try again later") from error

    def _called(self, scope: str, call: Callable[..., Any], **given: Any) -> bytes:
        """Return the body of an answer; ``scope`` is the permission that the call needs."""
        for waits in range(_MOST_WAITS + 1):
            try:
                return bytes(call(**given).body)
            except HTTPError as refused:
                status = int(refused.status_code)
                if status != _TOO_MANY:
                    raise self._refused(status, scope) from refused
                seconds = self._until(refused.headers)
                if waits == _MOST_WAITS or seconds > _LONGEST_WAIT:
                    raise ProviderBusy(
                        "takes no more calls for now (429)", seconds=seconds, subject=self._account.base_url,
                        remedy="try again later",
                    ) from refused  # fmt: skip
                self._wait(seconds)
            except _FAULTS as error:
                told = str(getattr(error, "reason", "")) or str(error) or type(error).__name__
                remedy = "check provider.sendgrid.base_url and the network, or try again later"
                raise self._failed(f"gave no whole answer ({told})", remedy) from error
        raise AssertionError("unreachable")

    def _until(self, headers: Mapping[str, str]) -> float:
        """Return in how many seconds the limit is reset; two where nothing is said."""
        said = str(headers.get("X-RateLimit-Reset") or "").strip()
        if not (said.isascii() and said.isdigit() and len(said) <= 12):
            return 2.0
        return max(float(said) - self._clock(), 1.0)

    def _refused(self, status: int, scope: str) -> ProviderUnavailable:
        if status == http.client.UNAUTHORIZED:
            return self._failed("does not know the key (401)", "check provider.sendgrid.api_key")
        if status == http.client.FORBIDDEN:
            remedy = f"give the key the permission {scope} in SendGrid's settings"
            return self._failed(f"refuses the call: the key lacks {scope} (403)", remedy)
        if status == http.client.NOT_FOUND:
            return self._failed(f"has no such call (404, {scope})", "check provider.sendgrid.base_url")
        return self._failed(f"answers {status} ({scope})", "try again later")

    def _failed(self, problem: str, remedy: str) -> ProviderUnavailable:
        return ProviderUnavailable(problem, subject=self._account.base_url, remedy=remedy)
