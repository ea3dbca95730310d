"""The ways to the newsletter's database: to work with it, to send, to look, to read alone."""

from __future__ import annotations

from collections.abc import Callable

from newsletter.app.secret import check_secret
from newsletter.config import Config
from newsletter.database import Database


class Databases:
    """Opens the newsletter's database, once: what the first way opened, every other gives from then on."""

    def __init__(self, config: Config, warn: Callable[[str], None]) -> None:
        self._config = config
        self._warn = warn
        self._opened: Database | None = None

    def open(self) -> Database:
        """Return the database with this program's schema; an SQLite file is created or migrated."""
        if self._opened is None:
            self._opened = self._unopened()
            self._opened.ensure_schema()
            check_secret(self._config, self._opened)
        return self._opened

    def open_to_send(self) -> Database:
        """Return what `open` does; refuse one that was restored from a backup and that nobody has looked at."""
        from newsletter.delivery import restored

        database = self.open()
        with database.read() as connection:
            restored.check(connection)
        return database

    def open_to_look(self) -> Database:
        """Return what `open` does, but create no file: an empty database in memory stands in for it (said)."""
        if self._opened is None and (file := self._unopened().file) is not None and not file.is_file():
            self._say_none_yet()
            self._opened = _empty()
        return self.open()

    def open_read_only(self) -> Database:
        """Return what `find` does, and where that is nothing, an empty database in memory."""
        found = self.find()
        if found is None:
            found = self._opened = _empty()
        return found

    def find(self, *, looking: bool = False) -> Database | None:
        """Return the database for reading only, None if there is no such SQLite file yet (said when ``looking``).

        Nothing of the file changes: one with an older schema is refused, not migrated.
        """
        if self._opened is None:
            database = self._unopened(read_only=True)
            if database.is_sqlite and (database.file is None or not database.file.is_file()):
                if looking:
                    self._say_none_yet()
                return None
            self._opened = database
            database.ensure_schema()
        return self._opened

    def close(self) -> None:
        """Close what was opened."""
        if self._opened is not None:
            self._opened.close()

    def _unopened(self, *, read_only: bool = False) -> Database:
        return Database(self._config.database_address(), read_only=read_only)

    def _say_none_yet(self) -> None:
        """Warn where there is no newsletter at all: the command may have been given in another folder."""
        if self._config.file is None:
            self._warn(
                "there is no newsletter in this folder yet; `newsletter init` begins one, and one that is elsewhere "
                "is named by --config FILE"
            )


def _empty() -> Database:
    database = Database("sqlite://")
    database.ensure_schema()
    return database
