"""Settings in environment variables: ``NEWSLETTER_`` and the path, with ``__`` for each dot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from newsletter.config.descriptions import LIST, TABLE, describe, general
from newsletter.config.misspelt import nearest, unknown
from newsletter.errors import ConfigError

_PREFIX = "NEWSLETTER_"
_RESERVED = frozenset({"NEWSLETTER_SECRET"})


def settings_in(environ: Mapping[str, str]) -> dict[str, tuple[str, object]]:
    """Return {dotted path: (variable, value)} of every variable that names a setting."""
    overlay: dict[str, tuple[str, object]] = {}
    for variable in sorted(environ):
        if not variable.startswith(_PREFIX) or variable in _RESERVED:
            continue
        parts = variable.removeprefix(_PREFIX).lower().split("__")
        tree: dict[str, Any] = {}
        put(tree, parts, environ[variable])
        for path in unknown(tree):
            raise ConfigError(f"there is no setting {path!r}", subject=variable, remedy=nearest(path))
        path = ".".join(parts)
        value = environ[variable].rstrip("\r\n")  # which a file or a paste leaves at the end
        kind = next((info.kind for info in describe() if info.path == general(path)), "")
        overlay[path] = (variable, _VALUE_OF.get(kind, str)(value))
    return overlay


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(",")]


def _tabled(value: str) -> dict[str, str]:
    parts = [part for part in _listed(value) if part]
    for part in parts:
        if "=" not in part:
            raise ConfigError(f"{part!r} has no name", remedy="write NAME = TEXT, NAME = TEXT")
    pairs = (part.split("=", 1) for part in parts)
    return {name.strip(): text.strip() for name, text in pairs}


_VALUE_OF: dict[str, Callable[[str], object]] = {LIST: _listed, TABLE: _tabled}


def put(tree: dict[str, Any], parts: list[str], value: object) -> None:
    """Set the value at a path; what is in its way gives way."""
    for part in parts[:-1]:
        if not isinstance(tree.get(part), dict):
            tree[part] = {}
        tree = tree[part]
    tree[parts[-1]] = value
