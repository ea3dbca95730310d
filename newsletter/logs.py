"""The log of a send: events with their ids, a line each, as text or JSON; nothing at all unless it is configured.

No address goes into it unless that is configured: the field `address` is left out, and addresses within other texts
(the replies of servers quote them) are masked here, whoever wrote them.
"""

from __future__ import annotations

import json
import logging
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from io import TextIOWrapper
from logging.handlers import WatchedFileHandler
from pathlib import Path
from typing import TextIO

from newsletter.errors import ConfigError
from newsletter.masking import masked

DEBUG, INFO, WARNING, ERROR = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR
_OFF = logging.CRITICAL + 1
_PLAIN = re.compile(r"[\w./:+@()#-]+", re.ASCII)
_LOGGER = logging.getLogger("newsletter")
_LOGGER.addHandler(logging.NullHandler())
_LOGGER.setLevel(_OFF)
_LOGGER.propagate = False


def is_told(level: int) -> bool:
    """Say whether events of a level are logged at all."""
    return _LOGGER.isEnabledFor(level)


def tell(level: int, event: str, **fields: object) -> None:
    """Log an event; fields that are None or empty are left out."""
    if is_told(level):
        _LOGGER.log(level, event, extra={"fields": fields})


@contextmanager
def logged(
    level: str, *, form: str, file: Path | None, addresses: bool, stream: TextIO, warn: Callable[[str], None]
) -> Iterator[None]:
    """Write the log while this lasts: to ``file``, else to ``stream``. ``level`` is off, error, warning, info or debug.

    Raises `ConfigError` for a file that cannot be written. A log that fails later is told by ``warn``, once, and
    stops nothing.
    """
    if level == "off":
        yield
        return
    try:
        handler = _Stream(stream, warn) if file is None else _File(file, warn)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written ({error.strerror})",
            subject="log.file",
            remedy="check folder and permissions",
        ) from error
    handler.setFormatter(_Lines(as_json=form == "json", addresses=addresses))
    _LOGGER.addHandler(handler)
    _LOGGER.setLevel(level.upper())
    try:
        yield
    finally:
        _LOGGER.setLevel(_OFF)
        _LOGGER.removeHandler(handler)
        with suppress(OSError):  # it has been told
            handler.close()


class _Lines(logging.Formatter):
    """Makes the line of an event: time, level, event, then its fields in their order."""

    def __init__(self, *, as_json: bool, addresses: bool) -> None:
        super().__init__()
        self._as_json = as_json
        self._addresses = addresses

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        head = {
            "time": time.replace("+00:00", "Z"), "level": record.levelname.lower(), "event": record.getMessage(),
        }  # fmt: skip
        fields = {
            name: value if self._addresses or not isinstance(value, str) else masked(value)
            for name, value in getattr(record, "fields", {}).items()
            if value not in (None, "") and (self._addresses or name != "address")
        }
        if self._as_json:
            return json.dumps(head | fields)
        named = (f"{name}={_worded(value)}" for name, value in fields.items())
        return " ".join([*head.values(), *named])


def _worded(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text)  # which shows what steers a terminal


class _Patient(logging.Handler):
    """Complains once about a line that cannot be written, and lets the send go on."""

    warn: Callable[[str], None]
    failed = False

    def emit(self, record: logging.LogRecord) -> None:
        try:
            super().emit(record)
        except OSError:  # where the file cannot be opened again
            self.handleError(record)

    def handleError(self, _record: logging.LogRecord) -> None:  # noqa: N802  # the name is logging's
        if not self.failed:
            self.failed = True
            self.warn("the log cannot be written any more; the send goes on")


class _Stream(_Patient, logging.StreamHandler[TextIO]):
    def __init__(self, stream: TextIO, warn: Callable[[str], None]) -> None:
        super().__init__(stream)
        self.warn = warn


class _File(_Patient, WatchedFileHandler):
    """Appends, and follows where another program moves the file away; only its owner can read it."""

    def __init__(self, file: Path, warn: Callable[[str], None]) -> None:
        super().__init__(file, encoding="utf-8")
        self.warn = warn

    def _open(self) -> TextIOWrapper:
        return open(self.baseFilename, "a", encoding="utf-8", opener=_private)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
