"""Takes a mail apart: what it tells, the fields of its report, the headers of the mail that came back in it.

Nothing here raises for any bytes, and all of it is linear in their number: MIME is read by the standard library, and
what that cannot read, or is nested without sense, is looked at as plain text.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parseaddr
from itertools import islice

from newsletter.providers.mailbox.notifications import Fields, notification

LONGEST_TOLD = 32_768  # characters of text that are looked at
LONGEST_VALUE = 4_000
_MOST_BLOCKS = 200
_MOST_ADDRESSES = 20
_CAME_TO = frozenset(
    {
        "delivered-to", "x-delivered-to", "x-original-to", "envelope-to", "x-envelope-to", "original-recipient", "to",
    }
)  # fmt: skip
_MOST_BOUNDARIES = 40  # a mail of more is not taken apart: nesting costs time at every line
_BOUNDARY = re.compile(rb"(?i)boundary[\s*\d]{0,20}=")
_FIELD = re.compile(r"([A-Za-z][A-Za-z0-9-]{0,63})[ \t]{0,8}:[ \t]*(.*)")
_TAG = re.compile(r"<[^<>]*>")
_BREAK = re.compile(r"(?i)<(?:br|/?p|/?div|/?tr|/?h\d|/?li|/?table|/?pre)\b[^<>]*>")
_HIDDEN = re.compile(r"(?is)<(style|script|head)\b[^<>]*>[^<]*</\1>")
_QUOTES = str.maketrans(
    {"\u2018": "'", "\u2019": "'", "\u00a0": " ", "\u201c": '"', "\u201d": '"', "\r": None}
)
_HEADERS_OF_MAIL = ("return-path:", "received:", "dkim-signature:", "x-received:", "arc-seal:", "message-id:")
# Words of the line behind which mail systems put the mail that came back, or its headers.
_BEHIND_COMES_THE_MAIL = re.compile(
    r"original (?:message|mail)(?: (?:follows|headers?|text))*\W*$|copy of (?:the|your) (?:original )?(?:message|mail)"
    r"|(?:message|mail|text|headers?|body) (?:headers? |body )?follows?\b|unsent message|returned message"
    r"|(?:headers?|body) of (?:the|your) (?:original |returned )?(?:message|mail)|message headers?\W*$"
    r"|undelivered message|rejected message"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """A mail, taken apart. The names of fields are in lower case, their values on one line.

    ``came_to`` are the addresses that it was sent to, as all servers on its way wrote them down.
    """

    head: Fields
    report_type: str = ""
    told: str = ""
    report: tuple[Fields, ...] = ()
    loose_report: tuple[Fields, ...] = ()  # such fields in a text, where anybody may have pasted them
    complaint: Fields = field(default_factory=dict)
    returned: Fields = field(default_factory=dict)
    read_receipt: bool = False
    came_to: tuple[str, ...] = ()

    @property
    def subject(self) -> str:
        """The subject, decoded, on one line."""
        return decoded(self.head.get("subject", ""))

    @property
    def sender(self) -> str:
        """The address that it says it is from, in lower case."""
        return address_in(self.head.get("from", ""))


@dataclass(slots=True)
class _Found:
    plain: list[str] = field(default_factory=list)
    html: list[str] = field(default_factory=list)
    report: list[Fields] = field(default_factory=list)
    complaint: Fields = field(default_factory=dict)
    returned: Fields = field(default_factory=dict)
    read_receipt: bool = False


def take_apart(data: bytes) -> Parts:
    """Return the parts of a mail, whatever the bytes are."""
    try:
        if len(_BOUNDARY.findall(data)) <= _MOST_BOUNDARIES:
            return _structured(message_from_bytes(data))
    except Exception:  # noqa: BLE001, S110  # the library stumbles over some bytes; as text every mail can be read
        pass
    head, _, body = _lines_of(data.decode("utf-8", "replace")).partition("\n\n")
    fields = _first(fields_of(head))
    return _parts(fields, "", _Found(plain=[body]), _came_to(fields.items()))


def _structured(mail: Message) -> Parts:
    found = _Found()
    waiting: list[Message] = [mail]
    while waiting:
        part = waiting.pop()
        payload = part.get_payload()
        kind = part.get_content_type()
        if part.get_content_maintype() == "multipart" and isinstance(payload, list):
            waiting += [each for each in reversed(payload) if isinstance(each, Message)]
        else:
            _sort(part, kind, found)
    kind = str(mail.get_param("report-type") or "").lower()
    return _parts(_head(mail), kind, found, _came_to(_raw_items(mail)))


def _sort(part: Message, kind: str, found: _Found) -> None:
    match kind:
        case "message/delivery-status" | "message/global-delivery-status":
            found.report += fields_of(_source(part))
        case "message/feedback-report":
            found.complaint = found.complaint or _merged(fields_of(_source(part)))
        case "message/disposition-notification" | "message/global-disposition-notification":
            found.read_receipt = True
        case "message/rfc822" | "message/global":
            payload = part.get_payload()
            inner = payload[0] if isinstance(payload, list) and payload else None
            headers = _head(inner) if isinstance(inner, Message) else _first(fields_of(_source(part)))
            found.returned = found.returned or headers
        case "text/rfc822-headers" | "message/rfc822-headers" | "message/global-headers":
            found.returned = found.returned or _first(fields_of(_source(part)))
        case "text/html":
            found.html.append(_without_tags(_text(part)[: 4 * LONGEST_TOLD]))
        case _ if part.get_content_maintype() in {"text", "multipart"}:
            found.plain.append(_text(part))


def _came_to(items: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    values = (value[:LONGEST_VALUE] for name, value in items if name.lower() in _CAME_TO)
    return tuple(islice(values, _MOST_ADDRESSES))


def _parts(head: Fields, report_type: str, found: _Found, came_to: tuple[str, ...]) -> Parts:
    """Cut the mail that came back off the texts, and look in them for the fields that no part of its own has."""
    told: list[str] = []
    returned, report, complaint = found.returned, found.report, found.complaint
    texts = found.plain if any(text.strip() for text in found.plain) else found.html
    for text in texts:
        before, behind = cut_returned(text[: 4 * LONGEST_TOLD])
        told.append(before)
        if not returned and behind:
            returned = _first(block for block in fields_of(behind) if len(block) > 1)
    whole = "\n".join(told)[:LONGEST_TOLD]
    blocks = fields_of(whole)
    loose = tuple(each for each in blocks if "final-recipient" in each)
    if not complaint:
        complaint = next((each for each in blocks if "feedback-type" in each), complaint)
    fields, original = notification(whole)
    if "feedback-type" in fields:
        complaint = fields
    elif fields:
        report = [fields]
    returned = returned or original
    return Parts(
        head=head, report_type=report_type, told=whole, report=tuple(report[:_MOST_BLOCKS]), loose_report=loose,
        complaint=complaint, returned=returned, read_receipt=found.read_receipt,
        came_to=came_to,
    )  # fmt: skip


def cut_returned(text: str) -> tuple[str, str]:
    """Return a text up to the mail that came back in it, and the rest."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        bare = line.strip(" \t-=_*#>|+.:").lower()[:200]
        if number and line.lower().startswith(_HEADERS_OF_MAIL):
            return "\n".join(lines[:number]), "\n".join(lines[number:])
        marked = line.lstrip()[:2] in {"--", "==", "__", "**", "##"} or line.rstrip().endswith(":")
        if bare and marked and _BEHIND_COMES_THE_MAIL.search(bare):
            return "\n".join(lines[:number]), "\n".join(lines[number + 1 :])
    return text, ""


