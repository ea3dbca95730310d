"""Compiles the message catalogues: ``python -m tools.messages``; with ``--check`` it only compares."""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALES = Path(__file__).resolve().parents[1] / "newsletter" / "locales"


class _Bare(Catalog):
    """A catalogue whose header leaves out babel's version and the time of day."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", self.locale_identifier or ""),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Plural-Forms", self.plural_forms),
        ]


def compiled(catalogue: Path) -> bytes:
    """Return the bytes of the ``.mo`` file for a ``.po`` file; the same catalogue gives the same bytes."""
    with catalogue.open("rb") as source:
        messages = read_po(source, abort_invalid=True)
    faults = [
        f"{catalogue}, line {message.lineno}: {error}"
        for message, errors in messages.check()
        for error in errors
    ]
    if faults:
        raise SystemExit("\n".join(faults))
    bare = _Bare(locale=messages.locale, charset="utf-8")
    for message in messages:
        if message.id:
            bare.add(message.id, message.string)
    target = io.BytesIO()
    write_mo(target, bare)
    return target.getvalue()


def main(arguments: list[str] | None = None) -> int:
    """Compile every catalogue, or with ``--check`` name those that are not current; 1 if there are any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where one is not current")
    check = parser.parse_args(arguments).check
    stale = 0
    for catalogue in sorted(LOCALES.glob("*/LC_MESSAGES/*.po")):
        target, data = catalogue.with_suffix(".mo"), compiled(catalogue)
        if target.exists() and target.read_bytes() == data:
            continue
        if check:
            print(f"{target} is not current; run python -m tools.messages", file=sys.stderr)
            stale += 1
        else:
            target.write_bytes(data)
            print(f"{target.relative_to(LOCALES)} written")
    return 1 if stale else 0


if __name__ == "__main__":
    raise SystemExit(main())
