"""Files to look at: an ``.eml`` for each delivery, which mail programs and browsers' previews open."""

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


class FileProvider:
    """Writes every message as a file into the folder at ``path``, which is made on demand.

    Each of the ``signers`` signs it. ``clock`` gives seconds since the epoch; files are aged by it.
    """

    name = "file"
    batch_size = 500
    exposure = Exposure.NONE
    on_uncertain = OnUncertain.RESEND

    def __init__(
        self, path: Path, signers: Sequence[Signer] = (), *, clock: Callable[[], float] = time.time
    ) -> None:
        self._folder = Folder(
            name="the folder", setting="provider.file.path", path=path, target=path, tmp=path, suffix=".eml"
        )
        self._signers = signers
        self._clock = clock

    def connect(self) -> AbstractContextManager[Connection]:
        """Make the folder where it is missing; raise `ProviderUnavailable` if it cannot be written."""
        self._folder.prepare([self._folder.path], now=self._clock())
        return nullcontext(
            FolderConnection(folder=self._folder, composer=OfLetter(partial(Composer, signers=self._signers)))
        )
