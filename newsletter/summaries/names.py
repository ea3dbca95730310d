"""The names that a paper coins, and the acronyms that a text spells out."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.summaries.numbers import squeeze

_LONGEST_NAME = 40
_MOST_WORDS = 3
_COINED = re.compile(
    r"[A-Z]\S{0,40}?[A-Z0-9]|[a-z]\S{0,40}?[A-Z]|\d"
)  # capitals or digits inside: MEDIC, PingPong, Qwen2
_TITLE_NAME = re.compile(r"\s*([^:]{2,40}):\s")
_COMMON = re.compile(r"-(?:based|driven|style|like|aware|guided|powered)$|^(?:RL|LLMs?|VLMs?|MLLMs?|AI)$")
_SEVERAL = re.compile(r"\s(?:and|&|\+)\s|[(,]")
_NAMED = re.compile(
    r"(?:called|named|dubbed|termed|coined|(?:introduc|propos|present|releas|develop)(?:e|es|ing)"
    r"(?:\s(?:the|a|an|our|novel|new))*)\s[“\"'‘]?([A-Za-z0-9][A-Za-z0-9.+-]{0,40})"
)
_ACRONYM = r"[A-Z][A-Za-z0-9-]*[A-Z0-9][A-Za-z0-9-]*"
_ACRONYM_BEFORE = re.compile(rf"(?<![A-Za-z0-9-])({_ACRONYM}?s?)\s?$")
_WORDS_BEFORE = re.compile(r"(?:[A-Za-z]+[ -]+){1,11}[A-Za-z]+\s?$")
_BRACKETS = re.compile(r"\(([A-Z][A-Za-z0-9 ,;-]{1,80})\)")
_EXPANDED = re.compile(r"[A-Z][A-Za-z]+(?:[ -][A-Za-z]+)+")
_BOTH = re.compile(rf"({_EXPANDED.pattern})[,;]\s?({_ACRONYM}s?)")
_ONLY_ACRONYM = re.compile(rf"{_ACRONYM}s?")
_WORD = re.compile(r"[A-Za-z]+")
_LONGEST_EXPANSION = 90  # characters that are looked back for
_SMALL_WORDS = frozenset(
    ["of", "the", "for", "and", "in", "to", "with", "on", "a", "an", "via", "by", "from", "at", "as"]
)


def title_name(title: str) -> str:
    """Return the short name before a title's colon, empty if there is none that looks like a name."""
    match = _TITLE_NAME.match(title)
    if match is None:
        return ""
    name = match[1].strip()
    words = name.split()
    if len(name) > _LONGEST_NAME or len(words) > _MOST_WORDS:
        return ""
    if not any(character.isalpha() for character in name):
        return ""
    return name if len(words) == 1 or any(_COINED.search(word) for word in words) else ""


def squeezed_name(title: str) -> str:
    """Return a title's name as texts are searched for it, empty if it has no capitals or digits inside."""
    name = title_name(title)
    return squeeze(name) if _COINED.search(name) else ""


def coined_names(title: str, abstract: str) -> tuple[str, ...]:
    """Return the names that a paper gives to what it introduces: its title's, and those its abstract coins."""
    found = [title_name(title)]
    found += [name.rstrip(".-") for name in _NAMED.findall(abstract) if _is_coined(name)]
    return tuple(dict.fromkeys(name for name in found if len(name) > 1))


def _is_coined(name: str) -> bool:
    return bool(_COINED.search(name)) and name[0].isalpha() and not _COMMON.search(name)


def is_named(name: str, squeezed: str) -> bool:
    """Tell whether a text, squeezed, has the name; of several names in one, or words, a coined one is enough."""
    if squeeze(name) in squeezed:
        return True
    parts = _SEVERAL.split(name)
    if len(parts) == 1:
        parts = [word for word in name.split() if _COINED.search(word)]
    return any(len(part) > 1 and squeeze(part) in squeezed for part in parts if part != name)


@dataclass(frozen=True, slots=True)
class Expansion:
    """An acronym that a text spells out, and where it does."""

    acronym: str
    words: str
    start: int
    end: int


def expansions(text: str) -> Iterator[Expansion]:
    """Return the acronyms that a text spells out in Latin letters: ABC (A Big Cat), A Big Cat (ABC)."""
    for brackets in _BRACKETS.finditer(text):
        inside, end = brackets[1], brackets.end()
        first = max(0, brackets.start() - _LONGEST_EXPANSION)
        before = text[first : brackets.start()]
        both = _BOTH.fullmatch(inside)
        if both is not None:
            yield Expansion(both[2], both[1], *brackets.span())
        elif _ONLY_ACRONYM.fullmatch(inside):
            found = _WORDS_BEFORE.search(before)
            words = list(_WORD.finditer(found[0]))[-len(_letters(inside)) - 2 :] if found else []
            if found is not None and len(words) > 1:
                said = " ".join(word[0] for word in words)
                yield Expansion(inside, said, first + found.start() + words[0].start(), end)
        elif _EXPANDED.fullmatch(inside):
            acronym = _ACRONYM_BEFORE.search(before)
            if acronym is not None:
                yield Expansion(acronym[1], inside, first + acronym.start(), end)


def is_supported(expansion: Expansion, squeezed: str) -> bool:
    """Tell whether a source, squeezed, has the expansion's words, or its initials give the acronym."""
    words = [word for word in re.split(r"[ -]", expansion.words) if word]
    acronym = _letters(expansion.acronym)
    for first in range(len(words)):  # the words before may belong to the sentence
        part = words[first:]
        if len(part) > 1 and squeeze("".join(part)).rstrip("s") in squeezed:
            return True
        if acronym in _initials(part):
            return True
    return False


def _letters(acronym: str) -> str:
    capitals = "".join(letter for letter in acronym if letter.isupper())
    return capitals.lower() if len(capitals) > 1 else acronym.rstrip("s").lower()


def _initials(words: list[str]) -> set[str]:
    kept = [word for word in words if word.lower() not in _SMALL_WORDS]
    capitals = "".join(letter for word in words for letter in word if letter.isupper())
    return {
        "".join(word[0] for word in words).lower(),
        "".join(word[0] for word in kept).lower(),
        "".join(word[0] for word in words if word[0].isupper()).lower(),
        capitals.lower(),
    }
