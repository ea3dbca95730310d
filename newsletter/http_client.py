"""The one way to fetch: limits on time and size, retries, redirects only from web to web."""

from __future__ import annotations

import random
import re
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from urllib.parse import urlencode, urljoin

import urllib3
from urllib3 import exceptions
from urllib3.exceptions import (
    DecodeError,
    HTTPError,
    InvalidHeader,
    LocationValueError,
    NewConnectionError,
    SSLError,
)
from urllib3.util import Retry, parse_url

from newsletter import __version__
from newsletter.errors import SourceError
from newsletter.public_address import public_pool, shown

MEGABYTE = 1024 * 1024
_REDIRECTS = {301, 302, 303, 307, 308}
_CHUNK = 64 * 1024
_JITTER = random.SystemRandom()
_OWN_HEADERS = {"User-Agent": f"daily-papers-newsletter/{__version__}", "Accept-Encoding": "gzip, deflate"}
# RateLimit: "api";r=0;t=120, and as older drafts have it: limit=100, remaining=0, reset=120
_REMAINING = re.compile(r"\b(?:r|remaining)\s*=\s*(\d+)")
_RESET = re.compile(r"\b(?:t|reset)\s*=\s*(\d+)")
_EPOCH = 1_000_000_000  # larger resets are times, not seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer, read to its end and decompressed. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _TryAgainError(Exception):
    """A fault that may be gone at the next try. ``wait`` is what the server asks for, in seconds."""

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.wait = wait


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
            except _TryAgainError as fault:
                wait = fault.wait
                if wait is None:
                    wait = self._backoff * 2 ** (attempt - 1) * _JITTER.uniform(1, 1.5)
                if attempt == self._tries:
                    problem = f"{fault.problem}, {attempt} times" if attempt > 1 else fault.problem
                    raise _error(problem, url, "try again later") from fault
                if self._clock() + wait >= deadline:
                    late = f"{fault.problem}; the next try would come after the {self._total:g} s allowed"
                    raise _error(late, url, f"try again in {max(wait, 1):.0f} s or later") from fault
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
        except _TryAgainError as fault:
            raise _error(fault.problem, url, "try again later") from fault
        response.close()
        return response.status

    def _wait_for_limit(self, url: str, deadline: float) -> None:
        wait = self._free_at.get(_host(url), 0.0) - self._clock()
        if wait <= 0:
            return
        if self._clock() + wait >= deadline:
            raise _error("the rate limit is used up", url, f"try again in {wait:.0f} s or later")
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
        raise _error(f"redirects more than {self._max_redirects} times", url, "check the address")

    def _note_limit(self, url: str, response: urllib3.BaseHTTPResponse) -> None:
        reset = _limit_reset(response)
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
        try:
            if parse_url(url).scheme not in {"http", "https"}:
                raise _error("only http and https addresses are fetched", url, "check the address")
            return _within(left, lambda: self._request(url, headers, timeout, public=public, body=body))
        except LocationValueError as error:
            raise _error(f"is not a usable address ({error})", url, "check the address") from error
        except SSLError as error:
            if not isinstance(error.args[0], ssl.SSLCertVerificationError):
                raise _TryAgainError(f"no secure connection ({_reason(error)})") from error
            hint = "check the clock and the certificates of this machine"
            raise _error(f"the certificate is not trusted ({_reason(error)})", url, hint) from error
        except NewConnectionError as error:  # urllib3 counts it among the time-outs
            raise _TryAgainError(f"no connection ({_reason(error)})") from error
        except exceptions.TimeoutError as error:
            raise _TryAgainError("no answer in time") from error
        except HTTPError as error:
            raise _TryAgainError(f"no connection ({_reason(error)})") from error

    def _request(
        self,
        url: str,
        headers: Mapping[str, str],
        timeout: urllib3.Timeout,
        *,
        public: bool,
        body: bytes | None,
    ) -> urllib3.BaseHTTPResponse:
        pool: urllib3.PoolManager | urllib3.HTTPConnectionPool = self._pool
        target = url
        if public:
            pool, host, target = public_pool(url)
            headers = {**headers, "Host": host}
        return pool.request(
            "GET" if body is None else "POST",
            target,
            body=body,
            headers=headers,
            timeout=timeout,
            retries=False,
            redirect=False,
            preload_content=False,
        )

    def _answer(self, url: str, response: urllib3.BaseHTTPResponse, deadline: float) -> Response:
        if response.status == 429 or response.status >= 500:
            wait = _retry_after(response)
            raise _TryAgainError(
                f"the server answered {response.status}", _limit_reset(response) if wait is None else wait
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
                    raise _error(f"the answer is larger than {limit}", url, "check the address")
                if self._clock() > deadline:
                    raise _error(f"the answer took longer than {self._total:g} s", url, "try again later")
        except DecodeError as error:
            raise _TryAgainError("the answer's compression is damaged") from error
        except exceptions.TimeoutError as error:
            raise _TryAgainError("the answer stopped in the middle") from error
        except HTTPError as error:
            raise _TryAgainError(
                f"the connection broke in the middle of the answer ({_reason(error)})"
            ) from error
        return bytes(body)


def _within(seconds: float, request: Callable[[], urllib3.BaseHTTPResponse]) -> urllib3.BaseHTTPResponse:
    """Return what a request gives in time: no time-out of a socket bounds a name server or headers that drip."""
    answer: Future[urllib3.BaseHTTPResponse] = Future()

    def ask() -> None:
        try:
            answer.set_result(request())
        except BaseException as error:  # noqa: BLE001  # it is raised where the answer is waited for
            answer.set_exception(error)

    threading.Thread(target=ask, name="request", daemon=True).start()
    try:
        return answer.result(timeout=seconds)
    except TimeoutError as error:
        answer.add_done_callback(_close_late)
        raise _TryAgainError("no answer in time") from error


def _close_late(answer: Future[urllib3.BaseHTTPResponse]) -> None:
    if answer.exception() is None:
        answer.result().close()


def _joined(url: str, location: str) -> str:
    try:
        return urljoin(url, location)
    except ValueError as error:
        raise _error("redirects to an address that cannot be read", url, "check the address") from error


def _retry_after(response: urllib3.BaseHTTPResponse) -> float | None:
    try:
        return Retry().get_retry_after(response)
    except InvalidHeader:
        return None


def _limit_reset(response: urllib3.BaseHTTPResponse) -> float | None:
    """Return in how many seconds a used-up rate limit is reset, None if something remains or nothing is said."""
    said = response.headers.get("ratelimit", "")
    policies = [said] if "remaining" in said else said.split(",")
    resets = [  # of several limits the one that lasts longest counts
        float(reset[1])
        for policy in policies
        if (left := _REMAINING.search(policy)) and int(left[1]) == 0 and (reset := _RESET.search(policy))
    ]
    if resets:
        return max(resets)
    for prefix in ("ratelimit", "x-ratelimit"):
        rest = response.headers.get(f"{prefix}-remaining", "").strip()
        at = response.headers.get(f"{prefix}-reset", "").strip()
        if rest == "0" and at.isdecimal() and len(at) <= 12:
            return max(0.0, float(at) - time.time()) if float(at) > _EPOCH else float(at)
    return None


def _host(url: str) -> str:
    """Return scheme-less host and port, to tell whether two addresses are at one place."""
    try:
        parts = parse_url(url)
    except LocationValueError:
        return ""
    return f"{parts.host}:{parts.port or {'https': 443}.get(parts.scheme or '', 80)}"


def _reason(error: HTTPError) -> str:
    """Return the words of the fault itself: urllib3 puts a connection's name or a tuple around them."""
    inner = error.args[-1] if error.args else error
    return str(inner).partition("): ")[2] or str(inner) or type(error).__name__


def _error(problem: str, url: str, remedy: str) -> SourceError:
    return SourceError(problem, subject=shown(url), remedy=remedy)
