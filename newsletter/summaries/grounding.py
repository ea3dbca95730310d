"""What is wrong with a summary: checks that need no model, each with a name, a severity, the text and its place.

An error is a reason not to send a summary; a warning is a reason to look. Against an abstract alone a number that
is not there is a warning, because the text may rest on the full paper; against the exact text that a model was
given it is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property

from newsletter.models import Paper, Section, SummaryOrigin
from newsletter.scripts import is_written_in
from newsletter.summaries import names, numbers, sentences, terms, wording
from newsletter.summaries.directions import turned
from newsletter.summaries.latex import to_text
from newsletter.summaries.results import result_sentences


class Severity(Enum):
    """What a finding means."""

    ERROR = "error"
    WARNING = "warning"


class Check(Enum):
    """Every check, by the name under which its findings are told."""

    EMPTY_SOURCE = "empty-source"
    WRONG_PAPER = "wrong-paper"
    LATEX = "latex"
    WRONG_LANGUAGE = "wrong-language"
    EMPTY_SECTION = "empty-section"
    CUT_SECTION = "cut-section"
    PROMPT = "prompt"
    NUMBER = "number"
    UNIT = "unit"
    EXCERPT = "excerpt"
    NAME = "name"
    ACRONYM = "acronym"
    RESULT = "result"
    DIRECTION = "direction"
    LENGTH = "length"
    RENDERING = "rendering"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A fault. ``text`` is the faulty text as it stands, in a section from ``start`` to ``end``.

    ``section`` counts from 0; it is None for a fault of the whole entry, whose ``text`` is empty. ``why`` is a
    sentence for people.
    """

    check: Check
    severity: Severity
    why: str
    text: str = ""
    section: int | None = None
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A summary to be checked: its sections, the language that it should be in, and where it came from.

    ``origin`` is None for anybody's. ``exact`` is whether it was made from its source's text alone, by a model
    or by a person; ``prompt`` is the instruction that a model was given, for what it may have copied.
    """

    sections: Sequence[Section]
    language: str
    origin: SummaryOrigin | None = None
    exact: bool = False
    prompt: str = ""

    @property
    def text(self) -> str:
        """All sections as one text."""
        return "\n".join(section.text for section in self.sections)


_LEAST_SUPPORT = {True: 0.55, False: 0.2}  # of English text, and of others: support + lead over the next best
_LEAST_SUPPORT_ALONE = {True: 0.45, False: 0.16}  # where no other source is at hand
_FEWEST_MENTIONS = 6  # that weigh something; less cannot tell one paper from another
_WEIGHS = 1.5
_FEWEST_TERMS = 20  # of a source
_MOST_WIDTH = 2600  # of an entry: a Latin letter is 1 wide, a Hangul syllable or Han character 2
_QUOTED_SHARE = 0.5  # of an entry's sentences that are a source's own: then all should be
_NEARLY = 0.8  # of a sentence's words, for a quotation that was changed
_COPIED_WORDS = 8  # in a row that a summary shares with its prompt by no accident


class Source:
    """A paper's text, read once for all checks."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.title = to_text(paper.title)
        self.abstract = to_text(paper.abstract)

    @cached_property
    def text(self) -> str:
        """Title and abstract, cleaned of LaTeX."""
        return f"{self.title}. {self.abstract}"

    @cached_property
    def terms(self) -> set[str]:
        """The terms of title and abstract."""
        return terms.keys(self.text)

    @cached_property
    def squeezed(self) -> str:
        """The text in which names are looked for."""
        return numbers.squeeze(self.text)

    @cached_property
    def numbers(self) -> numbers.Known:
        """The numbers of title and abstract."""
        return numbers.Known(self.text)

    @cached_property
    def sentences(self) -> list[str]:
        """The abstract's sentences."""
        return sentences.split(self.abstract)


class Day:
    """The sources of a day, among which a summary may fit another one better."""

    def __init__(self, papers: Iterable[Paper]) -> None:
        self._sources = {paper.id: Source(paper) for paper in papers}
        self._places: dict[str, int] | None = None  # term -> the sources that have it, as bits

    def source(self, paper_id: str) -> Source | None:
        """Return a paper's source, None if it is not of this day."""
        return self._sources.get(paper_id)

    def add(self, paper: Paper) -> Source:
        """Take in another paper."""
        self._places = None
        self._sources[paper.id] = Source(paper)
        return self._sources[paper.id]

    def best_other(self, said: Sequence[terms.Mention], own: Source) -> float | None:
        """Return the best support that any other source gives, None if there is no other."""
        sources = [source for source in self._sources.values() if source.abstract]
        if not any(source is not own for source in sources):
            return None
        if self._places is None:
            self._places = {}
            for number, source in enumerate(sources):
                for term in source.terms:
                    self._places[term] = self._places.get(term, 0) | 1 << number
        places, sums = self._places, [0.0] * len(sources)
        total = 0.0
        for mention in said:
            total += mention.weight
            supporting = 0
            for way in mention.ways:
                bits = -1
                for term in way:
                    bits &= places.get(term, 0)
                supporting |= bits
            while supporting:
                lowest = supporting & -supporting
                sums[lowest.bit_length() - 1] += mention.weight
                supporting ^= lowest
        if not total:
            return 0.0
        return max(each for each, source in zip(sums, sources, strict=True) if source is not own) / total


