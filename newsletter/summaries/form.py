"""Faults of form, which show without a source: LaTeX, an empty or cut section, another language, too much text."""

from __future__ import annotations

from collections.abc import Iterator

from newsletter.models.papers import SummaryOrigin
from newsletter.scripts import is_written_in
from newsletter.summaries import terms, wording
from newsletter.summaries.findings import Check, Finding, Said, Severity, at

_MOST_WIDTH = 2600  # of an entry: a Latin letter is 1 wide, a Hangul syllable or Han character 2
_COPIED_WORDS = 8  # in a row that a summary shares with its prompt by no accident


def faults_of_form(said: Said) -> Iterator[Finding]:
    """Yield the faults that a summary shows by itself."""
    may_be_of_prompt = wording.may_be_of_prompt(said.text)
    ends = [wording.ends_as_text(section.text) for section in said.sections]
    for place, section in enumerate(said.sections):
        text = section.text
        if wording.says_nothing(text):
            why = f"{section.heading or 'a section'} says nothing"
            span = (0, len(text))
            yield at(Check.EMPTY_SECTION, Severity.ERROR, why, place, text, span)
            continue
        for span in wording.latex_or_template(text):
            yield at(Check.LATEX, Severity.ERROR, "LaTeX or template text was left", place, text, span)
        for span in wording.of_prompt(text) if may_be_of_prompt else ():
            yield at(Check.PROMPT, Severity.ERROR, "it repeats or answers the prompt", place, text, span)
        for span in _copied(said, place):
            yield at(Check.PROMPT, Severity.ERROR, "it repeats the prompt", place, text, span)
        if said.origin is not SummaryOrigin.EXTRACT:
            others = sum(ends) - ends[place]
            yield from _cut(place, text, others_end=others > 0 and 2 * others >= len(ends) - 1)
    yield from _of_the_whole(said)


def _cut(place: int, text: str, *, others_end: bool) -> Iterator[Finding]:
    span = wording.cut_at(text, others_end=others_end)
    if span is not None:
        yield at(Check.CUT_SECTION, Severity.ERROR, "it ends in the middle", place, text, span)
    elif wording.lacks_end(text, others_end=others_end):
        why = "it has no full stop: was it cut?"
        yield at(Check.CUT_SECTION, Severity.WARNING, why, place, text, (0, len(text)))


def _of_the_whole(said: Said) -> Iterator[Finding]:
    whole = said.text
    if whole.strip() and not is_written_in(whole, said.language):
        why = f"too few of its letters are of a script in which {said.language!r} is written"
        yield Finding(check=Check.WRONG_LANGUAGE, severity=Severity.ERROR, why=why)
    elif said.exact and said.language == "en" and not terms.is_english(whole):
        yield Finding(check=Check.WRONG_LANGUAGE, severity=Severity.ERROR, why="it does not read as English")
    if len(whole) + sum(map("\u1100".__le__, whole)) > _MOST_WIDTH:
        why = f"{len(whole):,} characters are no summary"
        yield Finding(check=Check.LENGTH, severity=Severity.WARNING, why=why)


def _copied(said: Said, place: int) -> Iterator[tuple[int, int]]:
    if not said.prompt:
        return
    prompt = " ".join(said.prompt.split()).lower()
    for start, sentence in said.sentences[place]:
        if len(sentence.split()) >= _COPIED_WORDS and sentence.lower() in prompt:
            yield start, start + len(sentence)
