"""The one way to fetch: limits on time and size, retries, redirects only from web to web."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin

import urllib3
from urllib3 import exceptions
from urllib3.exceptions import DecodeError, HTTPError, LocationValueError
from urllib3.util import parse_url

from newsletter import __version__
from newsletter.http_client.faults import TryAgainError, no_answer, reason
from newsletter.http_client.limits import limit_reset, retry_after
from newsletter.http_client.opening import opened

MEGABYTE = 1024 * 1024
_REDIRECTS = {301, 302, 303, 307, 308}
_CHUNK = 64 * 1024
_JITTER = random.SystemRandom()
_OWN_HEADERS = {"User-Agent": f"daily-papers-newsletter/{__version__}", "Accept-Encoding": "gzip, deflate"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer, read to its end and decompressed. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class HttpClient:
    """Fetches over http and https. All times are in seconds.

    ``total`` bounds a whole `get`: tries, redirects, waiting and reading together. ``free_at`` is when each host
    takes requests again, as it said, on the clock; clients that share it keep the same limits.
    """

    def __init__(
        self,
        *,
        connect: float = 10,
        read: float = 20,
        total: float = 90,
        tries: int = 4,
        backoff: float = 0.5,
        max_bytes: int = 32 * MEGABYTE,
        max_redirects: int = 5,
        free_at: dict[str, float] | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._connect, self._read, self._total = connect, read, total
        self._tries, self._backoff = tries, backoff
        self._max_bytes, self._max_redirects = max_bytes, max_redirects
        self._clock, self._sleep = clock, sleep
        self._pool = urllib3.PoolManager()
        self._free_at = {} if free_at is None else free_at

    def get(
        self, url: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> Response:
        """Return the answer, whatever its status below 500 but 429; raise `SourceError` if there is none.

        Faults of the connection, 429 and 5xx are tried again, as the server's Retry-After says. A server that said
        that nothing remains of its rate limit is not asked before the reset. A redirect to another host is an
        address that the content names: only public ones are followed, without the caller's headers.
        """
        deadline = self._clock() + self._total
        target = f"{url}?{urlencode(params)}" if params else url
        asked = {**_OWN_HEADERS, **(headers or {})}
        for attempt in range(1, self._tries + 1):
            try:
                self._wait_for_limit(target, deadline)
                return self._follow(target, asked, deadline)
            except TryAgainError as fault:
                wait = fault.wait
                if wait is None:
                    wait = self._backoff * 2 ** (attempt - 1) * _JITTER.uniform(1, 1.5)
                if attempt == self._tries:
                    problem = f"{fault.problem}, {attempt} times" if attempt > 1 else fault.problem
                    raise no_answer(problem, url, "try again later") from fault
                if self._clock() + wait >= deadline:
                    late = f"{fault.problem}; the next try would come after the {self._total:g} s allowed"
                    raise no_answer(late, url, f"try again in {max(wait, 1):.0f} s or later") from fault
                self._sleep(wait)
        raise AssertionError("unreachable: the last attempt returns or raises")

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> int:
        """Hand a body over, once and without following redirects; return the status, whatever it is.

        Raise `SourceError` if there is no answer within ``total``.
        """
        try:
            response = self._open(
                url, {**_OWN_HEADERS, **headers}, self._clock() + self._total, public=False, body=body
            )
        except TryAgainError as fault:
            raise no_answer(fault.problem, url, "try again later") from fault
        response.close()
        return response.status

    def _wait_for_limit(self, url: str, deadline: float) -> None:
        wait = self._free_at.get(_host(url), 0.0) - self._clock()
        if wait <= 0:
            return
        if self._clock() + wait >= deadline:
            raise no_answer("the rate limit is used up", url, f"try again in {wait:.0f} s or later")
        self._sleep(wait)

    def _follow(self, url: str, headers: Mapping[str, str], deadline: float) -> Response:
        """Fetch once, following redirects."""
        own = {_host(url), _host(url.replace("http://", "https://", 1))}
        for _ in range(self._max_redirects + 1):
            named_by_content = _host(url) not in own
            response = self._open(
                url, _OWN_HEADERS if named_by_content else headers, deadline, public=named_by_content
            )
            try:
                self._note_limit(url, response)
                location = response.headers.get("location")
                if response.status not in _REDIRECTS or not location:
                    return self._answer(url, response, deadline)
            finally:
                response.close()
            url = _joined(url, location)
        raise no_answer(f"redirects more than {self._max_redirects} times", url, "check the address")

    def _note_limit(self, url: str, response: urllib3.BaseHTTPResponse) -> None:
        reset = limit_reset(response)
        if reset is not None:
            self._free_at[_host(url)] = self._clock() + reset

    def _open(
        self,
        url: str,
        headers: Mapping[str, str],
        deadline: float,
        *,
        public: bool,
        body: bytes | None = None,
    ) -> urllib3.BaseHTTPResponse:
        left = max(deadline - self._clock(), 0.001)
        timeout = urllib3.Timeout(connect=min(self._connect, left), read=min(self._read, left))
        return opened(self._pool, url, headers, timeout, within=left, public=public, body=body)

    def _answer(self, url: str, response: urllib3.BaseHTTPResponse, deadline: float) -> Response:
        if response.status == 429 or response.status >= 500:
            wait = retry_after(response)
            raise TryAgainError(
                f"the server answered {response.status}", limit_reset(response) if wait is None else wait
            )
        return Response(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers.items()},
            body=self._body(url, response, deadline),
        )

    def _body(self, url: str, response: urllib3.BaseHTTPResponse, deadline: float) -> bytes:
        body = bytearray()
        try:
            while chunk := response.read1(_CHUNK, decode_content=True):
                body += chunk
                if len(body) > self._max_bytes:
                    limit = f"{self._max_bytes / MEGABYTE:g} MB"
                    raise no_answer(f"the answer is larger than {limit}", url, "check the address")
                if self._clock() > deadline:
                    raise no_answer(f"the answer took longer than {self._total:g} s", url, "try again later")
        except DecodeError as error:
            raise TryAgainError("the answer's compression is damaged") from error
        except exceptions.TimeoutError as error:
            raise TryAgainError("the answer stopped in the middle") from error
        except HTTPError as error:
            raise TryAgainError(
                f"the connection broke in the middle of the answer ({reason(error)})"
            ) from error
        return bytes(body)


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise no_answer("redirects to an address that cannot be read", url, "check the address") from error


def _host(url: str) -> str:
    """Return scheme-less host and port, to tell whether two addresses are at one place."""
    try:
        parts = parse_url(url)
    except LocationValueError:
        return ""
    return f"{parts.host}:{parts.port or {'https': 443}.get(parts.scheme or '', 80)}"
