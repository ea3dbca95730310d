"""What is wrong with a summary: checks that need no model, each with a name, a severity, the text and its place.

An error is a reason not to send a summary; a warning is a reason to look. Against an abstract alone a number that
is not there is a warning, because the text may rest on the full paper; against the exact text that a model was
given it is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from newsletter.models.papers import SummaryOrigin
from newsletter.scripts import language_of
from newsletter.summaries import directions, names, numbers, placing, terms
from newsletter.summaries.findings import Check, Finding, Said, Severity, at
from newsletter.summaries.form import faults_of_form
from newsletter.summaries.latex import to_text
from newsletter.summaries.results import has_measure, result_sentences, states_result
from newsletter.summaries.sources import Day, Source

# of English text, and of others: support + lead over the next best
_LEAST_SUPPORT = {True: 0.55, False: 0.22}
_LEAST_SUPPORT_ALONE = {True: 0.45, False: 0.16}  # where no other source is at hand
_LEAST_OF_SENTENCE = 0.25  # of one English sentence
_FEWEST_MENTIONS = 6  # that weigh something; less cannot tell one paper from another
_WEIGHS = 1.5
_FEWEST_TERMS = 20  # of a source
_FEWEST_QUOTED = 5  # words: fewer are a name
_OF_LATEX = frozenset("\\$^_{")
_QUOTED_SHARE = 0.5  # of an entry's sentences that are a source's own: then all should be


def check(said: Said, source: Source | None, day: Day | None = None) -> list[Finding]:
    """Return what is wrong with a summary, errors first. Without a source, what shows by itself."""
    found = list(faults_of_form(said))
    if source is not None:
        found = [finding for finding in found if not _is_quoted(finding, source)]
        found += _against(said, source, day)
    found.sort(key=lambda finding: finding.severity is Severity.WARNING)
    return found


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Return the errors among findings."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]


def _is_quoted(finding: Finding, source: Source) -> bool:
    """Tell whether what looks like a fault is the source's own: a paper on refusals, one named TODO, a cut abstract."""
    if finding.check is Check.CUT_SECTION:
        return source.abstract.endswith(finding.text) and bool(finding.text)
    if finding.check is Check.LATEX and not _OF_LATEX.isdisjoint(finding.text):
        return False
    return finding.check in {Check.PROMPT, Check.LATEX} and finding.text.lower() in source.text.lower()


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
    else:
        yield from _invented(said, source)
        yield from _turned(said, source)
    yield from _numbers(said, source)
    yield from _names(said, source)
    yield from _renderings(said, source)
    yield from _dropped_result(said, source, excerpt=excerpt)


def _fits_another(said: Said, source: Source, day: Day | None) -> str | None:
    """Return why a summary is another paper's, None if it may well be this one's.

    Its terms are weighed by how rare they are; a right one has more of them in its own source than in any
    other of the day, and not too few.
    """
    named = day.names_another(said.text, source) if day is not None else None
    if named is not None:
        return f"it names {named}, another paper of the day, and not its own"
    mentioned = terms.mentions(said.text, said.language, english=said.english)
    telling = sum(mention.weight >= _WEIGHS for mention in mentioned)
    if telling < _FEWEST_MENTIONS or len(source.terms) < _FEWEST_TERMS:
        return None
    own = terms.support(mentioned, source.terms)
    other = day.best_other(mentioned, source) if day is not None else None
    english = said.english
    if other is None:
        return (
            None if own >= _LEAST_SUPPORT_ALONE[english] else f"its source has {own:.0%} of what it speaks of"
        )
    if own + (own - other) >= _LEAST_SUPPORT[english]:
        return None
    return f"its source has {own:.0%} of what it speaks of, the best other of the day {other:.0%}"


def _tells(spoken_of: Iterable[str]) -> bool:
    """Tell whether terms are enough to tell one paper from another."""
    weigh = terms.weights()
    return sum(weigh[term] >= _WEIGHS for term in spoken_of) >= _FEWEST_MENTIONS


def _invented(said: Said, source: Source) -> Iterator[Finding]:
    """Find sentences of which the source has next to nothing; in English only, others say too few terms."""
    if not said.english:
        return
    for place, spoken in enumerate(said.sentences):
        for start, sentence in spoken:
            spoken_of = terms.keys(sentence)
            if terms.share(spoken_of, source.terms) < _LEAST_OF_SENTENCE and _tells(spoken_of):
                why = "the source has next to nothing of this sentence"
                span = (start, start + len(sentence))
                yield at(Check.SENTENCE, Severity.WARNING, why, place, said.sections[place].text, span)


def _is_excerpt(said: Said, source: Source) -> bool:
    """Tell whether a summary quotes its source: it says so, or half of its sentences are the source's own."""
    if said.origin is not None:
        return said.origin is SummaryOrigin.EXTRACT
    if said.language != language_of(source.abstract):
        return False
    spoken = [sentence for section in said.sentences for _, sentence in section]
    quoted = sum(
        len(sentence.split()) >= _FEWEST_QUOTED and to_text(sentence) in source.abstract
        for sentence in spoken
    )
    return quoted > 0 and quoted >= _QUOTED_SHARE * len(spoken)


