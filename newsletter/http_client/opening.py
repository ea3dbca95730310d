"""One request, answered in time or not at all."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future

import urllib3
from urllib3 import exceptions
from urllib3.exceptions import HTTPError, LocationValueError, NewConnectionError, SSLError
from urllib3.util import parse_url

from newsletter.http_client.faults import TryAgainError, no_answer, reason
from newsletter.public_address import public_pool


def opened(
    pool: urllib3.PoolManager,
    url: str,
    headers: Mapping[str, str],
    timeout: urllib3.Timeout,
    *,
    within: float,
    public: bool,
    body: bytes | None,
) -> urllib3.BaseHTTPResponse:
    """Return an answer whose body is still to be read; raise `TryAgainError`, or `SourceError`, if there is none.

    ``within`` bounds it as a whole, in seconds. ``public`` connects to a public address alone. With a ``body`` it is
    a POST.
    """
    try:
        if parse_url(url).scheme not in {"http", "https"}:
            raise no_answer("only http and https addresses are fetched", url, "check the address")
        return _within(within, lambda: _request(pool, url, headers, timeout, public=public, body=body))
    except LocationValueError as error:
        raise no_answer(f"is not a usable address ({error})", url, "check the address") from error
    except SSLError as error:
        if not isinstance(error.args[0], ssl.SSLCertVerificationError):
            raise TryAgainError(f"no secure connection ({reason(error)})") from error
        hint = "check the clock and the certificates of this machine"
        raise no_answer(f"the certificate is not trusted ({reason(error)})", url, hint) from error
    except NewConnectionError as error:  # urllib3 counts it among the time-outs
        raise TryAgainError(f"no connection ({reason(error)})") from error
    except exceptions.TimeoutError as error:
        raise TryAgainError("no answer in time") from error
    except HTTPError as error:
        raise TryAgainError(f"no connection ({reason(error)})") from error


def _request(
    pool: urllib3.PoolManager,
    url: str,
    headers: Mapping[str, str],
    timeout: urllib3.Timeout,
    *,
    public: bool,
    body: bytes | None,
) -> urllib3.BaseHTTPResponse:
    chosen: urllib3.PoolManager | urllib3.HTTPConnectionPool = pool
    target = url
    if public:
        chosen, host, target = public_pool(url)
        headers = {**headers, "Host": host}
    return chosen.request(
        "GET" if body is None else "POST",
        target,
        body=body,
        headers=headers,
        timeout=timeout,
        retries=False,
        redirect=False,
        preload_content=False,
    )


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
        raise TryAgainError("no answer in time") from error


def _close_late(answer: Future[urllib3.BaseHTTPResponse]) -> None:
    if answer.exception() is None:
        answer.result().close()
