"""Plain text for a letter: cleaned, cut at words, wrapped by the width it has on a screen."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from newsletter.models.issues import PLACEHOLDER_CLOSE, PLACEHOLDER_OPEN

# Never part of a letter's text: what XML forbids, controls, and the two that mark placeholders.
_FORBIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff\ue000\ue001]"
)
_SENTENCE_END = re.compile(r"(?:(?<=[.!?…])[\"'”’)\]]*\s+|(?<=[。！？])[」』）]*)")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|et al|cf|vs|Fig|Figs|Eq|Sec|Dr|St|No|approx|resp)|\b[A-Z])\.$")
_UNSPACED = re.compile("[\u3040-\u9fff]")  # written without spaces: a line may break beside it
_CLOSERS = "、。，．：；！？）」』】〕》〉…ー々・"


def clean(text: str) -> str:
    """Return text without the characters that no letter may carry."""
    return text if text.isprintable() else _FORBIDDEN.sub("", text)


def one_line(text: str) -> str:
    """Return clean text on one line, its runs of white space as one space each."""
    return " ".join(clean(text).split())


def cut(text: str, limit: int) -> str:
    """Return text of at most ``limit`` characters, cut at a word, with an ellipsis where it was cut."""
    if len(text) <= limit:
        return text
    end = limit - 1
    space = text.rfind(" ", 0, end + 1)
    if space >= limit * 3 // 5:
        end = space
    while end > 1 and _joins(text[end]):
        end -= 1
    return text[:end].rstrip(" ,;:.-–—(…") + "…"


def first_sentence(text: str) -> str:
    """Return the first sentence of one line of text."""
    return text[: next(_sentence_ends(text), len(text))].rstrip()


def language_of(text: str, declared: str) -> str:
    """Return the language of text by its script, else the declared one where its script can be that.

    A text without a letter of Hangul is not Korean, whatever was declared; it is then taken for English.
    """
    base = base_of(declared)
    if not text.isascii():
        sample = text[:_SAMPLE]
        if base in _ENOUGH and _ENOUGH[base].match(sample):
            return declared
        for language, script in _SCRIPTS.items():
            if len(script.sub("", sample)) <= len(sample) * 0.85:
                return declared if base == language or (language, base) == ("zh", "ja") else language
    return "en" if base in _SCRIPTS else declared


def whole_sentences(text: str, limit: int) -> str:
    """Return as many whole sentences as ``limit`` characters hold; the first stays unless it is twice as long."""
    if len(text) <= limit:
        return text
    ends = [end for end in _sentence_ends(text[: 2 * limit]) if end < 2 * limit]
    if not ends:
        return text if len(text) <= 2 * limit else cut(text, limit)
    return text[: max([end for end in ends if end <= limit], default=ends[0])].rstrip()


def wrap(text: str, width: int = 72, indent: str = "", first: str = "") -> str:
    """Return text wrapped to ``width`` columns; a wide East Asian character takes two of them.

    ``first`` stands in place of the first line's indent and is as wide. An address stays whole, however
    long; any other word that fills a line by itself is divided.
    """
    room = width - len(indent)
    lines: list[str] = []
    line, used = "", 0
    for gap, piece, size in _pieces(text, room):
        if line and used + gap + size > room:
            lines.append(line)
            line, used = piece, size
        else:
            line, used = (line + " " * gap + piece, used + gap + size) if line else (piece, size)
    if line:
        lines.append(line)
    return (first or indent) + ("\n" + indent).join(lines)


def columns(text: str) -> int:
    """Return how many columns text takes in a fixed-width font."""
    return len(text) if text.isascii() else sum(map(_widths.__getitem__, text))


_SAMPLE = 120  # characters that tell a text's script
_SCRIPTS = {
    "ko": re.compile("[\uac00-\ud7a3]+"),
    "ja": re.compile("[\u3040-\u30ff]+"),
    "ar": re.compile("[\u0600-\u06ff]+"),
    "zh": re.compile("[\u4e00-\u9fff]+"),
}


def _sentence_ends(text: str) -> Iterator[int]:
    for match in _SENTENCE_END.finditer(text):
        before = text[max(0, match.end() - 20) : match.end()].rstrip()  # an abbreviation is shorter
        if not _ABBREVIATION.search(before):
            yield match.end()


@lru_cache(maxsize=64)
def base_of(language: str) -> str:
    """Return a language without its region: ``ko`` of ``ko-KR``."""
    return re.split("[-_]", language, maxsplit=1)[0].lower()


# a seventh of the sample, found without reading all of it; Japanese holds Chinese characters, so it is not here
_ENOUGH = {
    "ko": re.compile("(?:[^\uac00-\ud7a3]*[\uac00-\ud7a3]){19}"),
    "ar": re.compile("(?:[^\u0600-\u06ff]*[\u0600-\u06ff]){19}"),
}


def _joins(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me", "Mc", "Cf", "Sk")


class _Widths(dict[str, int]):
    """Columns by character, found out once each."""

    def __missing__(self, character: str) -> int:
        wide = unicodedata.east_asian_width(character) in "WF"
        width = 0 if unicodedata.category(character) in ("Mn", "Me", "Cf") else 2 if wide else 1
        self[character] = width
        return width


_widths = _Widths(
    {PLACEHOLDER_OPEN: 24, PLACEHOLDER_CLOSE: 0}
)  # with its name as wide as what will stand there


def _pieces(text: str, room: int) -> Iterator[tuple[int, str, int]]:
    """Yield what a line may not divide: the spaces before it (0 or 1), the piece, and its columns."""
    unspaced = _UNSPACED.search(text) is not None
    for word in text.split(" "):
        size = columns(word)
        if (size <= room and not unspaced) or "://" in word:
            yield 1, word, size
        else:
            yield from _divided(word, room)


def _divided(word: str, room: int) -> Iterator[tuple[int, str, int]]:
    """Divide a word at its Chinese and Japanese characters, and anywhere once it fills the line."""
    gap, piece, size = 1, "", 0
    for character in word:
        width = _widths[character]
        loose = _UNSPACED.match(character) or (piece and _UNSPACED.match(piece[-1]))
        if piece and width and ((loose and character not in _CLOSERS) or size + width > room):
            yield gap, piece, size
            gap, piece, size = 0, "", 0
        piece, size = piece + character, size + width
    yield gap, piece, size
