"""What the answers of Amazon SES mean, by one table."""

from __future__ import annotations

import re
from dataclasses import dataclass

import msgspec

from newsletter.errors import one_line
from newsletter.http_line import Answer
from newsletter.providers.answers import Means

_ADDRESS = re.compile(r"address|recipient|destination|domain|local part|mailbox", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A line of the table: it fits if the status, the error's name and its words do. ``source`` says so."""

    means: Means
    source: str
    remedy: str = ""
    status: re.Pattern[str] = re.compile("")
    name: re.Pattern[str] = re.compile("")
    words: re.Pattern[str] = re.compile("")

    def fits(self, status: int, name: str, words: str) -> bool:
        """Whether an answer is meant."""
        return bool(self.status.match(str(status)) and self.name.search(name) and self.words.search(words))


def _row(
    means: Means, source: str, remedy: str = "", *, status: str = "", name: str = "", words: str = ""
) -> Row:
    return Row(
        means=means, source=source, remedy=remedy, status=re.compile(status), name=re.compile(name),
        words=re.compile(words, re.IGNORECASE),
    )  # fmt: skip


_TAKEN = "^MessageId$"  # what a taken message's answer has in place of an error
_API = "SES API v2, SendEmail, Errors"
_GUIDE = "SES Developer Guide"
_COMMON = "SES API v2, Common Errors"

TABLE: tuple[Row, ...] = (
    _row(Means.TAKEN, "SES API v2, SendEmail, Response Elements: MessageId", status="200", name=_TAKEN),
    _row(
        Means.NOBODY, f"{_GUIDE}, Errors related to the sending quotas for your account: daily message quota exceeded",
        "the quota of these 24 hours is used up; run again later, or have it raised (delivery.per_day keeps below it)",
        status="4..", words=r"daily (?:message|sending) quota",
    ),
    _row(Means.BUSY, f"{_API}: TooManyRequestsException; {_COMMON}: ThrottlingException", status="429"),
    _row(
        Means.BUSY, f"{_GUIDE}, Errors related to the sending quotas for your account: maximum sending rate exceeded",
        name=r"^(?:TooManyRequests|Throttling|RequestThrottled)", status="4..",
    ),
    _row(
        Means.NOBODY, f"{_GUIDE}, Amazon SES email sending errors: Email address is not verified",
        "verify sender.email in this region; an account in the sandbox writes to verified addresses only",
        status="4..", words="is not verified",
    ),
    _row(
        Means.NOBODY, f"{_API}: MailFromDomainNotVerifiedException", "verify the sender's domain in this region",
        name="^MailFromDomainNotVerified",
    ),
    _row(
        Means.NOBODY, f"{_API}: AccountSuspendedException, SendingPausedException, LimitExceededException",
        "look at the account's page of Amazon SES", name="^(?:AccountSuspended|SendingPaused|LimitExceeded)",
    ),
    _row(
        Means.NOBODY, f"{_API}: NotFoundException", "check provider.ses.configuration_set and region",
        status="404",
    ),
    _row(
        Means.NOBODY, "SES API, SendRawEmail, Errors: ConfigurationSetDoesNotExist, ConfigurationSetSendingPaused",
        "check provider.ses.configuration_set", name="^ConfigurationSet",
    ),
    _row(
        Means.NOBODY, f"{_COMMON}: AccessDeniedException, InvalidClientTokenId, SignatureDoesNotMatch, RequestExpired",
        "check the credentials, their permission ses:SendEmail and ses:SendRawEmail, and the clock", status="40[13]",
    ),
    _row(
        Means.REFUSED, f"{_API}: MessageRejected, BadRequestException", status="400",
        name="^(?:MessageRejected|BadRequest|InvalidParameter|Validation)",
    ),
    _row(Means.BUSY, f"{_COMMON}: ServiceUnavailable", status="503"),
    _row(Means.DOUBT, f"{_COMMON}: InternalFailure; gateways may have handed the request on", status="5.."),
    _row(Means.DOUBT, "RFC 9110, 15.3: the request was received, understood and accepted", status="2.."),
    _row(Means.NOBODY, "RFC 9110, 15.4 and 15.5: the request was not acted upon", "check provider.ses.base_url"),
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What an answer says: the row that fits it, on one line with its status, and without; the message's id."""

    row: Row
    told: str
    words: str
    message_id: str

    @property
    def is_about_address(self) -> bool:
        """Whether a refusal speaks of an address, and so of one reader."""
        return _ADDRESS.search(self.words) is not None


def read(answer: Answer) -> Judged:
    """Judge an answer, whatever it looks like: a proxy answers in HTML."""
    try:
        found = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        found = None
    if not isinstance(found, dict):
        found = {"message": answer.body[:200].decode(errors="replace")}
    message_id = found.get("MessageId")
    if isinstance(message_id, str) and message_id.strip():
        name, words = "MessageId", one_line(message_id)[:255]
    else:
        name = answer.headers.get("x-amzn-errortype") or _text(found, "__type", "code")
        name = one_line(name.partition(":")[0].rpartition("#")[2])[:80]
        words = one_line(_text(found, "message", "Message"))[:500]
    row = next(row for row in TABLE if row.fits(answer.status, name, words))
    told = f"{answer.status} {f'{name}: ' if name else ''}{words or 'no reason given'}"
    return Judged(row=row, told=told, words=words, message_id=words if row.means is Means.TAKEN else "")


def _text(found: dict[str, object], *names: str) -> str:
    """Return the first text under some names; nothing else is written out, however deep it is."""
    return next((each for name in names if isinstance(each := found.get(name), str) and each), "")