def _changed(said: Said, source: Source) -> Iterator[Finding]:
    """Find what is not the source's own in an excerpt."""
    own = sorted(source.sentences, key=len, reverse=True)
    why = "the source does not have this sentence, of which this is an excerpt"
    for place, section in enumerate(said.sections):
        text = section.text
        starts = [start for start, _ in said.sentences[place]]
        here = 0
        while here < len(text):
            match = next((sentence for sentence in own if text.startswith(sentence, here)), None)
            if match is None and said.origin is None:  # quoted with the LaTeX that we clean
                match = next(
                    (one for start, one in said.sentences[place] if start == here and to_text(one) in own),
                    None,
                )
            if match is not None:
                here += len(match)
                while text[here : here + 1].isspace():
                    here += 1
                continue
            known = (start for start in starts if start > here and text.startswith(tuple(own), start))
            end = next(known, len(text))
            span = (here, len(text[:end].rstrip()))
            sure = said.origin is SummaryOrigin.EXTRACT or placing.is_changed(
                text[slice(*span)], source.sentences
            )
            severity = Severity.ERROR if sure else Severity.WARNING
            yield at(Check.EXCERPT, severity, why, place, text, span)
            here = end


def _numbers(said: Said, source: Source) -> Iterator[Finding]:
    for place, found in enumerate(said.numbers):
        if not found:
            continue
        text = said.sections[place].text
        for number in numbers.absent(found, source.numbers):
            exact = said.exact and not numbers.may_be_counted(number)
            severity = Severity.ERROR if exact else Severity.WARNING
            why = f"the {'source' if said.exact else 'abstract'} does not have this number"
            yield at(Check.NUMBER, severity, why, place, text, (number.start, number.end))
        for number, own in numbers.with_other_unit(found, source.numbers):
            why = f"the source has it as {own}, not as {number.unit}"
            yield at(Check.UNIT, Severity.WARNING, why, place, text, (number.start, number.end))
        for first, second in placing.exchanged(text, found, source.numbers, english=said.english):
            why = f"in the source {first.text} stands where {second.text} does here"
            yield at(Check.EXCHANGED, Severity.WARNING, why, place, text, (first.start, second.end))


def _names(said: Said, source: Source) -> Iterator[Finding]:
    squeezed = numbers.squeeze(said.text)
    coined = names.coined_names(source.title, source.abstract)
    if coined and not any(names.is_named(name, squeezed) for name in coined):
        why = f"{coined[0]}, the name of what the paper introduces, is missing"
        yield Finding(check=Check.NAME, severity=Severity.WARNING, why=why)
    for place, section in enumerate(said.sections):
        for expansion in names.expansions(section.text):
            if not names.is_supported(expansion, source.squeezed):
                why = f"{expansion.acronym} is not spelled out so in the source, nor by its initials"
                span = (expansion.start, expansion.end)
                yield at(Check.ACRONYM, Severity.WARNING, why, place, section.text, span)


def _turned(said: Said, source: Source) -> Iterator[Finding]:
    """Find where a section, or one of its sentences, goes the other way than the source does."""
    for place, section in enumerate(said.sections):
        span = directions.turned(section.text, directions.ways(section.text), source.directions)
        for start, sentence in said.sentences[place] if span is None and said.english else ():
            inside = placing.turned(sentence, source.statements)
            if inside is not None:
                span = (start + inside[0], start + inside[1])
                break
        if span is not None:
            why = "the source says the opposite"
            yield at(Check.DIRECTION, Severity.WARNING, why, place, section.text, span)


def _renderings(said: Said, source: Source) -> Iterator[Finding]:
    tables = terms.glossary().get(said.language)
    if tables is None:
        return
    plain = source.text.lower().replace("-", " ")
    for term, wrong in tables["forbidden"].items():
        for rendering in wrong:
            if rendering not in said.text or term.replace("-", " ") not in plain:
                continue
            for place, section in enumerate(said.sections):
                start = section.text.find(rendering)
                if start >= 0:
                    why = f"{term!r} is not said so in this language"
                    span = (start, start + len(rendering))
                    yield at(Check.RENDERING, Severity.WARNING, why, place, section.text, span)


def _dropped_result(said: Said, source: Source, *, excerpt: bool) -> Iterator[Finding]:
    if not has_measure(source.abstract) or (not excerpt and _keeps_a_result(said, source)):
        return
    results = result_sentences(source.sentences)
    if excerpt:
        if results and not any(sentence in said.text for sentence in results):
            yield _without(results[0])
        return
    stated = [number for sentence in results for number in numbers.find(sentence)]
    figures = [number for number in stated if number.unit or "." in number.text] or stated
    kept = numbers.Known(said.text)
    if figures and not any(number in kept for number in figures):
        yield _without(results[0])


def _keeps_a_result(said: Said, source: Source) -> bool:
    """Tell, without taking the source apart, whether a figure stands there in a sentence with a result: most do."""
    text = source.text
    for number in (number for found in said.numbers for number in found):
        if number.unit or "." in number.text:
            for start in source.numbers.literally(number):
                if states_result(text[text.rfind(". ", 0, start) + 1 : text.find(". ", start) + 1 or None]):
                    return True
    return False


def _without(result: str) -> Finding:
    why = f"the source's result is left out: {result}"
    return Finding(check=Check.RESULT, severity=Severity.WARNING, why=why)
