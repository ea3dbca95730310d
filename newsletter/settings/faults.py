"""What is said of a file of settings that cannot be used: which value, where it stands, what it has to be."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from newsletter.settings.base import Secret, SettingInfo

_EXPECTED = re.compile(r"Expected `[^`]+`, got `[^`]+`")
_BOUND = re.compile(r"Expected `(?:int|float)` (<=|>=|<|>) (\S+)")
_LENGTH = re.compile(r"Expected `(\w+)` of length (<=|>=) (\d+)")
_MISSING = re.compile(r"Object missing required field `(\w+)`")
_TWICE = re.compile(r"Cannot declare \((.*)\) twice \(at line (\d+)")
_AGAIN = re.compile(r"Cannot overwrite a value \(at line (\d+)")
_ITEM = re.compile(r"\[\d+\]$")
_ANY_NAME = "[...]"
_MOST_SHOWN = 60  # letters of a value
_WRITTEN = {
    "list of texts": 'a list: ["one", "two"]',
    "table of texts": 'a table: {name = "text"}',
    "text": "a text in quotes",
    "number": "a number, without quotes",
    "whole number": "a whole number, without quotes",
    "true or false": "true or false, without quotes",
}


class Said(NamedTuple):
    """A fault: the dotted path of the setting (empty: the whole file), the problem, the remedy."""

    path: str
    problem: str
    remedy: str


def said(
    error: str,
    tree: Mapping[str, Any],
    known: Mapping[str, SettingInfo],
    told: Callable[[Mapping[str, Any]], str],
) -> Said:
    """Say what a fault of msgspec means. ``known`` are the settings by path, ``told`` is what it says of a tree."""
    problem, _, place = error.partition(" - at `$.")
    place = _ITEM.sub("", place.rstrip("`"))
    general = place.replace(_ANY_NAME, ".NAME")
    path = _named(place, error, tree, told)
    info = known.get(general)
    if info is None and (table := known.get(general.removesuffix(".NAME"))) is not None:
        info = replace(table, kind="text")  # what is in a table of texts
    if missing := _MISSING.fullmatch(problem):
        return Said(path, f"has no {missing[1]}", "give one")
    if info is None and problem.startswith("Expected `object`"):
        return Said(path, "is a table of settings", f"write [{path}] on a line, and its settings below it")
    if info is None:
        return Said(path, problem, "see `newsletter config`")
    value = None if isinstance(info.default, Secret) else _at(tree, path.split("."))
    return Said(path, *_explained(problem, value, info))


def _explained(problem: str, value: object, info: SettingInfo) -> tuple[str, str]:
    if value == "" and ("matching regex" in problem or _LENGTH.search(problem)):
        return "is empty", info.help
    shown = "it" if value is None else _shown(value)
    if "matching regex" in problem:
        return f"{shown} is not written as it should be", info.help
    if problem.startswith("Invalid enum value"):
        wrong = problem.removeprefix("Invalid enum value ").strip("'\"")
        close = difflib.get_close_matches(wrong, info.choices, n=1)
        meant = f"did you mean {close[0]!r}? It" if close else "it"
        return f"{wrong!r} is none of its values", f"{meant} may be {', '.join(filter(None, info.choices))}"
    if bound := _BOUND.search(problem):
        most = bound[1].startswith("<")
        extreme = f"{bound[2].removesuffix('.0')} at {'most' if most else 'least'}"
        return f"{shown} is too {'large' if most else 'small'}", f"it must be {extreme}"
    if length := _LENGTH.search(problem):
        things = "characters" if length[1] == "str" else "entries"
        if length[2] == ">=":
            least = "name one at least" if length[3] == "1" else f"it has {length[3]} {things} at least"
            return "is too short" if value else "is empty", least
        return "is too long", f"it has {length[3]} {things} at most"
    if _EXPECTED.search(problem):
        return f"{shown} is of another kind", f"it must be {_WRITTEN.get(info.kind, 'a text in quotes')}"
    return problem, info.help


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


def _at(tree: object, parts: Sequence[str]) -> object:
    for part in parts:
        tree = tree.get(part) if isinstance(tree, dict) else None
    return tree


def _named(place: str, error: str, tree: Mapping[str, Any], told: Callable[[Mapping[str, Any]], str]) -> str:
    """Return a path with the name that msgspec leaves out: that of which alone it says the same."""
    head, found, rest = place.partition(_ANY_NAME)
    table = _at(tree, head.split("."))
    if not found or not isinstance(table, dict):
        return place.replace(_ANY_NAME, "")
    for name, own in table.items():
        alone: Any = {name: own}
        for part in reversed(head.split(".")):
            alone = {part: alone}
        if told(alone) == error:
            return f"{head}.{name}{rest}".replace(_ANY_NAME, "")
    return place.replace(_ANY_NAME, ".NAME")


def line_of(lines: Sequence[str], path: str) -> int | None:
    """Return the line of a file that sets something, or the table it would be in; None where none does."""
    table, best, length = "", None, 0
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if bare.startswith("["):
            table = bare.partition("#")[0].strip().strip("[]").replace('"', "").replace(" ", "")
            here = table
        elif "=" in bare and not bare.startswith("#"):
            key = bare.partition("=")[0].strip().replace('"', "").replace(" ", "")
            here = f"{table}.{key}" if table else key
        else:
            continue
        if (path == here or path.startswith(f"{here}.")) and len(here) > length:
            best, length = number, len(here)
    return best


def not_toml(error: tomllib.TOMLDecodeError, lines: Sequence[str]) -> tuple[str, str]:
    """Return problem and remedy of a file that is no TOML."""
    twice = _TWICE.search(str(error))
    if twice is not None:
        table = ".".join(re.findall(r"'([^']*)'", twice[1]))
        first = line_of(lines, table)
        return (
            f"[{table}] is there twice, in lines {first} and {twice[2]}",
            "put what belongs to it under the first one",
        )
    again = _AGAIN.search(str(error))
    if again is not None:
        return f"the setting in line {again[1]} is there twice", "keep one of them"
    return f"is not TOML: {error}", "mend that line"
