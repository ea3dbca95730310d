"""Where mail lies: a Maildir, an mbox file, a folder of an IMAP server. Each gives its mails and marks what is done."""

from __future__ import annotations

import imaplib
import mailbox
import ssl
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from newsletter.errors import ConfigError, InputError, ProviderUnavailable, one_line
from newsletter.providers.mailbox.reading import LONGEST_MAIL

_SEEN = "S"


class Box(Protocol):
    """A place with mails."""

    def __enter__(self) -> Self:
        """Open it."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""

    def mails(self) -> Iterator[tuple[str, bytes]]:
        """Yield each mail that is not done: its name, and its first `LONGEST_MAIL` bytes."""

    def done(self, name: str) -> None:
        """Mark a mail as done."""


class _Open:
    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return


class Maildir(_Open):
    """A Maildir: what is done lies in ``cur`` and is flagged as seen; other mail stays as it is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._paths: dict[str, Path] = {}
        if not ((folder / "new").is_dir() and (folder / "cur").is_dir()):
            raise InputError(
                "is no Maildir: it has no folders new and cur",
                subject=str(folder),
                remedy="give the folder of a mailbox, or --mbox FILE",
            )

    def mails(self) -> Iterator[tuple[str, bytes]]:
        """Yield the mails of ``new``, and those of ``cur`` that nobody has seen."""
        for path in sorted(self._folder.glob("new/*")) + sorted(self._folder.glob("cur/*")):
            name, _, flags = path.name.partition(":2,")
            if name.startswith(".") or _SEEN in flags or not path.is_file():
                continue
            self._paths[name] = path
            try:
                with path.open("rb") as file:
                    data = file.read(LONGEST_MAIL)
            except FileNotFoundError:  # a mail program took it meanwhile
                continue
            yield name, data

    def done(self, name: str) -> None:
        """Move a mail to ``cur``, flagged as seen."""
        path = self._paths[name]
        flags = "".join(sorted({*path.name.partition(":2,")[2], _SEEN}))
        with suppress(FileNotFoundError):  # a mail program moved it meanwhile
            path.rename(self._folder / "cur" / f"{name}:2,{flags}")


class Mbox(_Open):
    """An mbox file, which is never written to; its mails are named by their place in it, from 1."""

    def __init__(self, file: Path) -> None:
        self._file = file
        with file.open("rb") as opened:
            start = opened.read(5)
        if start not in {b"", b"From "}:
            raise InputError(
                'is no mbox file: it does not begin with "From "',
                subject=str(file),
                remedy="or is it a --maildir?",
            )

    def mails(self) -> Iterator[tuple[str, bytes]]:
        """Yield all mails."""
        box = mailbox.mbox(self._file, create=False)
        try:
            for number, key in enumerate(box.iterkeys(), 1):
                yield str(number), box.get_file(key).read(LONGEST_MAIL)
        finally:
            box.close()

    def done(self, name: str) -> None:
        """Do nothing: the database knows which mails are done."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapSettings:
    """How to reach a folder of an IMAP server, over TLS from the start. ``timeout`` is in seconds."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    folder: str
    timeout: float
    ca_file: Path | None = None


class Imap:
    """A folder of an IMAP server (RFC 3501); what is done is flagged as seen, other mail is left unseen."""

    def __init__(self, settings: ImapSettings) -> None:
        self._settings = settings
        self._server: imaplib.IMAP4_SSL | None = None

    def __enter__(self) -> Self:
        own = self._settings
        try:
            context = ssl.create_default_context(cafile=own.ca_file)
            self._server = imaplib.IMAP4_SSL(own.host, own.port, ssl_context=context, timeout=own.timeout)
        except (OSError, imaplib.IMAP4.error) as error:
            raise ProviderUnavailable(
                f"no connection: {error}",
                subject=f"{own.host}:{own.port}",
                remedy="check inbox.host and inbox.port",
            ) from error
        try:
            self._open(self._server)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._server is not None:
            with suppress(OSError, imaplib.IMAP4.error):  # it may be gone, which is what is wanted
                self._server.logout()
            with suppress(OSError):
                self._server.shutdown()  # where the log-out did not get so far
            self._server = None

    def mails(self) -> Iterator[tuple[str, bytes]]:
        """Yield the mails that nobody has seen, by their UID; looking at them does not change that."""
        for number in self._ask("SEARCH", None, "UNSEEN").split():
            uid = number.decode("ascii", "replace")
            yield uid, self._ask("FETCH", uid, f"(BODY.PEEK[]<0.{LONGEST_MAIL}>)")

    def done(self, name: str) -> None:
        """Flag a mail as seen."""
        self._ask("STORE", name, "+FLAGS.SILENT", r"(\Seen)")

    def _open(self, server: imaplib.IMAP4_SSL) -> None:
        own = self._settings
        try:
            server.login(_quoted(own.username), own.password)
        except UnicodeEncodeError as error:
            raise ConfigError(
                "holds letters that the log-in of IMAP cannot carry", subject="inbox.password"
            ) from error
        except imaplib.IMAP4.abort as error:
            raise self._lost(error) from error
        except imaplib.IMAP4.error as error:
            raise ConfigError(
                f"the mail server refused the log-in: {_words(error)}", subject="inbox.username",
                remedy="check inbox.username and NEWSLETTER_INBOX__PASSWORD",
            ) from error  # fmt: skip
        try:
            answer, told = server.select(_quoted(own.folder))
        except (OSError, imaplib.IMAP4.error) as error:
            raise self._lost(error) from error
        if answer != "OK":
            raise ConfigError(
                f"the mail server has no such folder: {_words(told[0])}",
                subject="inbox.folder",
                remedy="check its name",
            )

    def _ask(self, *words: str | None) -> bytes:
        """Give a UID command and return what it answers first, a literal where there is one."""
        assert self._server is not None
        try:
            answer, told = self._server.uid(*words)  # type: ignore[arg-type]
        except (OSError, imaplib.IMAP4.error) as error:
            raise self._lost(error) from error
        if answer != "OK":
            raise ProviderUnavailable(
                f"the mail server refused {words[0]}: {_words(told[0])}",
                subject=self._settings.host,
                remedy="try again",
            )
        first = next((each for each in told if each), b"")
        return bytes(first[1] if isinstance(first, tuple) else first)

    def _lost(self, error: Exception) -> ProviderUnavailable:
        return ProviderUnavailable(
            f"the connection was lost: {_words(error)}", subject=self._settings.host, remedy="try again"
        )


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _words(said: object) -> str:
    """Return what a server said, on one line of bounded length."""
    if isinstance(said, Exception) and said.args and isinstance(said.args[0], bytes):
        said = said.args[0]
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
    return one_line(text)[:200]
