"""The script that a text is written in, and the language that it tells."""

from __future__ import annotations

import re

_HAN = r"\u4e00-\u9fff\u3400-\u4dbf"
_KANA = r"\u3040-\u30ff"
_SCRIPTS = {
    "ko": re.compile(r"[\uac00-\ud7a3\u1100-\u11ff\u3131-\u318e]+"),
    "ja": re.compile(f"[{_KANA}{_HAN}]+"),
    "zh": re.compile(f"[{_HAN}]+"),
    "ar": re.compile(r"[\u0600-\u06ff\u0750-\u077f]+"),
    "ru": re.compile(r"[\u0400-\u04ff]+"),
    "el": re.compile(r"[\u0370-\u03ff]+"),
    "he": re.compile(r"[\u0590-\u05ff]+"),
    "hi": re.compile(r"[\u0900-\u097f]+"),
    "th": re.compile(r"[\u0e00-\u0e7f]+"),
}
_ONLY_KANA = re.compile(f"[{_KANA}]+")
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]+")
_LETTER = re.compile(r"[^\W\d_]+")
_LEAST_TOLD = 0.2  # of the letters: English terms stay in good Korean
_LEAST_KANA = 0.1  # Japanese is told from Chinese by its kana, beside which stand many Han characters
_LEAST_WRITTEN = {"ja": 0.35, "zh": 0.25}  # fewer characters say as much beside English terms
_LEAST_WRITTEN_USUALLY = 0.4  # of 592 real Korean entries all have 0.43 or more, an entry in English has none
_LEAST_LATIN = 0.6
_FEWEST_LETTERS = 20  # that tell Japanese from Chinese


def language_of(text: str) -> str:
    """Return the language that a text's script tells: ko, ja, zh, ar, ru, el, he, hi, th, else en."""
    if text.isascii():
        return "en"
    letters = _count(_LETTER, text) or 1
    shares = {language: _count(script, text) / letters for language, script in _SCRIPTS.items()}
    if _count(_ONLY_KANA, text) < _LEAST_KANA * letters:
        shares["ja"] = 0.0
    language = max(shares, key=lambda name: shares[name])
    return language if shares[language] >= _LEAST_TOLD else "en"


def is_written_in(text: str, language: str) -> bool:
    """Tell whether enough of a text's letters are of the language's script; English terms may stay."""
    letters = _count(_LETTER, text)
    if not letters:
        return True
    base = language.replace("_", "-").partition("-")[0].lower()
    script = _SCRIPTS.get(base)
    if script is None:
        return _count(_LATIN, text) >= _LEAST_LATIN * letters
    if base in {"ja", "zh"} and letters >= _FEWEST_LETTERS:
        kana = _count(_ONLY_KANA, text) >= _LEAST_KANA * letters
        if kana is not (base == "ja"):
            return False
    return _count(script, text) >= _LEAST_WRITTEN.get(base, _LEAST_WRITTEN_USUALLY) * letters


def _count(script: re.Pattern[str], text: str) -> int:
    return sum(map(len, script.findall(text)))
