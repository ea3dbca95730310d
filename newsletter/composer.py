"""The messages of one letter, fast: what is the same for everybody is encoded once, the rest for each reader.

Byte for byte what `messages.compose` makes. Readers' values stand near the end of both parts, so a part is cut before
the first of them, where an encoding begins anew: at a line's end, behind a soft line break, after 57 octets of base64.
"""

from __future__ import annotations

import base64
import binascii
from functools import cached_property

from newsletter.messages import (
    LINE_LIMIT,
    MOST_GROWTH,
    TEXT_WIDTH,
    extra_headers,
    fixed_lines,
    harmless,
    has_awkward,
    head_of,
    octets,
    part_head,
    quoted_printable,
    text_header,
    whole,
)
from newsletter.models import PLACEHOLDER_OPEN, Letter, Recipient
from newsletter.templating.issue import fill

_GROUP = 57  # octets on a line of base64


class Composer:
    """Makes the messages of a letter; raises what `messages.compose` raises."""

    def __init__(self, letter: Letter) -> None:
        self._letter = letter
        self._fixed = fixed_lines(letter)
        self._mark = f"--{letter.boundary}".encode()
        self._text = _Part("plain", letter.text, TEXT_WIDTH, self._mark, html=False)
        self._html = _Part("html", letter.html, LINE_LIMIT, self._mark, html=True)
        own = [letter.subject, *(value for _, value in letter.headers)]
        self._is_fixed = not any(PLACEHOLDER_OPEN in value for value in own)
        if self._is_fixed:
            self._subject = text_header("Subject", letter.subject)
            self._headers = tuple(extra_headers(letter.headers, {}))
            self._taken = frozenset(name.lower() for name, _ in letter.headers)

    def compose(self, recipient: Recipient) -> bytes:
        """Return the message for one recipient."""
        return b"".join(self.pieces(recipient))

    def pieces(self, recipient: Recipient) -> list[bytes]:
        """Return what joined is the message; the large pieces, which all messages share, are the same objects."""
        values, letter = recipient.values, self._letter
        if self._is_fixed:
            subject = self._subject
            headers = [*self._headers, *extra_headers(recipient.headers, values, self._taken)]
        else:
            subject = text_header("Subject", fill(letter.subject, values, html=False))
            headers = [*extra_headers((*letter.headers, *recipient.headers), values)]
        head = head_of(self._fixed, recipient, subject, headers)
        return whole(head, self._text.made(recipient), self._html.made(recipient), self._mark)


class _Part:
    """A part of a letter whose text before the first placeholder was looked at, and encoded, once.

    `made` is `messages.part` of the filled text. A mark holds no line end, so it never stands across a cut.
    """

    def __init__(self, subtype: str, template: str, width: int, mark: bytes, *, html: bool) -> None:
        first = template.find(PLACEHOLDER_OPEN)
        known = template if first < 0 else template[:first]
        if known.endswith("\r"):  # the other half of a line end may follow
            known = ""
        self._rest = template[len(known) :]
        self._known = octets(known)
        self._begin, _, self._line = self._known.rpartition(b"\n")
        self._begin += b"\n" if len(self._line) < len(self._known) else b""
        self._subtype, self._width, self._mark, self._html = subtype, width, mark, html
        self._is_ascii = self._known.isascii()
        lines = [*map(len, self._begin.split(b"\n")), len(self._line)]
        self._may_go_as_it_is = max(lines) <= width and not has_awkward(self._known)
        self._marked = mark in self._known
        self._begin_crlf = _crlf(self._begin)

    def made(self, recipient: Recipient) -> tuple[bytes, bytes, bytes]:
        """Return the part for one recipient: its head, what is the same for everybody, and the rest."""
        rest = octets(fill(self._rest, recipient.values, html=self._html)) if self._rest else b""
        is_ascii = self._is_ascii and rest.isascii()
        end = self._line + rest
        if self._may_go_as_it_is and not has_awkward(end) and max(map(len, end.split(b"\n"))) <= self._width:
            encoding, kept, last = "7bit", self._begin_crlf, _crlf(end)
            marked = self._marked or self._mark in end
        else:
            encoding = "quoted-printable"
            kept, last, marked = self._as_quoted(rest, is_ascii=is_ascii)
        if marked:
            kept, left = self._grouped
            encoding, last = "base64", _crlf(base64.encodebytes(left + _crlf(rest))).rstrip(b"\r\n")
            if not last:
                kept = kept.rstrip(b"\r\n")
        return part_head(self._subtype, encoding, ascii_only=is_ascii), kept, last

    def _as_quoted(self, rest: bytes, *, is_ascii: bool) -> tuple[bytes, bytes, bool]:
        """Return what is kept in quoted-printable, what follows, and if it must be base64: for a mark, or its size."""
        kept, size, left, marked = self._quoted
        end = quoted_printable(left + rest)
        large = size + len(end) > MOST_GROWTH * (len(self._known) + len(rest)) and not is_ascii
        return kept, _crlf(end), marked or large or self._mark in end

    @cached_property
    def _quoted(self) -> tuple[bytes, int, bytes, bool]:
        """What is kept in quoted-printable, its size with plain line ends, what is left, and if a mark is in it.

        A line begins anew behind a soft break; what comes near the end depends on what follows, so two are left.
        """
        lines = binascii.b2a_qp(self._line).split(b"\n")[:-2]
        soft = b"".join(line + b"\n" for line in lines)
        told = binascii.a2b_qp(soft)
        if not self._line.startswith(told):  # never seen; nothing is kept of this line then
            soft = told = b""
        kept = quoted_printable(self._begin) + harmless(soft)
        return _crlf(kept), len(kept), self._line[len(told) :], self._mark in kept

    @cached_property
    def _grouped(self) -> tuple[bytes, bytes]:
        """What is kept in base64, and what is left."""
        data = _crlf(self._known)
        cut = len(data) // _GROUP * _GROUP
        return _crlf(base64.encodebytes(data[:cut])), data[cut:]


def _crlf(lines: bytes) -> bytes:
    return lines.replace(b"\n", b"\r\n")
