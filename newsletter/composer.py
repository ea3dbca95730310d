"""The messages of one letter, fast: what is the same for everybody is encoded once, the rest for each reader.

Byte for byte what `messages.compose` makes. Readers' values stand near the end of both parts, so a part is cut before
the first of them, where an encoding begins anew: at a line's end, behind a soft line break, after 57 octets of base64.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, cast

from newsletter.dkim import Signer, signatures
from newsletter.messages import (
    LINE_LIMIT,
    MOST_GROWTH,
    TEXT_WIDTH,
    extra_headers,
    fixed_lines,
    harmless,
    has_awkward,
    head_lines,
    head_of,
    octets,
    part_head,
    quoted_printable,
    text_header,
)
from newsletter.models.deliveries import Recipient
from newsletter.models.issues import PLACEHOLDER_CLOSE, PLACEHOLDER_OPEN, Letter
from newsletter.templating.issue import Blanks, fill

_GROUP = 57  # octets on a line of base64
_WHITE = bytes(range(33)).decode()  # an encoding asks if something of it follows


class Composer:
    """Makes the messages of a letter, signed by each of the ``signers``; raises what `messages.compose` raises."""

    def __init__(self, letter: Letter, signers: Sequence[Signer] = ()) -> None:
        self.letter = letter
        self._signers = signers
        self._hashed: dict[bytes, Any] = {}
        self._fixed = fixed_lines(letter)
        mark = f"--{letter.boundary}".encode()
        self._text = _Part("plain", letter.text, TEXT_WIDTH, mark, mark + b"\r\n", html=False)
        self._html = _Part("html", letter.html, LINE_LIMIT, mark, b"\r\n%b\r\n" % mark, html=True)
        self._end = b"\r\n%b--\r\n" % mark
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
        lines = self._lines(recipient)
        values = recipient.values
        body = [*self._text.made(values), *self._html.made(values), self._end]
        if self._signers:
            lines[:0] = signatures(self._signers, lines, self._hash(body), self.letter.date)
        return [head_of(lines), *body]

    def _lines(self, recipient: Recipient) -> list[str]:
        values, letter = recipient.values, self.letter
        if self._is_fixed:
            own = extra_headers(recipient.headers, values, self._taken)
            return head_lines(self._fixed, recipient, self._subject, [*self._headers, *own])
        subject = text_header("Subject", fill(letter.subject, values, html=False))
        headers = extra_headers((*letter.headers, *recipient.headers), values)
        return head_lines(self._fixed, recipient, subject, headers)

    def _hash(self, body: Sequence[bytes]) -> bytes:
        """Return the SHA-256 of a body, of which what all begin with is gone through once."""
        begun, *rest = body
        if begun not in self._hashed:
            self._hashed[begun] = hashlib.sha256(begun)
        digest = self._hashed[begun].copy()
        for piece in rest:
            digest.update(piece)
        return cast("bytes", digest.digest())


@dataclass(frozen=True, slots=True)
class _Way:
    """A part's beginning in one encoding: what is sent of it (for a part in ASCII, and beyond), and what is left.

    ``size`` is that of the encoded text with plain line ends; ``marked`` says that the parts' mark is in it.
    """

    begun: Mapping[bool, bytes]
    size: int
    left: bytes
    marked: bool


class _Part:
    """A part of a letter whose text before the first placeholder was looked at, and encoded, once.

    `made` is `messages.part` of the filled text. A mark holds no line end, so it never stands across a cut.
    """

    def __init__(
        self, subtype: str, template: str, width: int, mark: bytes, before: bytes, *, html: bool
    ) -> None:
        known, middle, tail = _cut(template)
        self._known, self._middle, self._tail = octets(known), Blanks(middle, html=html), octets(tail)
        self._tails: dict[int, tuple[bytes, bytes]] = {}
        self._subtype, self._width, self._mark, self._before = subtype, width, mark, before
        self._is_ascii = (self._known + self._tail).isascii()
        self._may_go_as_it_is = self._fits(self._known)

    def made(self, values: Mapping[str, str]) -> tuple[bytes, bytes]:
        """Return the part for one recipient in two: how it begins for everybody (in few forms), and what is theirs."""
        own = octets(self._middle.fill(values))
        is_ascii = self._is_ascii and own.isascii()
        found = self._readable(own, is_ascii=is_ascii)
        if found is None or found[0].marked or self._mark in found[1]:
            data = self._grouped.left + _crlf(own + self._tail)
            found = self._grouped, base64.encodebytes(data).rstrip(b"\n")
        way, end = found
        return way.begun[is_ascii], _crlf(end)

    def _readable(self, own: bytes, *, is_ascii: bool) -> tuple[_Way, bytes] | None:
        """Return the part as it is or in quoted-printable, None where that would make it too large."""
        if self._may_go_as_it_is and self._fits(end := self._as_it_is.left + own + self._tail):
            return self._as_it_is, end
        way, rest = self._quoted, len(own) + len(self._tail)
        most = MOST_GROWTH * (len(self._known) + rest)
        # Encoded text is at least as long as what it was made from, which may be all that there is to know.
        if not self._is_ascii and way.size + len(way.left) + rest > most:
            return None
        end = self._quoted_end(way.left + own)
        return None if not is_ascii and way.size + len(end) > most else (way, end)

    def _quoted_end(self, own: bytes) -> bytes:
        """Encode what is left of a part, and its tail, whose lines depend on nothing but the column it begins at."""
        if not self._tail:
            return quoted_printable(own)
        begun = binascii.b2a_qp(own + b"x")[:-1]  # x stands for the tail: no white space either
        column = len(begun) - begun.rfind(b"\n") - 1
        if column not in self._tails:
            first, end, others = binascii.b2a_qp(b"x" * column + self._tail)[column:].partition(b"\n")
            self._tails[column] = first + end, harmless(others)
        first, others = self._tails[column]
        return harmless(begun + first) + others

    def _fits(self, lines: bytes) -> bool:
        return not has_awkward(lines) and max(map(len, lines.split(b"\n"))) <= self._width

    @cached_property
    def _as_it_is(self) -> _Way:
        kept, line = _at_last_line(self._known)
        return self._way("7bit", kept, line)

    @cached_property
    def _quoted(self) -> _Way:
        """A line begins anew behind a soft break; what the last one is depends on what follows.

        White space at the end may have gone to a line of its own, so one more is left.
        """
        begin, line = _at_last_line(self._known)
        lines = binascii.b2a_qp(line).split(b"\n")[: -2 if line.endswith((b" ", b"\t")) else -1]
        soft = b"".join(line + b"\n" for line in lines)
        told = binascii.a2b_qp(soft)
        if not line.startswith(told):  # never seen; nothing is kept of this line then
            soft = told = b""
        return self._way("quoted-printable", quoted_printable(begin) + harmless(soft), line[len(told) :])

    @cached_property
    def _grouped(self) -> _Way:
        """The last group is left even where it is whole: the last line of all has no end."""
        data = _crlf(self._known)
        cut = max(len(data) - 1, 0) // _GROUP * _GROUP
        return self._way("base64", base64.encodebytes(data[:cut]), data[cut:])

    def _way(self, encoding: str, kept: bytes, left: bytes) -> _Way:
        body = _crlf(kept)
        begun = {
            ascii_only: self._before + part_head(self._subtype, encoding, ascii_only=ascii_only) + body
            for ascii_only in (True, False)
        }
        return _Way(begun, len(kept), left, self._mark in kept)


def _cut(template: str) -> tuple[str, str, str]:
    """Cut a text at its first value, and behind its last one and the white space that hangs on it."""
    first, last = template.find(PLACEHOLDER_OPEN), template.rfind(PLACEHOLDER_CLOSE) + 1
    known = template if first < 0 else template[:first]
    if known.endswith("\r"):  # the other half of a line end may follow
        known = ""
    rest = template[len(known) :]
    tail = template[last:].lstrip(_WHITE) if last > len(known) else ""
    return known, rest.removesuffix(tail), tail


def _at_last_line(lines: bytes) -> tuple[bytes, bytes]:
    """Cut lines before the last one, which has no end."""
    cut = lines.rfind(b"\n") + 1
    return lines[:cut], lines[cut:]


def _crlf(lines: bytes) -> bytes:
    return lines.replace(b"\n", b"\r\n")
