"""Every variant of the sources: recorded input beside what must come out of it.

``tests/data/ingestion/KIND/NAME.EXT`` stands beside ``NAME.expected.json``: the parsed file without the
fields that have their default, or the error's text. ``PATH`` stands for the file's path.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest

from newsletter.errors import InputError
from newsletter.ingestion.files import ParsedFile, read_file

DATA = Path(__file__).resolve().parents[1] / "data" / "ingestion"
INPUTS = sorted(path for path in DATA.glob("*/*") if not path.name.endswith(".expected.json"))


def plain(value: Any) -> Any:
    """Return a value as JSON has it, without the fields that have their default."""
    if dataclasses.is_dataclass(value):
        fields = {field.name: field.default for field in dataclasses.fields(value)}
        return {
            name: plain(getattr(value, name))
            for name, default in fields.items()
            if getattr(value, name) != default
        }
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, date | datetime) else value


def outcome(path: Path) -> Any:
    try:
        read: ParsedFile | str = read_file(path)
    except InputError as error:
        read = str(error)
    return json.loads(json.dumps(plain(read)).replace(json.dumps(str(path))[1:-1], "PATH"))


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_recorded_file_gives_what_stands_beside_it(path: Path) -> None:
    expected = json.loads(path.with_name(f"{path.stem}.expected.json").read_text(encoding="utf-8"))
    assert outcome(path) == expected