def fields_of(text: str) -> list[Fields]:
    """Return the blocks of fields in a text, of which empty lines part one from the next.

    Of a field that stands twice the first counts; a line that begins none goes on with the one before.
    """
    blocks: list[Fields] = []
    values: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in (*_lines_of(text).split("\n"), ""):
        if not line.strip():
            if values:
                blocks.append({name: " ".join(told)[:LONGEST_VALUE] for name, told in values.items()})
            values, current = {}, None
        elif line[0] not in " \t" and (found := _FIELD.match(line)):
            current = [found[2].strip()]
            values.setdefault(found[1].lower(), current)
        elif current is not None:
            current.append(line.strip())
    return blocks


def decoded(value: str) -> str:
    """Return the value of a header, with its encoded words decoded, on one line."""
    value = value[:LONGEST_VALUE]
    with suppress(LookupError, ValueError, MessageError):
        value = str(make_header(decode_header(value)))
    return " ".join(value.translate(_QUOTES).split())


def address_in(value: str) -> str:
    """Return the address of a header of one, in lower case; empty if there is none."""
    found = parseaddr(value[:1_000])[1].strip().lower()
    return found if "@" in found and " " not in found else ""


def _first(blocks: Iterable[Fields]) -> Fields:
    return next(iter(blocks), {})


def _merged(blocks: Iterable[Fields]) -> Fields:
    merged: Fields = {}
    for block in blocks:
        merged = block | merged
    return merged


def _lines_of(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _clean(value: object) -> str:
    return str(value).encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _raw_items(part: Message) -> Iterator[tuple[str, str]]:
    for name, value in part.raw_items():
        yield name, _clean(value)


def _head(part: Message) -> Fields:
    fields: Fields = {}
    for name, value in _raw_items(part):
        fields.setdefault(name.lower(), " ".join(value.split())[:LONGEST_VALUE])
    return fields


def _source(part: Message) -> str:
    """Return the text of a part that the library read as blocks of headers, or as a mail, and may have misread."""
    payload = part.get_payload()
    encoding = str(part.get("content-transfer-encoding", "")).strip().lower()
    if isinstance(payload, list) and encoding not in {"base64", "quoted-printable"}:
        return "\n\n".join(_block(each) for each in payload if isinstance(each, Message))
    if isinstance(payload, list):
        text = "\n\n".join(_block(each) for each in payload if isinstance(each, Message))
        part = Message()
        part["Content-Transfer-Encoding"] = encoding
        part.set_payload(text.strip().encode("ascii", "replace").decode())
    return _text(part)


def _block(part: Message) -> str:
    lines = [f"{name}: {value}" for name, value in _raw_items(part)]
    rest = part.get_payload()
    return "\n".join([*lines, _clean(rest) if isinstance(rest, str) else ""])


def _text(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = str(part.get_content_charset() or "utf-8")
    try:
        text = payload.decode("utf-8" if charset in {"us-ascii", "ascii"} else charset, "replace")
    except (LookupError, ValueError):  # such as unicode-1-1-utf-7
        text = payload.decode("utf-8", "replace")
    return _lines_of(text).translate(_QUOTES)


def _without_tags(text: str) -> str:
    text = _HIDDEN.sub(" ", text)
    return html.unescape(_TAG.sub(" ", _BREAK.sub("\n", text))).translate(_QUOTES)
