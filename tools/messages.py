"""Compiles the message catalogues and makes the forms of dates and numbers: ``python -m tools.messages``.

With ``--check`` it only compares. What is made is committed, so that babel is not needed to send a letter.
"""

from __future__ import annotations

import argparse
import io
import json
import sys
from pathlib import Path

from babel import Locale
from babel.dates import get_day_names, get_month_names, tokenize_pattern
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from newsletter.languages import shipped

LOCALES = Path(__file__).resolve().parents[1] / "newsletter" / "locales"
BRITISH = {"en": "en-GB"}  # the day before the month, as every other language here has it or by far the most
# What babel's data lack: digits before a separator for four of them to be grouped (CLDR's minimumGroupingDigits),
# and a first day of the month that is not written as a number alone.
LEAST_BEFORE_GROUP = {"es": 2}
FIRST_OF_MONTH = {"fr": "1er"}
_FIELDS = {"d": "{day}", "MMMM": "{month}", "M": "{number}", "y": "{year}"}


class _Bare(Catalog):
    """A catalogue whose header leaves out babel's version and the time of day."""

    rule = (
        ""  # which plural form a number takes, as the source says: babel's for Arabic is not in CLDR's order
    )

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", self.locale_identifier or ""),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Plural-Forms", self.rule),
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
    bare.rule = messages.plural_forms
    for message in messages:
        if message.id:
            bare.add(message.id, message.string)
    target = io.BytesIO()
    write_mo(target, bare)
    return target.getvalue()


def locale_of(language: str) -> Locale:
    """Return the locale whose forms a shipped language has."""
    return Locale.parse(BRITISH.get(language, language), sep="-")


def forms() -> bytes:
    """Return the file with every shipped language's names, patterns and separators."""
    table = {language: _forms(language) for language in shipped()}
    return (json.dumps(table, ensure_ascii=False, indent=2) + "\n").encode()


def _forms(language: str) -> dict[str, object]:
    locale = locale_of(language)
    months = get_month_names("wide", "format", locale)
    days = get_day_names("wide", "stand-alone", locale)
    return {
        "months": [months[number] for number in range(1, 13)],
        "weekdays": [days[number] for number in range(7)],
        "day_month": _pattern(str(locale.datetime_skeletons["MMMMd"])),
        "day_month_year": _pattern(str(locale.date_formats["long"])),  # what skeleton yMMMMd means
        "first": FIRST_OF_MONTH.get(language, "1"),
        "group": locale.number_symbols["latn"]["group"],
        "grouped_from": 10 ** (2 + LEAST_BEFORE_GROUP.get(language, 1)),
    }


def _pattern(pattern: str) -> str:
    """Return CLDR's pattern with our names for its fields; a field that we do not know is a `KeyError`."""
    return "".join(
        str(value) if kind == "chars" else _FIELDS[value[0] * int(value[1])]
        for kind, value in tokenize_pattern(pattern)
    )


def main(arguments: list[str] | None = None) -> int:
    """Write what is not current, or with ``--check`` name it; 1 if there is any."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing, fail where one is not current")
    check = parser.parse_args(arguments).check
    made = {path.with_suffix(".mo"): compiled(path) for path in sorted(LOCALES.glob("*/LC_MESSAGES/*.po"))}
    stale = 0
    for target, data in {**made, LOCALES / "forms.json": forms()}.items():
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
