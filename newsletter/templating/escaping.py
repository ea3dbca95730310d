"""Text becomes HTML: escaped, and where Korean must not break a line, kept together."""

from __future__ import annotations

import re
from functools import lru_cache

from markupsafe import Markup, escape

# Browsers break a line between a closing bracket and Hangul, though a particle belongs to the word before it.
_PARTICLE = re.compile("\\)[\uac00-\ud7a3]{1,4}")
_SHORT = 48  # characters


@lru_cache(maxsize=1024)
def _short(value: int | str) -> str:
    """Escape what comes by hundreds in every letter: colours, fonts, numbers."""
    return escape(value)


def escaped(value: object) -> str:
    """Return a value as HTML; markup stays as it is."""
    if type(value) is str:
        return _short(value) if len(value) <= _SHORT else escape(value)
    if type(value) is int:
        return _short(value)
    return value if type(value) is Markup else escape(value)


def kept(text: str) -> str:
    """Return text as HTML in which a closing bracket and the Korean particle after it stay on one line."""
    safe = escape(text)
    if ")" not in text or text.isascii():
        return safe
    return Markup(_PARTICLE.sub(r'<span class="n">\g<0></span>', str(safe)))  # noqa: S704  # escaped above
