"""The tags of an MJML text: finds the first that MJML cannot read, which its own errors do not place."""

from __future__ import annotations

import re
from dataclasses import dataclass

DEEPEST = 200  # tags in each other; at some thousands MJML's reader overflows the stack and ends the process
VOID = frozenset({  # HTML's tags without an end
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr",
})  # fmt: skip
_NAME = r"[^\W\d][\w:.-]*"
_TAG = re.compile(
    rf"""<(?P<close>/)?(?P<name>{_NAME})(?P<rest>(?:\s+{_NAME}(?:\s*=\s*(?:"[^"]*"|'[^']*'))?)*\s*)(?P<alone>/)?>"""
)
_NEXT = re.compile("<|]]>|\0")
_FOREIGN = re.compile(r"<(?:!\[CDATA|[!?][A-Za-z]{0,20})")
_OPENING = re.compile(rf"</?{_NAME}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TagFault:
    """What is wrong with a tag, and the offset at which it begins."""

    at: int
    what: str


def first_fault(text: str) -> TagFault | None:
    """Return the first fault in the tags of an MJML text, None where all are closed and well written."""
    opened: list[tuple[str, int]] = []
    at = 0
    while found := _NEXT.search(text, at):
        at = found.start()
        if text.startswith("<!--", at):
            end = text.find("-->", at + 4)
            if end < 0 or "--" in text[at + 4 : end]:
                what = "is not closed" if end < 0 else "holds --, which ends a comment in MJML"
                return TagFault(at=at, what=f"a comment {what}")
            at = end + 3
            continue
        tag = _TAG.match(text, at)
        if tag is None:
            return TagFault(at=at, what=_unreadable(text, at))
        fault = _step(opened, tag)
        if fault is not None:
            return fault
        at = tag.end()
    return _left_open(opened) if opened else None


def _step(opened: list[tuple[str, int]], tag: re.Match[str]) -> TagFault | None:
    """Open or close a tag."""
    name = tag["name"]
    if not tag["close"]:
        if not tag["alone"] and name.casefold() not in VOID:
            opened.append((name, tag.start()))
        if len(opened) > DEEPEST:
            return TagFault(at=tag.start(), what=f"more than {DEEPEST} tags stand in each other")
        return None
    if opened and opened[-1][0] == name:
        opened.pop()
        return None
    if any(name == other for other, _ in opened):
        return _left_open(opened)
    return TagFault(at=tag.start(), what=f"</{name}> closes nothing")


def _left_open(opened: list[tuple[str, int]]) -> TagFault:
    name, at = opened[-1]
    return TagFault(at=at, what=f"<{name}> is not closed")


def _unreadable(text: str, at: int) -> str:
    """Say what is wrong with something that is no tag."""
    if text[at] == "\0":
        return "there is a NUL character"
    if text[at] == "]":
        return "]]> stands in text; write ]]&gt;"
    if foreign := _FOREIGN.match(text, at):
        return f"{foreign[0]} has no place in MJML"
    opening = _OPENING.match(text, at)
    if opening is None:
        return "a < stands in text; write &lt;"
    return f"{opening[0]}> is not well written: each value wants quotes, each attribute a space before it"
