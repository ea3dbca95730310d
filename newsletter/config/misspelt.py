"""Keys that no setting has, and the right one that is nearest to them."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from typing import Any, get_origin

from msgspec import Struct

from newsletter.config.descriptions import describe, hints_of, table_of, unwrap
from newsletter.settings import Settings


def unknown(tree: Mapping[str, Any], struct: type[Struct] = Settings, prefix: str = "") -> Iterator[str]:
    """Yield the dotted path of every key that no setting has."""
    hints = hints_of(struct)
    for key, value in tree.items():
        if key not in hints:
            yield f"{prefix}{key}"
            continue
        if not isinstance(value, dict):
            continue
        kind, _ = unwrap(hints[key])
        inner = table_of(kind)
        if inner is not None and get_origin(kind) is dict:
            for name, table in value.items():
                if isinstance(table, dict):
                    yield from unknown(table, inner, f"{prefix}{key}.{name}.")
        elif inner is not None:
            yield from unknown(value, inner, f"{prefix}{key}.")


def nearest(path: str) -> str:
    """Return what to do about a path that no setting has: the right one, where one is near."""
    parts = path.split(".")
    known = [info.path for info in describe()]
    if parts[0] == "editions" and len(parts) > 1:
        known = [name.replace("NAME", parts[1]) for name in known]
    tables = {name.rsplit(".", depth)[0] for name in known for depth in range(1, name.count(".") + 1)}
    close = difflib.get_close_matches(path, [*known, *sorted(tables)], n=1, cutoff=0.6)
    if not close:
        close = [name for name in known if name.rsplit(".", 1)[-1] == parts[-1]][:1]
    return f"did you mean {close[0]!r}?" if close else "`newsletter config` lists them all"
