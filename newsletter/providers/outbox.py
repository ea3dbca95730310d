"""The outbox: a Maildir, which every mail client opens (https://cr.yp.to/proto/maildir.html).

A file is named for its delivery, so however often a delivery is tried, the outbox holds it once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import partial
from pathlib import Path

from newsletter.composer import Composer
from newsletter.dkim import Signer
from newsletter.protocols import Connection, Exposure, OnUncertain
from newsletter.providers.folder import Folder, FolderConnection
from newsletter.providers.kept import OfLetter


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
        self._folder = Folder(
            name="the outbox",
            setting="provider.outbox.path",
            path=path,
            target=path / "new",
            tmp=path / "tmp",
        )
        self._signers = signers
        self._clock = clock

    def connect(self) -> AbstractContextManager[Connection]:
        """Make the folders where they are missing; raise `ProviderUnavailable` if they cannot be written."""
        folder, path = self._folder, self._folder.path
        try:
            path.mkdir(parents=True, exist_ok=True)
            folder.prepare([path / name for name in ("tmp", "new", "cur")], now=self._clock())
            # `new` before `cur`: a mail client moves files that way, so none can be missed in between.
            present = {_delivery_name(file) for name in ("new", "cur") for file in (path / name).iterdir()}
        except OSError as error:
            raise folder.unwritable(error) from error
        return nullcontext(
            FolderConnection(
                folder=folder, composer=OfLetter(partial(Composer, signers=self._signers)), present=present
            )
        )


def _delivery_name(file: Path) -> str:
    """Return the name a file had in `new`: in `cur`, a mail client added ``:2,`` and its flags."""
    return file.name.partition(":")[0]
