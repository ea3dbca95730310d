"""Values that a digest's maker wrote as Python lists and dicts, made readable again."""

from __future__ import annotations

import ast
import warnings

_LONGEST = 100_000
_SENTENCE_ENDS = (".", "!", "?", "。", ":", ";", "…")


def literal(text: str) -> object:
    """Return the list or dict that the text spells, None if it spells none. Nothing is ever executed."""
    text = text.strip()
    if len(text) > _LONGEST or text[:1] + text[-1:] not in {"[]", "{}", "()"}:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # a LaTeX macro looks like a wrong escape
            warnings.simplefilter("ignore", DeprecationWarning)  # the same, up to Python 3.11
            value: object = ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None
    return value


def readable(text: str) -> str:
    """Return the text, or, where it spells a list or dict, its parts as sentences."""
    value = literal(text)
    return _spoken(value) if isinstance(value, list | tuple | dict) else text


def _spoken(value: object) -> str:
    if isinstance(value, dict):
        return _sentences([f"{_spoken(key)}: {_spoken(item)}" for key, item in value.items()])
    if isinstance(value, list | tuple):
        return _sentences([_spoken(item) for item in value])
    return str(value).strip()


def _sentences(parts: list[str]) -> str:
    parts = [part for part in parts if part]
    ended = [part if part.endswith(_SENTENCE_ENDS) else f"{part};" for part in parts[:-1]]
    return " ".join([*ended, *parts[-1:]])
