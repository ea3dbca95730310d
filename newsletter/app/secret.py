"""The installation's secret beside its database: the keys made from it, and whether it is the right one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.config import Config
from newsletter.database import Database
from newsletter.keys import Keys

if TYPE_CHECKING:
    from newsletter.app.databases import Databases
    from newsletter.delivery.tokens import LinkKeys

SECRET_FILE = "newsletter.secret"  # noqa: S105  # the file's name, not the secret
SECRET_FINGERPRINT = "suppression_key"  # noqa: S105  # the name it is stored under


class SecretKeys:
    """Gives the keys that are made from the secret; the first one that is asked for makes it."""

    def __init__(self, config: Config, databases: Databases) -> None:
        self._config = config
        self._databases = databases

    def links(self) -> LinkKeys:
        """Return what makes and reads the tokens of mailed links."""
        from newsletter.delivery.tokens import LinkKeys

        return LinkKeys(self.forms())

    def forms(self) -> bytes:
        """Return the key that the tokens of the pages' forms are made with."""
        return _keys(self._config, self._databases.open()).read_or_make().links

    def suppressions(self, *, dry_run: bool) -> bytes:
        """Return the key that hides the addresses of suppressions; the database keeps its fingerprint.

        A dry run makes no secret: where there is none yet, nobody is suppressed under it either.
        """
        from newsletter import store

        database = self._databases.open()
        if dry_run:
            if _fingerprint(database) is None:
                return bytes(32)
            check_secret(self._config, database)
        secret = _keys(self._config, database).read_or_make()
        if _fingerprint(database) is None:
            with database.write() as connection:
                store.put_setting(connection, SECRET_FINGERPRINT, secret.fingerprint)
            check_secret(self._config, database)
        return secret.suppressions


def check_secret(config: Config, database: Database) -> None:
    """Refuse to work with another secret than the one that this database was made with."""
    known = _fingerprint(database)
    if known is not None:
        _keys(config, database).check(known)


def _fingerprint(database: Database) -> str | None:
    """Return the fingerprint of the secret that a database was made with, None before there is one."""
    from newsletter import store

    with database.read() as connection:
        return store.get_setting(connection, SECRET_FINGERPRINT)


def _keys(config: Config, database: Database) -> Keys:
    folder = database.file.parent if database.file is not None else config.folder
    return Keys(folder / SECRET_FILE, config.secret)
