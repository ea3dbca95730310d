"""How the letter looks, from the settings: its theme, and the folder of templates that replace ours."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.config import Config
from newsletter.errors import ConfigError

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.models.issues import Issue
    from newsletter.templating.overrides import Fault, Report, Trial
    from newsletter.templating.theme import Theme

FOLDER = "theme.templates"
RIGHT_TO_LEFT = "ar"
SOME = 9  # papers of a trial that leaves others out, and still has some of every kind


def theme(config: Config) -> Theme:
    """Return the theme of the settings; raises `ConfigError` that says where the wrong one stands."""
    from newsletter.templating.theme import theme_of

    own = config.settings.theme
    with _placed(config):
        return theme_of(own.accent, own.font, own.title_font, own.logo)


def inbox_templates(config: Config, edition: str) -> tuple[str, str]:
    """Return the templates of an edition's subject and preheader; raises `ConfigError` as `theme` does."""
    from newsletter.templating.inbox import check_template

    own, path = config.settings.edition(edition), f"editions.{edition}"
    with _placed(config):
        return (
            check_template(own.subject, f"{path}.subject"),
            check_template(own.preheader, f"{path}.preheader"),
        )


@contextmanager
def _placed(config: Config) -> Iterator[None]:
    """Let an error that names a setting say where it stands, too."""
    try:
        yield
    except ConfigError as error:
        raise ConfigError(
            error.problem, subject=_where(config, error.subject), remedy=error.remedy
        ) from error


def override_folder(config: Config) -> Path | None:
    """Return the folder of overriding templates, None where none is configured.

    Raises `ConfigError` where it is missing or is no folder.
    """
    wanted = config.settings.theme.templates.strip()
    if not wanted:
        return None
    folder = config.path(wanted)
    remedy = "name the folder that holds your templates"
    try:
        if folder.is_dir():
            return folder
        problem = f"{folder} is no folder"
        if not folder.exists():
            problem = f"there is no folder {folder}"
            remedy = "`newsletter templates export NAME` makes it"
    except OSError as error:
        problem = f"{folder} cannot be read ({error.strerror})"
    raise ConfigError(problem, subject=_where(config, FOLDER), remedy=remedy)


def check_overrides(app: App, folder: Path) -> Report:
    """Return what trying out a folder of templates finds.

    The sample day is rendered in every layout and written from right to left; so that each partial is drawn, with
    entries of one line and of a title alone, with papers left out, and without a paper.
    """
    from newsletter.models.issues import Occasion
    from newsletter.templating.overrides import Trial, check
    from newsletter.templating.theme import Layout

    edition = next(iter(app.settings.editions))
    design = replace(app.letters.design(edition), templates=folder)
    languages = dict.fromkeys(
        ["en", *(own.language for own in app.settings.editions.values()), RIGHT_TO_LEFT]
    )
    issues = [_sample(app, language, top) for language in languages for top in (0, SOME)]
    nothing = replace(issues[0], entries=(), collected=0, occasion=Occasion.QUIET)
    quiet = Trial(issue=nothing, design=design)
    trials = [
        Trial(issue=issue, design=replace(design, layout=layout, full=full))
        for issue in issues
        for layout in Layout
        for full in {design.full, 1}
    ]
    report = check(folder, [*trials, quiet])
    if report.faults:
        return report
    faults = {fault for trial in (trials[0], quiet) for fault in _unsent(app, folder, trial)}
    return replace(report, faults=tuple(sorted(faults)))


def _unsent(app: App, folder: Path, trial: Trial) -> Iterator[Fault]:
    """Yield why a letter would not be sent, each with the file that holds what is wrong, where one does."""
    from newsletter.app import now
    from newsletter.app.identity import identity
    from newsletter.letters import looked_over, make_letter
    from newsletter.templating.issue import render
    from newsletter.templating.lint.findings import Severity
    from newsletter.templating.overrides import Fault
    from newsletter.templating.partials import holding

    sender = identity(app.settings, example=True, warn=lambda _text: None)
    letter = make_letter(render(trial.issue, trial.design), trial.issue, sender, now())
    address = trial.design.postal_address
    for found in looked_over(letter, trial.issue, sender, postal_address=address, real_mail=False):
        if found.severity is Severity.ERROR:
            file, line = holding(folder, re.findall(r'"([^"]+)"|<(\S+?)>|\b(\w{3,})$', found.what))
            yield Fault(file=file, line=line, what=f"{found.what}, so no letter is sent ({found.rule})")


def _sample(app: App, language: str, top: int) -> Issue:
    """Return an issue of the sample day; ``top`` 0 means with all its papers, the last one carried from before."""
    from newsletter.app.summarizing import summarizer
    from newsletter.models.issues import Selection
    from newsletter.pipeline import make_issue
    from newsletter.sample import SAMPLE_DAY, sample_day_path

    day = app.days.file_source([sample_day_path()], SAMPLE_DAY).fetch(SAMPLE_DAY)
    issue = make_issue(
        day, edition="sample", language=language, selection=Selection(top=top, min_votes=0),
        summarizer=summarizer(day.papers),
    )  # fmt: skip
    carried = replace(issue.entries[-1], carried_from=SAMPLE_DAY - timedelta(days=1))
    return replace(issue, entries=(*issue.entries[:-1], carried), source_url="https://example.org/papers")


def _where(config: Config, path: str) -> str:
    """Return where a setting was set: the file or the variable, and its name."""
    origin = config.origins.get(path, "")
    if origin.startswith("environment"):
        return f"{origin.partition('(')[2].rstrip(')')}, {path}"
    return f"{config.file}, {path}" if config.file else path
