"""Messages as files, each there whole or not at all. A file is named for its delivery, so a repeat changes nothing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from newsletter.composer import Composer
from newsletter.errors import MessageRejected, ProviderUnavailable
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.providers.kept import OfLetter

STALE_SECONDS = 36 * 3600  # the Maildir rule for what a dead process left in tmp
UNFINISHED = ".part"


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """Where messages go: files in ``target`` whose names end in ``suffix``, made in ``tmp`` on the same disk.

    ``name`` is what it is called in replies, ``setting`` says where it is.
    """

    name: str
    setting: str
    path: Path
    target: Path
    tmp: Path
    suffix: str = ""

    def prepare(self, folders: Iterable[Path], *, now: float) -> None:
        """Make folders where they are missing; raise `ProviderUnavailable` if they cannot be written.

        ``now`` is in seconds since the epoch. What dead processes left is removed; only files named as ours, wherever
        the path points.
        """
        try:
            for folder in folders:
                folder.mkdir(parents=True, mode=0o700, exist_ok=True)
                if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
                    raise PermissionError(0, "the folder is not writable", str(folder))
            for file in self.tmp.glob(f"*{UNFINISHED}"):
                with suppress(FileNotFoundError):
                    if file.stat().st_mtime < now - STALE_SECONDS:
                        file.unlink()
        except OSError as error:
            raise self.unwritable(error) from error

    def unwritable(self, error: OSError) -> ProviderUnavailable:
        """Return what is said where nothing can be written."""
        return ProviderUnavailable(
            f"{self.name} cannot be written: {error.strerror or error}",
            subject=str(self.path),
            remedy=f"make the folder writable, free space, or set {self.setting} to another place",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderConnection:
    """Writes messages into a folder; ``present`` are the names that are known to be there."""

    folder: Folder
    composer: OfLetter[Composer]
    present: set[str] = field(default_factory=set)

    def send(self, letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        """Write the message of each; one that is there already is left as it is."""
        composer = self.composer(letter)
        for recipient in recipients:
            yield self._deliver(composer, recipient)

    def _deliver(self, composer: Composer, recipient: Recipient) -> Receipt:
        name = _file_name(recipient.delivery_id) + self.folder.suffix
        target = self.folder.target / name
        reply = f"already in {self.folder.name}"
        try:
            if name not in self.present and not target.exists():
                _write(target, self.folder.tmp, composer.compose(recipient))
                self.present.add(name)
                reply = f"written to {self.folder.name}"
        except MessageRejected as error:
            return Receipt(subscriber_id=recipient.subscriber_id, outcome=Outcome.REJECTED, reply=str(error))
        except OSError as error:
            raise self.folder.unwritable(error) from error
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


def _file_name(delivery_id: str) -> str:
    """Return the file name of a delivery: another for every id, without "/" and ":", never hidden."""
    name = quote(delivery_id, safe="")
    return f"%2E{name[1:]}" if name.startswith(".") else name
