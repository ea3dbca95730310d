"""What providers that are called over HTTP share: what an answer means, and pauses that grow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

from newsletter.errors import MessageRejected, ProviderBusy, ProviderUnavailable
from newsletter.http_line import Line, NotSent, Place
from newsletter.messages import mail_address

_LONGEST_PAUSE = 60.0


class Means(Enum):
    """What an answer means for the message that it answers."""

    TAKEN = "taken"
    REFUSED = "refused"  # this message
    NOBODY = "nobody"  # the account, the sender or the settings: nobody is rejected
    BUSY = "busy"  # nothing is taken for now
    DOUBT = "doubt"  # it may have been taken


@contextmanager
def opened(place: Place, look_at: str) -> Iterator[Line]:
    """Open a line; raise `ProviderUnavailable`, which names the settings to ``look_at``, if it cannot be had."""
    try:
        line = place.open()
    except NotSent as error:
        raise ProviderUnavailable(
            str(error), subject=place.base_url, remedy=f"check {look_at} and the network"
        ) from error
    try:
        yield line
    finally:
        line.close()


def ascii_address(address: str, service: str) -> str:
    """Return an address as a service takes it; raise `MessageRejected` for one that it does not take."""
    written = mail_address(address)
    if not written.isascii():
        raise MessageRejected(
            f"{service} does not take addresses that are not ASCII before the @",
            remedy="correct it in the subscriber list",
        )
    return written


class Backoff:
    """How long to pause: from a second to a minute, twice as long each time until something is taken."""

    def __init__(self) -> None:
        self._times = 0

    def next(self, asked: float | None) -> float:
        """Return the seconds of the next pause: what the provider asked for, if it did."""
        own = min(2.0 ** min(self._times, 10), _LONGEST_PAUSE)
        self._times += 1
        return own if asked is None else asked

    def busy(self, problem: str, asked: float | None, subject: str) -> ProviderBusy:
        """Return the error that begins the next pause."""
        return ProviderBusy(
            problem,
            seconds=self.next(asked),
            subject=subject,
            remedy="nobody was rejected; the next run goes on",
        )

    def over(self) -> None:
        """Something was taken."""
        self._times = 0