def check(said: Said, source: Source | None, day: Day | None = None) -> list[Finding]:
    """Return what is wrong with a summary, errors first. Without a source, what shows by itself."""
    found = list(_by_itself(said))
    if source is not None:
        found += _against(said, source, day)
    found.sort(key=lambda finding: finding.severity is Severity.WARNING)
    return found


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return the errors among findings."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def _by_itself(said: Said) -> Iterator[Finding]:
    ends = [wording.ends_as_text(section.text) for section in said.sections]
    for place, section in enumerate(said.sections):
        text = section.text
        if wording.says_nothing(text):
            why = f"{section.heading or 'a section'} says nothing"
            yield Finding(
                check=Check.EMPTY_SECTION, severity=Severity.ERROR, why=why, text=text, section=place, end=len(text)
            )  # fmt: skip
            continue
        for span in wording.latex_or_template(text):
            yield _at(Check.LATEX, Severity.ERROR, "LaTeX or template text was left", place, text, span)
        for span in wording.of_prompt(text):
            yield _at(Check.PROMPT, Severity.ERROR, "it repeats or answers the prompt", place, text, span)
        for span in _copied(text, said.prompt):
            yield _at(Check.PROMPT, Severity.ERROR, "it repeats the prompt", place, text, span)
        if said.origin is not SummaryOrigin.EXTRACT:
            others = sum(ends) - ends[place]
            cut = wording.cut_at(text, others_end=others > 0 and 2 * others >= len(ends) - 1)
            if cut is not None:
                yield _at(Check.CUT_SECTION, Severity.ERROR, "it ends in the middle", place, text, cut)
            elif wording.lacks_end(text):
                why = "it has no full stop: was it cut?"
                yield _at(Check.CUT_SECTION, Severity.WARNING, why, place, text, (0, len(text)))
    whole = said.text
    if whole.strip() and not is_written_in(whole, said.language):
        why = f"too few of its letters are of a script in which {said.language!r} is written"
        yield Finding(check=Check.WRONG_LANGUAGE, severity=Severity.ERROR, why=why)
    elif said.language == "en" and not terms.is_english(whole):
        yield Finding(check=Check.WRONG_LANGUAGE, severity=Severity.ERROR, why="it does not read as English")
    width = sum(1 + (character >= "\u1100") for character in whole)
    if width > _MOST_WIDTH:
        why = f"{len(whole):,} characters are no summary"
        yield Finding(check=Check.LENGTH, severity=Severity.WARNING, why=why)


def _against(said: Said, source: Source, day: Day | None) -> Iterator[Finding]:
    if not said.text.strip():
        return
    if not source.abstract:
        why = "its source has no text that it could rest on"
        yield Finding(check=Check.EMPTY_SOURCE, severity=Severity.ERROR, why=why)
        return
    excerpt = _is_excerpt(said, source)
    if excerpt:
        yield from _changed(said, source)
    elif (misfit := _fits_another(said, source, day)) is not None:
        yield Finding(check=Check.WRONG_PAPER, severity=Severity.ERROR, why=misfit)
    squeezed = numbers.squeeze(said.text)
    coined = names.coined_names(source.title, source.abstract)
    if coined and not any(names.is_named(name, squeezed) for name in coined):
        why = f"{coined[0]}, the name of what the paper introduces, is missing"
        yield Finding(check=Check.NAME, severity=Severity.WARNING, why=why)
    yield from _numbers(said, source)
    for place, section in enumerate(said.sections):
        for expansion in names.expansions(section.text):
            if not names.is_supported(expansion, source.squeezed):
                why = f"{expansion.acronym} is not spelled out so in the source, nor by its initials"
                yield _at(
                    Check.ACRONYM, Severity.WARNING, why, place, section.text, (expansion.start, expansion.end)
                )  # fmt: skip
        way = turned(section.text, source.text)
        if way is not None:
            yield _at(
                Check.DIRECTION, Severity.WARNING, "the source says the opposite", place, section.text, way
            )
        yield from _renderings(said.language, place, section.text, source)
    yield from _dropped_result(said, source)


