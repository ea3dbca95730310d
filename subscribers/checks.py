"""What a name, a tag, a language, an edition and a reason may be."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from subscribers.errors import InvalidValue
from subscribers.models import Profile

LONGEST_TEXT = 200
_JOINERS = {0x200C: None, 0x200D: None}  # unseen, but Persian names and emoji are spelt with them
_EDITION = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")


def check_edition(name: str) -> str:
    """Return the name of an edition, or raise `InvalidValue`: it stands in commands, settings and links."""
    if not _EDITION.fullmatch(name):
        remedy = "use at most 32 of a-z, 0-9 and -, beginning with a letter or digit"
        raise InvalidValue("this is no name for an edition", subject=repr(name[:40]), remedy=remedy)
    return name


def check_profile(name: str, tags: Iterable[str], language: str | None) -> Profile:
    """Return what is known of a person, checked; raise `InvalidValue`."""
    if language is not None and not _LANGUAGE.fullmatch(language):
        remedy = "use a tag such as en, ko or pt-BR"
        raise InvalidValue("this is no language", subject=repr(language[:40]), remedy=remedy)
    return Profile(name=check_text(name, "name"), tags=check_tags(tags), language=language)


def check_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Return tags, sorted and each once; raise `InvalidValue`."""
    checked = tuple(sorted({check_text(tag, "tag") for tag in tags}))
    if "" in checked:
        raise InvalidValue("a tag cannot be empty", subject="tag")
    return checked


def check_text(text: str, what: str) -> str:
    """Return the text with plain spaces and none around it; what could break a header line is refused."""
    plain = (" " if unicodedata.category(character) == "Zs" else character for character in text)
    trimmed = "".join(plain).strip(" ")
    if len(trimmed) > LONGEST_TEXT:
        raise InvalidValue(f"a {what} has at most {LONGEST_TEXT} characters", subject=f"{trimmed[:40]!r}…")
    if not trimmed.translate(_JOINERS).isprintable():
        problem = f"a {what} cannot hold a line break, a control or an invisible character"
        raise InvalidValue(problem, subject=repr(trimmed[:40]), remedy="take it out")
    return trimmed


def check_reason(text: str) -> str:
    """Return a reason, which cannot be empty; raise `InvalidValue`."""
    reason = check_text(text, "reason")
    if not reason:
        raise InvalidValue("needs a reason", subject="this step", remedy="say why, in a few words")
    return reason
