"""Which way a text says that something goes: better or worse, up or down, faster or slower."""

from __future__ import annotations

import re

Span = tuple[int, int]
Ways = int  # bit 2n: a text goes up on scale n; bit 2n + 1: it goes down

# For each scale, the beginnings of the words for up and for down; an underscore ends a word that is meant whole.
_ENGLISH = (
    ("outperform surpass exceed beat_ beats_ superior", "underperform inferior lag_ lags_ lagging"),
    ("improv enhanc boost better_ strengthen", "degrad worse deteriorat impair weaken"),
    (
        "increas raise raising grow higher_ more_ gain",
        "decreas reduc lower drop_ drops_ declin fewer_ less_ cut_ cuts_ save_ saves_ saving minimi",
    ),
    (
        "faster_ speed accelerat fast_ quick efficien",
        "slower_ slow_ slows_ slowed_ slowing_",
    ),
)
_OTHERS = (
    (
        "능가 뛰어넘 앞서 우수 上回 凌駕 優れ 优于 超过 超越",
        "뒤처 뒤떨어 열등 못미치 밑돌 下回 劣 逊于 不如",
    ),
    (
        "향상 개선 증진 向上 改善 提升 提高 増強 改进",
        "저하 악화 약화 떨어 低下 悪化 恶化 退化 削弱",
    ),
    (
        "증가 늘리 늘어 늘렸 높이 높아 높였 상승 확대 증대 増加 上昇 提高 增加 上升",
        "감소 줄이 줄어 줄였 줄인 낮추 낮춰 낮아 낮췄 하락 축소 절감 減少 削減 降低 减少 下降",
    ),
    (
        "빠르 빠른 가속 速く 高速 加速 更快",
        "느리 느린 느려 감속 遅く 遅い 减速 更慢",
    ),
)
_ALLIED = (1, 2)  # what improves is often said to increase
_KEY = 4  # letters by which an English word is looked up


def _by_key() -> dict[str, list[tuple[str, int]]]:
    found: dict[str, list[tuple[str, int]]] = {}
    for number, sides in enumerate(_ENGLISH):
        for side, words in enumerate(sides):
            for word in words.split():
                found.setdefault(word.rstrip("_")[:_KEY], []).append((word, 1 << (2 * number + side)))
    return found


_BY_KEY = _by_key()
_OTHER_WORDS = [
    (word, 1 << (2 * number + side))
    for number, sides in enumerate(_OTHERS)
    for side, words in enumerate(sides)
    for word in words.split()
]
_WORD = re.compile(r"[a-z]+")


def ways(text: str) -> Ways:
    """Return which ways a text goes."""
    found = 0
    for word in set(_WORD.findall(text.lower())):
        known = _BY_KEY.get(word[:_KEY])
        if known is not None:
            for start, bit in known:
                if word.startswith(start) or word == start[:-1]:
                    found |= bit
    if not text.isascii():
        for word, bit in _OTHER_WORDS:
            if word in text:
                found |= bit
    return found


def turned(text: str, own: Ways, source: Ways) -> Span | None:
    """Return where a text goes one way on a scale on which its source only goes the other."""
    for number in range(len(_ENGLISH)):
        here, there = own >> (2 * number) & 3, source >> (2 * number) & 3
        if here + there != 3 or not here or not there:  # up against down, or down against up
            continue
        side = here >> 1
        if number in _ALLIED and any(source >> (2 * ally + side) & 1 for ally in _ALLIED):
            continue
        return _place(text, number, side)
    return None


def _place(text: str, number: int, side: int) -> Span | None:
    words = [rf"\b{re.escape(word)}".replace("_", r"\b") for word in _ENGLISH[number][side].split()]
    words += map(re.escape, _OTHERS[number][side].split())
    match = re.search("|".join(words), text, re.IGNORECASE)
    return match.span() if match else None
