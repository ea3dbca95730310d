"""How a run ended, told to who is not there: the operator's voices, and the page of GitHub Actions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.cli.shared import complain, warn

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.results import RunResult


def told(app: App, edition: str, work: Callable[[], RunResult], *, dry_run: bool) -> RunResult:
    """Do a run, and tell how it went, also where it raises; of a dry one the operator hears nothing."""
    from newsletter.app.alerting import Voices
    from newsletter.cli import explain
    from newsletter.results import RunResult

    voices = Voices(app, edition, warn)
    if not dry_run:
        voices.begin()
    try:
        result = work()
    except Exception as error:
        failed = RunResult(edition=edition, sentence=explain(error)[0], ok=False)
        tell_github(app.config.step_summary, failed)
        if not dry_run:
            voices.ended(failed)
        raise
    tell_github(app.config.step_summary, result)
    if not dry_run:
        voices.ended(result)
    return result


def tell_github(summary: Path | None, result: RunResult) -> None:
    """Write the sentence into the step summary of GitHub Actions, where there is one."""
    if summary is None:
        return
    try:
        with summary.open("a", encoding="utf-8") as file:
            file.write(f"### Newsletter {result.edition}\n\n{_mark(result)}{result.sentence}\n")
    except OSError as error:
        complain(f"the step summary cannot be written: {error.strerror}")


def _mark(result: RunResult) -> str:
    """Return what stands before the sentence: what it is, where that is not a letter that was sent."""
    marks = {
        "Failed": not result.ok,
        "Late": bool(result.late),
        "Waits for a hand": result.by_hand,
        "Quiet": result.ok and bool(result.quiet),
    }
    return "".join(f"**{mark}.** " for mark, applies in marks.items() if applies)
