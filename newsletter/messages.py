"""A letter and a recipient become one message: headers, encodings, parts.

The rules are those of RFC 5322 (lines, headers), 2045 to 2047 (MIME, names), 6531 and 6532 (addresses beyond
ASCII). Headers are folded here because the standard library writes long ones that hold no space, such as
List-Unsubscribe, as encoded words, which no mail client follows.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from itertools import groupby

from email_validator import EmailNotValidError, validate_email

from newsletter.errors import MessageRejected, RenderError
from newsletter.models.deliveries import Recipient
from newsletter.models.issues import Letter
from newsletter.templating.issue import fill

HEADER_WIDTH = 76  # octets of a header line, where its words allow it
LONGEST_WORD = 900  # a longer word could push a line over the 998 octets of RFC 5322
TEXT_WIDTH = 78  # octets of a line of text that may go as it is
MOST_GROWTH = 1.5  # times that quoted-printable may lengthen a part that is not ASCII
LONGEST_ADDRESS = 254  # octets, RFC 5321 4.5.3.1.3 and its erratum 1690
LINE_LIMIT = 998  # the same for HTML, which nobody reads in its raw form

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_FIELD_NAME = re.compile(r"[!-9;-~]{1,40}")
_MESSAGE_ID = re.compile(r"<[!-;=?-~]+@[!-;=?-~]+>")
_BOUNDARY = re.compile(r"[0-9A-Za-z'+_./=-]{1,70}")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]*")
_ASCII_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL_ATOM = r"(?:[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]|[^\x00-\x9f\s\ud800-\udfff])+"
_LOCAL_PART = re.compile(rf"{_LOCAL_ATOM}(?:\.{_LOCAL_ATOM})*")
_LABELS = r"[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63})*"
_DOMAIN = re.compile(_LABELS)
_PLAIN_ADDRESS = re.compile(rf"{_ASCII_ATOM}(?:\.{_ASCII_ATOM})*@{_LABELS}")
_PLAIN_ASCII = re.compile(rb"[\t\n -~]*")
_AWKWARD_LINE = re.compile(rb"^(?:\.|From )[^\n]*", re.MULTILINE)

# What `compose` writes itself, or must never write: copies would disclose one reader to another.
_RESERVED = frozenset(
    (
        *("from", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version"),
        *("content-type", "content-transfer-encoding"),
    )
)


def compose(letter: Letter, recipient: Recipient) -> bytes:
    """Return the message for one recipient: RFC 5322, line ends CRLF, the same bytes every time.

    Raise `RenderError` for a fault of the letter, which concerns every recipient, and `MessageRejected` for
    an address that cannot receive mail. The bytes are ASCII unless the local part of the address is not.
    `composer.Composer` makes the same bytes faster, where a letter has many recipients.
    """
    values = recipient.values
    lines = head_lines(
        fixed_lines(letter),
        recipient,
        text_header("Subject", fill(letter.subject, values, html=False)),
        extra_headers((*letter.headers, *recipient.headers), values),
    )
    mark = f"--{letter.boundary}".encode()
    text = part("plain", fill(letter.text, values, html=False), TEXT_WIDTH, mark)
    html = part("html", fill(letter.html, values, html=True), LINE_LIMIT, mark)
    return b"\r\n".join([head_of(lines) + mark, text, mark, html, mark + b"--", b""])


def fixed_lines(letter: Letter) -> tuple[str, str, str]:
    """Return the lines of a head that are the same for every recipient: From, Date, Content-Type."""
    if not _BOUNDARY.fullmatch(letter.boundary):
        raise RenderError("the boundary has characters that MIME does not allow", subject=letter.boundary)
    return (
        _address_header("From", letter.from_name, _sender(letter.from_address)),
        f"Date: {format_datetime(letter.date)}",
        f'Content-Type: multipart/alternative;\r\n boundary="{letter.boundary}"',
    )


def head_lines(
    fixed: tuple[str, str, str], recipient: Recipient, subject: str, headers: Iterable[str]
) -> list[str]:
    """Return the headers of a message in their order, each folded and without its last line end."""
    sender, date, kind = fixed
    to = _address_header("To", recipient.name, mail_address(recipient.address))
    name = f"Message-ID: {_message_id(recipient.message_id)}"
    return [sender, to, subject, date, name, "MIME-Version: 1.0", *headers, kind]


def head_of(lines: Iterable[str]) -> bytes:
    """Return a message's head with the empty line behind it."""
    return "\r\n".join([*lines, "", ""]).encode()


