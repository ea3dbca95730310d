"""The outbox: a Maildir, which every mail client opens (https://cr.yp.to/proto/maildir.html).

A file is named for its delivery, so however often a delivery is tried, the outbox holds it once.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path
from urllib.parse import quote

from newsletter.composer import Composer
from newsletter.dkim import Signer
from newsletter.errors import MessageRejected, ProviderUnavailable
from newsletter.models import Letter, Outcome, Receipt, Recipient
from newsletter.protocols import Connection, Exposure, OnUncertain

STALE_SECONDS = 36 * 3600  # the Maildir rule for what a dead process left in tmp
UNFINISHED = ".part"


class OutboxProvider:
    """Writes every message as a file into the Maildir at ``path``, which is made on demand.

    Each of the ``signers`` signs it. ``clock`` gives seconds since the epoch; files are aged by it.
    """

    name = "outbox"
    batch_size = 500
    exposure = Exposure.NONE
    on_uncertain = OnUncertain.RESEND

    def __init__(
        self, path: Path, signers: Sequence[Signer] = (), *, clock: Callable[[], float] = time.time
    ) -> None:
        self._path = path
        self._signers = signers
        self._clock = clock

    def connect(self) -> AbstractContextManager[Connection]:
        """Make the folders where they are missing; raise `ProviderUnavailable` if they cannot be written."""
        try:
            self._path.mkdir(parents=True, exist_ok=True)
            for name in ("tmp", "new", "cur"):
                folder = self._path / name
                folder.mkdir(mode=0o700, exist_ok=True)
                if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                    raise PermissionError(0, "the folder is not writable", str(folder))
            _remove_stale(self._path / "tmp", before=self._clock() - STALE_SECONDS)
            return nullcontext(_OutboxConnection(self._path, self._signers))
        except OSError as error:
            raise _unwritable(self._path, error) from error


class _OutboxConnection:
    def __init__(self, path: Path, signers: Sequence[Signer]) -> None:
        self._path = path
        self._signers = signers
        # `new` before `cur`: a mail client moves files that way, so none can be missed in between.
        self._present = {_delivery_name(file) for name in ("new", "cur") for file in (path / name).iterdir()}

    def send(self, letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        composer = Composer(letter, self._signers)
        for recipient in recipients:
            yield self._deliver(composer, recipient)

    def _deliver(self, composer: Composer, recipient: Recipient) -> Receipt:
        name = _file_name(recipient.delivery_id)
        target = self._path / "new" / name
        reply = "already in the outbox"
        try:
            if name not in self._present and not target.exists():
                _write(target, self._path / "tmp", composer.compose(recipient))
                self._present.add(name)
                reply = "written to the outbox"
        except MessageRejected as error:
            return Receipt(subscriber_id=recipient.subscriber_id, outcome=Outcome.REJECTED, reply=str(error))
        except OSError as error:
            raise _unwritable(self._path, error) from error
        return Receipt(
            subscriber_id=recipient.subscriber_id, outcome=Outcome.ACCEPTED, reply=reply, provider_id=name
        )


def _write(target: Path, tmp: Path, message: bytes) -> None:
    """Make the whole file appear at once, and stay through a loss of power; leave nothing on an error."""
    handle, unfinished = tempfile.mkstemp(prefix=f"{target.name[:200]}.", suffix=UNFINISHED, dir=tmp)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(message)
            file.flush()
            os.fsync(file.fileno())
        Path(unfinished).rename(target)
    except BaseException:
        with suppress(OSError):
            Path(unfinished).unlink()
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _remove_stale(tmp: Path, *, before: float) -> None:
    """Remove what dead processes left; only files named as ours, wherever the path of the outbox points."""
    for file in tmp.glob(f"*{UNFINISHED}"):
        with suppress(FileNotFoundError):
            if file.stat().st_mtime < before:
                file.unlink()


def _file_name(delivery_id: str) -> str:
    """Return the file name of a delivery: another for every id, without "/" and ":", never hidden."""
    name = quote(delivery_id, safe="")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def _delivery_name(file: Path) -> str:
    """Return the name a file had in `new`: in `cur`, a mail client added ``:2,`` and its flags."""
    return file.name.partition(":")[0]


def _unwritable(path: Path, error: OSError) -> ProviderUnavailable:
    return ProviderUnavailable(
        f"the outbox cannot be written: {error.strerror or error}",
        subject=str(path),
        remedy="make the folder writable, free space, or set provider.outbox.path to another place",
    )
