"""Settings: ``newsletter.toml`` and ``NEWSLETTER_...`` variables, read once.

Command line > environment > file > default. A key that does not exist is refused with the nearest right one.
What there is to set stands in `newsletter.settings`.
Nothing else reads the environment.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec
from msgspec import Meta, Struct

from newsletter.errors import ConfigError
from newsletter.languages import nearest_first, shipped_as
from newsletter.schedule import Timetable, timetable
from newsletter.settings import Settings, faults
from newsletter.settings.base import Secret, SettingInfo

# A provider has these for what it posts; mails to the operator use the same tables, and nothing is taken for those.
_OF_EVENTS = frozenset(
    f"alerts.provider.{name}"
    for name in ("sendgrid.webhook_key", "sendgrid.events_max_age", "ses.topic", "postmark.webhook_secret")
)
ENVIRONMENT_PREFIX = "NEWSLETTER_"
RESERVED_VARIABLES = frozenset({"NEWSLETTER_SECRET"})
_LIST = "list of texts"
_TABLE = "table of texts"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")


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
    for path in _unknown(tree, Settings, ""):
        raise ConfigError(f"there is no setting {path!r}", subject=where(path), remedy=_nearest(path))
    origins = dict.fromkeys(_leaves(tree), "file")
    settings = _convert(tree, strict=True, where=where)
    for path, (variable, value) in _from_environment(environ).items():
        _put(tree, path.split("."), value)
        origins[path] = f"environment ({variable})"
        settings = _convert(tree, strict=False, where=partial(_in_variable, variable))
    for name in (*settings.editions, *settings.sources.feeds):
        if not NAME.fullmatch(name):
            raise ConfigError(
                f"{name!r} is no name for an edition or a feed", remedy="use a-z, 0-9 and -, 32 at most"
            )
    _check_sources(settings)
    _check_languages(settings)
    _check_alerts(settings, origins)
    timetables(settings)
    return Config(
        settings=settings, origins=origins, folder=file.parent, file=used,
        secret=Secret(environ.get("NEWSLETTER_SECRET", "")),
        step_summary=Path(summary) if (summary := environ.get("GITHUB_STEP_SUMMARY")) else None,
    )  # fmt: skip


def _check_sources(settings: Settings) -> None:
    known = ["huggingface", "arxiv", *settings.sources.feeds]
    for name in settings.sources.use:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            remedy = f"did you mean {close[0]!r}?" if close else "a feed needs a table [sources.feeds.NAME]"
            raise ConfigError(f"there is no source {name!r}", subject="sources.use", remedy=remedy)


def _check_languages(settings: Settings) -> None:
    for name, edition in settings.editions.items():
        if shipped_as(edition.language) is None:
            raise ConfigError(
                f"{edition.language!r} is not shipped",
                subject=f"editions.{name}.language",
                remedy=f"choose one of {', '.join(nearest_first(edition.language))}",
            )


def _check_alerts(settings: Settings, given: Collection[str]) -> None:
    for path in _OF_EVENTS:
        if path in given:
            raise ConfigError(
                "has no use here: events of mails to you are not taken", subject=path, remedy="take it out"
            )
    for name, address in (("webhook", settings.alerts.webhook), ("ping", settings.alerts.ping)):
        if address and not re.match(r"https?://[^/\s]", address.reveal()):
            raise ConfigError(
                "is no address of the web", subject=f"alerts.{name}", remedy="write https://HOST/PATH"
            )


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


@cache
def describe() -> tuple[SettingInfo, ...]:
    """Return every setting in the order of the file."""
    return tuple(_described(Settings, ""))


def _described(struct: type[Struct], prefix: str) -> Iterator[SettingInfo]:
    hints = _hints(struct)
    for item in msgspec.structs.fields(struct):
        path, kind, text = f"{prefix}{item.name}", *_unwrap(hints[item.name])
        if path in _OF_EVENTS:
            continue
        if (table := _table_of(kind)) is not None:
            yield from _described(table, f"{path}.NAME." if get_origin(kind) is dict else f"{path}.")
        else:
            yield SettingInfo(
                path=path, default=_default(item), help=text, kind=_kind_name(kind), choices=_choices(kind)
            )


@cache
def _hints(struct: type[Struct]) -> Mapping[str, Any]:
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
        return _LIST
    if get_origin(kind) is dict:
        return _TABLE
    names = {str: "text", bool: "true or false", int: "whole number", float: "number", Secret: "secret"}
    return names[kind]


def _choices(kind: Any) -> tuple[str, ...]:
    """Return what a text, or each of a list of texts, may be; nothing where it may be anything."""
    if get_origin(kind) is list:
        kind, _ = _unwrap(get_args(kind)[0])
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()


def _unwrap(hint: Any) -> tuple[Any, str]:
    if get_origin(hint) is Annotated:
        kind, *metas = get_args(hint)
        return kind, next((meta.description or "" for meta in metas if isinstance(meta, Meta)), "")
    return hint, ""


def _table_of(kind: Any) -> type[Struct] | None:
    for candidate in (kind, *get_args(kind)):
        if isinstance(candidate, type) and issubclass(candidate, Struct):
            return candidate
    return None


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


def _unknown(tree: Mapping[str, Any], struct: type[Struct], prefix: str) -> Iterator[str]:
    """Yield the dotted path of every key that no setting has."""
    hints = _hints(struct)
    for key, value in tree.items():
        if key not in hints:
            yield f"{prefix}{key}"
            continue
        if not isinstance(value, dict):
            continue
        kind, _ = _unwrap(hints[key])
        inner = _table_of(kind)
        if inner is not None and get_origin(kind) is dict:
            for name, table in value.items():
                if isinstance(table, dict):
                    yield from _unknown(table, inner, f"{prefix}{key}.{name}.")
        elif inner is not None:
            yield from _unknown(value, inner, f"{prefix}{key}.")


def _nearest(path: str) -> str:
    parts = path.split(".")
    known = [info.path for info in describe()]
    if parts[0] == "editions" and len(parts) > 1:
        known = [name.replace("NAME", parts[1]) for name in known]
    tables = {name.rsplit(".", depth)[0] for name in known for depth in range(1, name.count(".") + 1)}
    close = difflib.get_close_matches(path, [*known, *sorted(tables)], n=1, cutoff=0.6)
    if not close:
        close = [name for name in known if name.rsplit(".", 1)[-1] == parts[-1]][:1]
    return f"did you mean {close[0]!r}?" if close else "`newsletter config` lists them all"


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    tables = {info.path for info in describe() if info.kind == _TABLE}
    for key, value in tree.items():
        if isinstance(value, dict) and f"{prefix}{key}" not in tables:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}"


def _from_environment(environ: Mapping[str, str]) -> dict[str, tuple[str, object]]:
    """Return {dotted path: (variable, value)} of every variable that names a setting."""
    overlay: dict[str, tuple[str, object]] = {}
    for variable in sorted(environ):
        if not variable.startswith(ENVIRONMENT_PREFIX) or variable in RESERVED_VARIABLES:
            continue
        parts = variable.removeprefix(ENVIRONMENT_PREFIX).lower().split("__")
        tree: dict[str, Any] = {}
        _put(tree, parts, environ[variable])
        for path in _unknown(tree, Settings, ""):
            nearest = _nearest(path)
            raise ConfigError(f"there is no setting {path!r}", subject=variable, remedy=nearest)
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


_VALUE_OF: dict[str, Callable[[str], object]] = {_LIST: _listed, _TABLE: _tabled}


def _put(tree: dict[str, Any], parts: list[str], value: object) -> None:
    for part in parts[:-1]:
        if not isinstance(tree.get(part), dict):
            tree[part] = {}
        tree = tree[part]
    tree[parts[-1]] = value


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