@lru_cache(maxsize=64)  # a message asks for its sender and its reader several times
def mail_address(address: str) -> str:
    """Return an address as headers and SMTP write it: the domain in ASCII (punycode).

    Only the local part can be non-ASCII in the result; it then needs SMTPUTF8. Raise `MessageRejected` for
    what is no address, with anything in it that could be read as a second one or as another command.
    """
    if len(address) <= LONGEST_ADDRESS and _PLAIN_ADDRESS.fullmatch(address):
        return address
    local, _, domain = address.rpartition("@")
    if not domain.isascii():
        try:
            checked = validate_email(f"x@{domain}", check_deliverability=False, globally_deliverable=False)
            domain = checked.ascii_domain
        except EmailNotValidError:
            domain = ""
    written = f"{local}@{domain}"
    valid = _LOCAL_PART.fullmatch(local) and _DOMAIN.fullmatch(domain)
    if not valid or len(written.encode()) > LONGEST_ADDRESS:
        raise MessageRejected("this address cannot receive mail", remedy="correct it in the subscriber list")
    return written


def _sender(address: str) -> str:
    try:
        written = mail_address(address)
    except MessageRejected:
        written = ""
    if not written or not written.isascii():
        raise RenderError("not an address to send from", subject=address, remedy="set sender.email")
    return written


def _message_id(value: str) -> str:
    """Return a message id in its angle brackets, which the value may or may not have."""
    written = f"<{value.removeprefix('<').removesuffix('>')}>"
    if not _MESSAGE_ID.fullmatch(written) or len(written) > LONGEST_WORD:
        raise RenderError("not a message id of the form unique@domain", subject=value[:80])
    return written


def _one_line(name: str, value: str) -> str:
    """Collapse white space (a CR or LF would begin a new header); other control characters are refused."""
    if value.isascii() and value.isprintable():
        return " ".join(value.split())
    line = " ".join(value.encode("utf-8", "replace").decode().split())
    if _CONTROL.search(line):
        raise RenderError("the header has a control character", subject=name, remedy="remove it")
    return line


def text_header(name: str, value: str) -> str:
    """Write a header of free text: words that need it become encoded words, the others stay readable."""
    line = _one_line(name, value)
    if not _needs_encoding(line):
        return _fold(name, line.split(" "))
    written: list[str] = []
    for special, run in groupby(line.split(" "), _needs_encoding):
        words = list(run)
        written += _encoded_words(name, " ".join(words)) if special else words
    return _fold(name, written)


def _address_header(name: str, display_name: str, address: str) -> str:
    """Write a header of one address; control characters in the name, which is decoration, are dropped."""
    shown = _one_line(name, _CONTROL.sub(" ", display_name)) if display_name else ""
    if not shown:
        return f"{name}: {address}"
    if _needs_encoding(shown) and any(map(_needs_encoding, shown.split(" "))):
        words = _encoded_words(name, shown)
    elif _ATOMS.fullmatch(shown):
        words = shown.split(" ")
    else:
        words = re.sub(r'(["\\])', r"\\\1", f"{shown}").join('""').split(" ")
    return _fold(name, [*words, f"<{address}>"])


def extra_headers(
    headers: Sequence[tuple[str, str]], values: Mapping[str, str], taken: Iterable[str] = ()
) -> Iterator[str]:
    """Yield the lines of headers that are free, filled with a recipient's values; ``taken`` are those before."""
    _check_names(tuple([name for name, _ in headers]), frozenset(taken))
    for name, value in headers:
        filled = fill(value, values, html=False)
        if _needs_encoding(filled) and any("<" in word and _needs_encoding(word) for word in filled.split()):
            raise RenderError("the header has an address that is not ASCII, or too long", subject=name)
        yield text_header(name, filled)


