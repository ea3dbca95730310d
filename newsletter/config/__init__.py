"""Settings: ``newsletter.toml`` and ``NEWSLETTER_...`` variables, read once.

Command line > environment > file > default. A key that does not exist is refused with the nearest right one.
What there is to set stands in `newsletter.settings`.
Nothing else reads the environment.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from newsletter.config.checks import check
from newsletter.config.descriptions import TABLE, describe
from newsletter.config.environment import put, settings_in
from newsletter.config.misspelt import nearest, unknown
from newsletter.errors import ConfigError
from newsletter.schedule import Timetable, timetable
from newsletter.settings import Settings, faults
from newsletter.settings.base import Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """Settings, where each one came from, and the folder that paths are relative to."""

    settings: Settings
    origins: Mapping[str, str]
    folder: Path
    file: Path | None
    secret: Secret
    step_summary: Path | None  # where GitHub Actions takes a run's summary

    def path(self, value: str) -> Path:
        """Return a path of the settings, relative to the file it stands in."""
        return self.folder / Path(value).expanduser()

    def database_address(self) -> Path | str:
        """Return the SQLite file that database.url names, or the URL of another kind of database."""
        url = self.settings.database.url
        scheme, _, name = url.partition("://")
        if scheme not in {"sqlite", "sqlite+pysqlite"}:
            return url
        file = name.removeprefix("/")
        if not name.startswith("/") or file in {"", ":memory:"} or "?" in file:
            raise ConfigError(f"{url!r} names no file", subject="database.url", remedy="write sqlite:///FILE")
        return self.path(file).absolute()

    def value(self, path: str) -> object:
        """Return the value at a dotted path."""
        found: object = self.settings
        for part in path.split("."):
            found = found[part] if isinstance(found, dict) else getattr(found, part)
        return found


def load(file: Path | None, environ: Mapping[str, str] | None = None) -> Config:
    """Read the settings. ``file`` None means ``./newsletter.toml`` if it is there, else the defaults.

    Raises `ConfigError` naming the file and line, or the variable, and the nearest right key.
    """
    environ = os.environ if environ is None else environ
    explicit = file is not None
    file = Path("newsletter.toml") if file is None else file
    tree: dict[str, Any] = {}
    lines: list[str] = []
    used = None
    if not file.is_file():
        if explicit:
            problem = "is a folder" if file.is_dir() else "there is no such file"
            raise ConfigError(
                problem, subject=str(file), remedy="name the file; `newsletter init` writes one"
            )
    else:
        tree, lines = _read_toml(file)
        used = file
    where = partial(_where, file, lines)
    for path in unknown(tree):
        raise ConfigError(f"there is no setting {path!r}", subject=where(path), remedy=nearest(path))
    origins = dict.fromkeys(_leaves(tree), "file")
    settings = _convert(tree, strict=True, where=where)
    for path, (variable, value) in settings_in(environ).items():
        put(tree, path.split("."), value)
        origins[path] = f"environment ({variable})"
        settings = _convert(tree, strict=False, where=partial(_in_variable, variable))
    check(settings, origins)
    timetables(settings)
    return Config(
        settings=settings, origins=origins, folder=file.parent, file=used,
        secret=Secret(environ.get("NEWSLETTER_SECRET", "")),
        step_summary=Path(summary) if (summary := environ.get("GITHUB_STEP_SUMMARY")) else None,
    )  # fmt: skip


def timetables(settings: Settings) -> dict[str, Timetable]:
    """Return the sends of each edition that has a schedule; raise `ConfigError` for one that cannot be kept."""
    return {
        name: timetable(
            at=own.schedule.at, latest=own.schedule.latest, days=own.schedule.days, timezone=own.schedule.timezone,
            subject=f"editions.{name}.schedule",
        )
        for name, own in settings.editions.items()
        if own.schedule is not None
    }  # fmt: skip


def _read_toml(file: Path) -> tuple[dict[str, Any], list[str]]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ConfigError("is no text in UTF-8", subject=str(file), remedy="save it as UTF-8") from error
    except OSError as error:
        raise ConfigError(
            f"cannot be read ({error.strerror or error})", subject=str(file), remedy="let it be read by you"
        ) from error
    lines = text.splitlines()
    try:
        return tomllib.loads(text), lines
    except tomllib.TOMLDecodeError as error:
        problem, remedy = faults.not_toml(error, lines)
        raise ConfigError(problem, subject=str(file), remedy=remedy) from error


def _where(file: Path, lines: list[str], path: str) -> str:
    line = faults.line_of(lines, path)
    return str(file) if line is None else f"{file}, line {line}"


def _in_variable(variable: str, _path: str) -> str:
    return variable


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    tables = {info.path for info in describe() if info.kind == TABLE}
    for key, value in tree.items():
        if isinstance(value, dict) and f"{prefix}{key}" not in tables:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _decode_secret(kind: type, value: object) -> object:
    assert kind is Secret  # the one type of settings that msgspec does not know
    if not isinstance(value, str):
        raise TypeError(f"Expected `str`, got `{type(value).__name__}`")
    return Secret(value)


def _convert(tree: dict[str, Any], *, strict: bool, where: Callable[[str], str]) -> Settings:
    """Convert; ``where`` says where the setting of a path stands."""
    try:
        return _converted(tree, strict=strict)
    except msgspec.ValidationError as error:
        fault = faults.said(
            str(error), tree, {info.path: info for info in describe()}, partial(_told, strict=strict)
        )
    subject = ", ".join(filter(None, (where(fault.path), fault.path)))
    raise ConfigError(fault.problem, subject=subject, remedy=fault.remedy)


def _converted(tree: Mapping[str, Any], *, strict: bool) -> Settings:
    return msgspec.convert(tree, Settings, strict=strict, dec_hook=_decode_secret)


def _told(tree: Mapping[str, Any], *, strict: bool) -> str:
    """Return what is wrong with settings, nothing where they can be used."""
    try:
        _converted(tree, strict=strict)
    except msgspec.ValidationError as error:
        return str(error)
    return ""
