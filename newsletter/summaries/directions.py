"""Which way a text says that something goes: better or worse, up or down, faster or slower."""

from __future__ import annotations

import re
from dataclasses import dataclass

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class _Scale:
    """Two opposite ways. ``up`` and ``down`` are the words for them, in every language at once."""

    up: re.Pattern[str]
    down: re.Pattern[str]


def _scale(up: str, down: str) -> _Scale:
    return _Scale(
        *(re.compile("|".join(words.split()).replace("_", r"\s"), re.IGNORECASE) for words in (up, down))
    )


_SCALES = (
    _scale(
        r"""\boutperform \bsurpass \bexceed \bbeats?\b \bsuperior 능가 뛰어넘 앞서 우수
            上回 凌駕 優れ 优于 超过 超越""",
        r"""\bunderperform \binferior \bfall(?:s|ing)?_behind \blag(?:s|ging)?\b 뒤처 뒤떨어 열등 못_미치 밑돌
            下回 劣 逊于 不如""",
    ),
    _scale(
        r"""\bimprov \benhanc \bboost \bbetter\b \bstrengthen 향상 개선 증진 강화
            向上 改善 提升 提高 増強 改进""",
        r"""\bdegrad \bworsen \bworse\b \bdeteriorat \bimpair \bweaken 저하 악화 약화 떨어
            低下 悪化 恶化 退化 削弱""",
    ),
    _scale(
        r"""\bincreas \brais(?:e|es|ing)\b \bgrow(?:s|ing)?\b \bhigher\b \bmore\b \bgains?\b
            증가 늘리 늘어 늘렸 높이 높아 높였 상승 확대 증대 増加 上昇 提高 增加 上升""",
        r"""\bdecreas \breduc \blower \bdrops?\b \bdeclin \bfewer\b \bless\b \bcuts?\b \bsav(?:e|es|ing)\b \bminimi
            감소 줄이 줄어 줄였 줄인 낮추 낮춰 낮아 낮췄 하락 축소 절감 減少 削減 降低 减少 下降""",
    ),
    _scale(
        r"""\bfaster\b \bspeed.?ups?\b \baccelerat \bspeeds?_up \bspeed\b \bfast\b \bquick \befficien \breal-time
            \blatency \bthroughput 빠르 빠른 가속 速く 高速 加速 更快""",
        r"""\bslower\b \bslow(?:s|ed|ing)?\b 느리 느린 느려 감속 遅 减速 更慢""",
    ),
)


def turned(text: str, source: str) -> Span | None:
    """Return where a text goes one way on a scale on which its source only goes the other."""
    for scale in _SCALES:
        up, down = scale.up.search(text), scale.down.search(text)
        if (up is None) == (down is None):
            continue
        match, same, opposite = (up, scale.up, scale.down) if up else (down, scale.down, scale.up)
        if match is not None and same.search(source) is None and opposite.search(source) is not None:
            return match.span()
    return None
