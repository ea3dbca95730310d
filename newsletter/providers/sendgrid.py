"""Sends by SendGrid's API: many recipients a request, and what each of its answers means for them.

https://www.twilio.com/docs/sendgrid/api-reference/mail-send/mail-send
"""

from __future__ import annotations

import math
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import chain, pairwise
from pathlib import Path
from time import time
from typing import NamedTuple

import msgspec

from newsletter.errors import MessageRejected, ProviderBusy, ProviderUnavailable, one_line
from newsletter.http_line import Answer, Line, NoAnswer, NotSent, Place, believed, retry_after
from newsletter.messages import mail_address
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.protocols import Connection, Exposure, OnUncertain
from newsletter.providers.answers import Backoff, opened
from newsletter.providers.kept import OfLetter
from newsletter.providers.sendgrid_payload import MOST_RECIPIENTS, Payload

PATH = "/v3/mail/send"
_SANDBOX = 200  # what was checked and not sent
_ACCEPTED = 202
_TOO_LARGE = 413
_TOO_MANY = 429
_MOST_REFUSED = 3  # readers refused alone, without being named, and nobody taken: it is about the letter
_REMEDIES = {
    401: "check provider.sendgrid.api_key (an account without credits gets this answer too)",
    403: 'give the key the permission "Mail Send", and verify sender.email at SendGrid',
}
_ELSE = "check provider.sendgrid.base_url"
_PEOPLE = "personalizations"
_OF_PERSON = re.compile(rf"{_PEOPLE}\.(\d{{1,4}})(?:\.|$)")
_NO_ADDRESS = re.compile(r"valid (?:e-?mail )?address|invalid e-?mail", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class SendGridSettings:
    """Account and place. ``sandbox``: everything is checked by SendGrid, and nothing delivered."""

    api_key: str = field(repr=False)
    base_url: str = "https://api.sendgrid.com"
    timeout: float = 30.0
    ca_file: Path | None = None
    sandbox: bool = False
    track_opens: bool = False
    track_clicks: bool = False


class SendGridProvider:
    """Hands letters to SendGrid, up to 1,000 recipients a request.

    It has no key that would make a request safe to repeat: what was not answered is held until events tell.
    """

    name = "sendgrid"
    batch_size = MOST_RECIPIENTS
    exposure = Exposure.ALL

    def __init__(self, settings: SendGridSettings, on_uncertain: OnUncertain = OnUncertain.HOLD) -> None:
        self._settings = settings
        self.on_uncertain = on_uncertain

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Connect; raise `ProviderUnavailable` if that fails."""
        own = self._settings
        place = Place(base_url=own.base_url, timeout=own.timeout, ca_file=own.ca_file)
        with opened(place, "provider.sendgrid.base_url") as line:
            yield _SendGridConnection(own, line)


_Reader = tuple[int, str]  # a subscriber's number and personalization


class _Said(NamedTuple):
    """What holds for everybody in a request."""

    outcome: Outcome
    reply: str
    name: str = ""


class _SendGridConnection:
    def __init__(self, settings: SendGridSettings, line: Line) -> None:
        self._settings = settings
        self._line = line
        self._headers = {"Authorization": f"Bearer {settings.api_key}", "Content-Type": "application/json"}
        opens, clicks = settings.track_opens, settings.track_clicks
        self._payload = OfLetter(partial(Payload, opens=opens, clicks=clicks, sandbox=settings.sandbox))
        self._backoff = Backoff()

    def send(self, letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        payload = self._payload(letter)
        group: dict[str, _Reader] = {}  # by address: one twice has a whole request refused
        for recipient in recipients:
            try:
                person = payload.person(recipient)
            except MessageRejected as error:
                yield from self._send_group(payload, group)
                group = {}
                yield Receipt(recipient.subscriber_id, Outcome.REJECTED, str(error))
                continue
            address = mail_address(recipient.address).lower()
            if address in group or len(group) == MOST_RECIPIENTS:
                yield from self._send_group(payload, group)
                group = {}
            group[address] = recipient.subscriber_id, person
        yield from self._send_group(payload, group)

    def _send_group(self, payload: Payload, group: Mapping[str, _Reader]) -> Iterator[Receipt]:
        """Give the receipts of some. Who was refused without being named is judged when another one is taken.

        Where nobody is, because an answer is in doubt, they are tried again.
        """
        held: list[tuple[list[Receipt], bool]] = []
        unnamed = 0
        for receipts, is_named in self._answers(payload, list(group.values())):
            held.append((receipts, is_named))
            unnamed += not is_named
            if unnamed >= _MOST_REFUSED:
                raise self._of_letter(receipts[0].reply)
            outcome = receipts[0].outcome
            if outcome is Outcome.UNCERTAIN:  # what is raised next would take the doubt with it
                held = [
                    (each if named else [each[0]._replace(outcome=Outcome.RETRY)], named)
                    for each, named in held
                ]
            if outcome is not Outcome.REJECTED or not unnamed:
                yield from chain.from_iterable(each for each, _ in held)
                held, unnamed = [], 0
        yield from chain.from_iterable(each for each, _ in held)

    def _answers(self, payload: Payload, group: Sequence[_Reader]) -> Iterator[tuple[list[Receipt], bool]]:
        """Send to some; where that is refused for one of them, to smaller and smaller parts, in their order.

        Yields the receipts of each request, and whether its answer was about its readers: about all, or by name.
        """
        parts = deque([group] if group else [])
        while parts:
            part = parts.popleft()
            answer = self._ask(payload.of([person for _, person in part]))
            if isinstance(answer, _Said):
                outcome, reply, name = answer
                yield [Receipt(number, outcome, reply, name) for number, _ in part], True
                if answer.outcome is Outcome.UNCERTAIN:
                    raise self._not_now(answer.reply, None)  # those are in doubt; not as many more
            elif len(part) == 1:
                yield self._refusal(part[0], answer)
            else:
                parts.extendleft(reversed(self._split(part, answer)))

    def _split(self, part: Sequence[_Reader], refused: _Refused) -> list[Sequence[_Reader]]:
        """Cut a refused part around those who are named as the fault, else into halves."""
        if refused.is_of_letter:
            raise self._of_letter(refused.told)
        cuts = [cut for number in refused.people if number < len(part) for cut in (number, number + 1)]
        if not cuts or len(cuts) > 2 * math.isqrt(len(part)):  # that many may be a fault of the letter
            cuts = [len(part) // 2]
        edges = sorted({0, *cuts, len(part)})
        return [part[begin:end] for begin, end in pairwise(edges)]

    def _refusal(self, reader: _Reader, refused: _Refused) -> tuple[list[Receipt], bool]:
        """Return what is said of one who was refused alone, and whether it is about them; raise where it is not."""
        if refused.is_of_letter or refused.status == _TOO_LARGE:
            raise self._of_letter(refused.told)
        is_named = bool(refused.people)
        hard = is_named and _NO_ADDRESS.search(refused.told) is not None
        reply = f"{refused.status} {refused.told}"
        return [Receipt(reader[0], Outcome.REJECTED, reply, hard=hard)], is_named

    def _ask(self, body: bytes) -> _Said | _Refused:
        """Return what holds for all in a request, or why it is refused as a whole."""
        try:
            answer = self._line.call("POST", PATH, body, self._headers)
        except NotSent as error:
            raise self._not_now(str(error), None) from error
        except NoAnswer as error:
            return _Said(Outcome.UNCERTAIN, str(error))
        status = answer.status
        if status == _ACCEPTED or (status == _SANDBOX and self._settings.sandbox):
            self._backoff.over()
            name = one_line(answer.headers.get("x-message-id", ""))[:255]
            said = (
                f"{status} accepted" if status == _ACCEPTED else "200 checked in the sandbox, not delivered"
            )
            return _Said(Outcome.ACCEPTED, f"{said} {name}".rstrip(), name)
        refused = _refused(answer)
        if status in {400, _TOO_LARGE}:
            return refused
        told = f"{status} {refused.told}"
        if status == _TOO_MANY:
            raise self._not_now(told, _reset(answer.headers))
        # The request was handed over whole: something may have handed it on, or taken it in its own way.
        if status >= 500 or (status < 300 and status != _SANDBOX):
            return _Said(Outcome.UNCERTAIN, told)
        raise _unavailable(self._settings, told, f"nobody was rejected; {_REMEDIES.get(status, _ELSE)}")

    def _not_now(self, problem: str, seconds: float | None) -> ProviderBusy:
        return self._backoff.busy(problem, seconds, self._settings.base_url)

    def _of_letter(self, told: str) -> ProviderUnavailable:
        remedy = "nobody was rejected; this is about the letter or the account, not about a reader"
        return _unavailable(self._settings, f"refused: {told}", remedy)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    """Why a request was refused as a whole. ``people`` are the personalizations that are named, from 0.

    ``is_of_letter``: something else is named, and none of them.
    """

    status: int
    told: str
    people: Sequence[int] = ()
    is_of_letter: bool = False


def _refused(answer: Answer) -> _Refused:
    """Read the errors of an answer, whatever it looks like: a proxy answers in HTML."""
    try:
        listed = [
            (str(each.get("message") or ""), str(each.get("field") or ""))
            for each in msgspec.json.decode(answer.body)["errors"]
        ]
    except (
        msgspec.DecodeError, UnicodeDecodeError, RecursionError, KeyError, TypeError, AttributeError,
    ):  # fmt: skip
        listed = [(answer.body[:200].decode(errors="replace"), "")]
    said = "; ".join(f"{message} ({field})" if field else message for message, field in listed[:3])
    people = sorted({int(found[1]) for _, field in listed if (found := _OF_PERSON.match(field))})
    return _Refused(
        status=answer.status, told=one_line(said)[:500] or "no reason given", people=people,
        is_of_letter=bool(listed) and all(field and not field.startswith(_PEOPLE) for _, field in listed),
    )  # fmt: skip


def _reset(headers: Mapping[str, str]) -> float | None:
    """Return in how many seconds the limit is reset, None where nothing believable is said."""
    said = headers.get("x-ratelimit-reset", "").strip()
    if said.isascii() and said.isdigit() and len(said) <= 12:
        return believed(float(said) - time())
    return retry_after(headers)


def _unavailable(settings: SendGridSettings, problem: str, remedy: str) -> ProviderUnavailable:
    return ProviderUnavailable(problem, subject=settings.base_url, remedy=remedy)