def unfolded(line: str) -> tuple[str, str]:
    """Return name and value of a header that `extra_headers` gave, on one line: for who folds it again."""
    name, _, value = line.replace("\r\n", "").partition(": ")
    return name, value


@lru_cache(maxsize=64)
def _check_names(names: tuple[str, ...], taken: frozenset[str]) -> None:
    """Raise for the name of a header that is not free; those of a letter's readers are the same."""
    seen = {*_RESERVED, *taken}
    for name in names:
        if name.lower() in seen or not _FIELD_NAME.fullmatch(name):
            raise RenderError("this header is not free or stands twice", subject=name, remedy="leave it out")
        seen.add(name.lower())


def _needs_encoding(word: str) -> bool:
    return not word.isascii() or "=?" in word or len(word) > LONGEST_WORD


def _encoded_words(name: str, text: str) -> list[str]:
    """Return encoded words (RFC 2047) of which each fits on a line after the header's name."""
    return Header(text, "utf-8", maxlinelen=HEADER_WIDTH - len(f"{name}: ")).encode().split()


def _fold(name: str, words: list[str]) -> str:
    """Join words to a header whose lines stay within `HEADER_WIDTH`, where the words are not longer."""
    whole = f"{name}: {' '.join(words)}"
    if len(whole) <= HEADER_WIDTH:
        return whole
    lines = [f"{name}: {words[0]}"]
    for word in words[1:]:
        if len(lines[-1]) + 1 + len(word) > HEADER_WIDTH:
            lines.append(f" {word}")
        else:
            lines[-1] += f" {word}"
    return "\r\n".join(lines)


def part(subtype: str, content: str, width: int, mark: bytes) -> bytes:
    """Return a text part: ASCII as it is or quoted-printable, text that is mostly beyond ASCII as base64.

    Spam filters count base64 against ASCII text, and quoted-printable triples every octet beyond it.
    """
    data = octets(content)
    plain = not has_awkward(data)
    if plain and max(map(len, data.split(b"\n"))) <= width:
        encoding, body = "7bit", data
    else:
        encoding, body = "quoted-printable", quoted_printable(data)
    if mark in body or (len(body) > MOST_GROWTH * len(data) and not data.isascii()):
        encoding, body = "base64", base64.encodebytes(data.replace(b"\n", b"\r\n")).rstrip(b"\n")
    return part_head(subtype, encoding, ascii_only=data.isascii()) + body.replace(b"\n", b"\r\n")


def part_head(subtype: str, encoding: str, *, ascii_only: bool) -> bytes:
    """Return the head of a part, with the empty line behind it."""
    charset = "us-ascii" if ascii_only else "utf-8"
    return (
        f'Content-Type: text/{subtype}; charset="{charset}"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    ).encode()


def octets(content: str) -> bytes:
    """Return text as octets whose lines end in LF."""
    return content.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8", "replace")


def has_awkward(data: bytes) -> bool:
    """Say whether there is anything that cannot go as it is: beyond ASCII, a control, a line that SMTP or mbox know."""
    return not _PLAIN_ASCII.fullmatch(data) or _AWKWARD_LINE.search(data) is not None


def quoted_printable(data: bytes) -> bytes:
    """Encode lines that end in LF; none of the result begins with a dot or "From "."""
    return harmless(binascii.b2a_qp(data))


def harmless(lines: bytes) -> bytes:
    """Encode the first octet of each quoted-printable line that SMTP or a mailbox file would take for its own."""
    if not lines.startswith((b".", b"From ")) and b"\n." not in lines and b"\nFrom " not in lines:
        return lines
    return _AWKWARD_LINE.sub(lambda found: _harmless(found[0]), lines)


def _harmless(line: bytes) -> bytes:
    """Encode the first octet of a quoted-printable line, in lines of at most 76 octets."""
    if not _AWKWARD_LINE.match(line):
        return line
    first, rest = b"=%02X" % line[0], line[1:]
    return first + rest if len(first + rest) <= 76 else first + b"=\n" + _harmless(rest)
