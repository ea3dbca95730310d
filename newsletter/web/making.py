"""Makes the letter afresh, by the settings and templates of now; the day itself is fetched once."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from newsletter.app import App
from newsletter.app.previewing import preview_of, show
from newsletter.config import Config, load
from newsletter.errors import ConfigError
from newsletter.models.papers import DayOfPapers
from newsletter.templating.engine import forget
from newsletter.templating.partials import FOLDERS
from newsletter.web.proof import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What was asked for on the command line; None means what the settings say."""

    paths: tuple[Path, ...] = ()
    day: date | None = None
    edition: str | None = None
    language: str | None = None
    top: int | None = None
    min_votes: int | None = None


class Maker:
    """Makes proofs of one day, and knows which files they hang on."""

    def __init__(
        self,
        *,
        settings_file: Path | None,
        wanted: Wanted,
        collected: DayOfPapers,
        clock: Callable[[], datetime],
    ) -> None:
        self._settings_file = settings_file
        self._wanted = wanted
        self._collected = collected
        self._clock = clock
        self._overrides: Path | None = None
        with suppress(ConfigError):  # it is told when the letter is made
            self._find_overrides(load(settings_file))
        self._read = _changed(wanted.paths)

    def watched(self) -> list[Path]:
        """Return the files and folders after whose change the letter may be another one."""
        settings = self._settings_file or Path("newsletter.toml")
        own = [self._overrides] if self._overrides is not None else []
        return [settings, *self._wanted.paths, *own, *FOLDERS]

    def make(self) -> Proof:
        """Return the letter of now; raises the errors of settings, files and templates."""
        notes: list[str] = []
        wanted = self._wanted
        app = App(load(self._settings_file), notes.append)
        try:
            self._find_overrides(app.config)
            self._read_files_again(app)
            issue = preview_of(
                app, self._collected, edition=wanted.edition, language=wanted.language, top=wanted.top,
                min_votes=wanted.min_votes,
            )  # fmt: skip
        finally:
            app.close()
        forget()
        made_at = self._clock()
        shown = show(app, issue, made_at)
        files = shown.files
        return Proof(
            edition=issue.edition,
            day=issue.day,
            language=issue.language,
            entries=len(issue.entries),
            collected=issue.collected,
            sender=shown.sender,
            subject=shown.rendered.subject,
            preheader=shown.rendered.preheader,
            html=files["issue.html"].decode(),
            text=files["issue.txt"].decode(),
            markdown=files["issue.md"].decode(),
            message=files["issue.eml"],
            budget=shown.budget,
            made_at=made_at,
            notes=(*shown.notes, *notes),
            findings=shown.findings,
        )

    def _find_overrides(self, config: Config) -> None:
        folder = config.settings.theme.templates.strip()
        self._overrides = config.path(folder) if folder else None

    def _read_files_again(self, app: App) -> None:
        """Read the files of ``--from`` again if one was changed."""
        changed = _changed(self._wanted.paths)
        if changed != self._read:
            self._collected = app.days.for_preview(self._wanted.paths, self._wanted.day)
            self._read = changed


def _changed(paths: tuple[Path, ...]) -> list[int]:
    return [path.stat().st_mtime_ns if path.exists() else 0 for path in paths]
