"""Every setting as people read of it: its path, what it is, its default and its help, from the tables themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from newsletter.settings import Settings
from newsletter.settings.base import Secret, SettingInfo

# A provider has these for what it posts; mails to the operator use the same tables, and nothing is taken for those.
OF_EVENTS = frozenset(
    f"alerts.provider.{name}"
    for name in ("sendgrid.webhook_key", "sendgrid.events_max_age", "ses.topic", "postmark.webhook_secret")
)
LIST = "list of texts"
TABLE = "table of texts"


@cache
def describe() -> tuple[SettingInfo, ...]:
    """Return every setting in the order of the file."""
    return tuple(_described(Settings, ""))


def _described(struct: type[Struct], prefix: str) -> Iterator[SettingInfo]:
    hints = hints_of(struct)
    for item in msgspec.structs.fields(struct):
        path, kind, text = f"{prefix}{item.name}", *unwrap(hints[item.name])
        if path in OF_EVENTS:
            continue
        if (table := table_of(kind)) is not None:
            yield from _described(table, f"{path}.NAME." if get_origin(kind) is dict else f"{path}.")
        else:
            yield SettingInfo(
                path=path, default=_default(item), help=text, kind=_kind_name(kind), choices=_choices(kind)
            )


@cache
def hints_of(struct: type[Struct]) -> Mapping[str, Any]:
    """Return the types of a table's settings, with what they are annotated with."""
    return get_type_hints(struct, include_extras=True)


def _default(item: msgspec.structs.FieldInfo) -> object:
    """Return a field's default; None where the setting must be given."""
    if item.default_factory is not msgspec.NODEFAULT:
        return item.default_factory()
    return None if item.default is msgspec.NODEFAULT else item.default


def general(path: str) -> str:
    """Return a setting's path with ``NAME`` for the name of an edition or a feed."""
    return re.sub(r"^(editions|sources\.feeds)\.[^.]+", r"\1.NAME", path)


def _kind_name(kind: Any) -> str:
    if get_origin(kind) is Literal:
        return "choice of " + ", ".join(str(choice) or "nothing" for choice in get_args(kind))
    if get_origin(kind) is list:
        return LIST
    if get_origin(kind) is dict:
        return TABLE
    names = {str: "text", bool: "true or false", int: "whole number", float: "number", Secret: "secret"}
    return names[kind]


def _choices(kind: Any) -> tuple[str, ...]:
    """Return what a text, or each of a list of texts, may be; nothing where it may be anything."""
    if get_origin(kind) is list:
        kind, _ = unwrap(get_args(kind)[0])
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()


def unwrap(hint: Any) -> tuple[Any, str]:
    """Return the type of a setting, and its help."""
    if get_origin(hint) is Annotated:
        kind, *metas = get_args(hint)
        return kind, next((meta.description or "" for meta in metas if isinstance(meta, Meta)), "")
    return hint, ""


def table_of(kind: Any) -> type[Struct] | None:
    """Return the table that a setting is, or has many of; None for a plain value."""
    for candidate in (kind, *get_args(kind)):
        if isinstance(candidate, type) and issubclass(candidate, Struct):
            return candidate
    return None