def _at(
    check_: Check, severity: Severity, why: str, section: int, text: str, span: tuple[int, int]
) -> Finding:
    start, end = span
    return Finding(
        check=check_, severity=severity, why=why, text=text[start:end], section=section, start=start, end=end
    )


def _copied(text: str, prompt: str) -> Iterator[tuple[int, int]]:
    if not prompt:
        return
    flat = " ".join(prompt.split()).lower()
    at = 0
    for sentence in sentences.split(text):
        start = text.find(sentence, at)
        at = max(start, at)
        if start >= 0 and len(sentence.split()) >= _COPIED_WORDS and sentence.lower() in flat:
            yield start, start + len(sentence)


def _fits_another(said: Said, source: Source, day: Day | None) -> str | None:
    """Return why a summary is another paper's, None if it may well be this one's.

    Its terms are weighed by how rare they are; a right one has more of them in its own source than in any
    other of the day, and not too few.
    """
    mentioned = terms.mentions(said.text, said.language)
    telling = sum(mention.weight >= _WEIGHS for mention in mentioned)
    if telling < _FEWEST_MENTIONS or len(source.terms) < _FEWEST_TERMS:
        return None
    own = terms.support(mentioned, source.terms)
    other = day.best_other(mentioned, source) if day is not None else None
    english = said.language == "en"
    if other is None:
        return (
            None if own >= _LEAST_SUPPORT_ALONE[english] else f"its source has {own:.0%} of what it speaks of"
        )
    if own + (own - other) >= _LEAST_SUPPORT[english]:
        return None
    return f"its source has {own:.0%} of what it speaks of, another of the day {other:.0%}"


def _is_excerpt(said: Said, source: Source) -> bool:
    """Tell whether a summary quotes its source: it says so, or half of its sentences are the source's own."""
    if said.origin is not None:
        return said.origin is SummaryOrigin.EXTRACT
    spoken = [sentence for section in said.sections for sentence in sentences.split(section.text)]
    quoted = sum(sentence in source.abstract for sentence in spoken)
    return quoted > 0 and quoted >= _QUOTED_SHARE * len(spoken)


def _changed(said: Said, source: Source) -> Iterator[Finding]:
    """Find what is not the source's own in an excerpt."""
    own = sorted(source.sentences, key=len, reverse=True)
    for place, section in enumerate(said.sections):
        text, at = section.text, 0
        while at < len(text):
            match = next((sentence for sentence in own if text.startswith(sentence, at)), None)
            if match is not None:
                at += len(match)
                while text[at : at + 1].isspace():
                    at += 1
                continue
            begins = [found for sentence in own if (found := text.find(f" {sentence}", at)) >= 0]
            end = min(begins, default=len(text))
            why = "the source does not have this sentence, of which this is an excerpt"
            yield _at(Check.EXCERPT, Severity.ERROR, why, place, text, (at, end))
            at = end + 1


def _numbers(said: Said, source: Source) -> Iterator[Finding]:
    for place, section in enumerate(said.sections):
        found = numbers.find(section.text)
        missing = numbers.absent(found, source.numbers)
        for number in missing:
            exact = said.exact and not numbers.may_be_counted(number)
            severity = Severity.ERROR if exact else Severity.WARNING
            yield _at(
                Check.NUMBER, severity, "the source does not have this number", place, section.text,
                (number.start, number.end),
            )  # fmt: skip
        for number, units in numbers.with_other_unit(found, source.numbers):
            why = f"the source has it as {units['source']}, not as {units['unit']}"
            yield _at(Check.UNIT, Severity.WARNING, why, place, section.text, (number.start, number.end))


def _renderings(language: str, place: int, text: str, source: Source) -> Iterator[Finding]:
    tables = terms.glossary().get(language)
    if tables is None:
        return
    lower = source.text.lower().replace("-", " ")
    for term, wrong in tables["forbidden"].items():
        for rendering in wrong:
            at = text.find(rendering)
            if at >= 0 and term in lower:
                why = f"{term!r} is not said so in this language"
                yield _at(Check.RENDERING, Severity.WARNING, why, place, text, (at, at + len(rendering)))


def _dropped_result(said: Said, source: Source) -> Iterator[Finding]:
    results = result_sentences(source.sentences)
    if not results:
        return
    stated = [number for sentence in results for number in numbers.find(sentence)]
    figures = [number for number in stated if number.unit or "." in number.text] or stated
    kept = numbers.Known(said.text)
    if figures and not any(number in kept for number in figures):
        why = f"the source's result is left out: {results[0]}"
        yield Finding(check=Check.RESULT, severity=Severity.WARNING, why=why)
