"""A summary of the paper's own sentences, without a model, a key or a network.

Each sentence of the abstract gets a weight for every part (background, what is new, technique, results, end)
from its phrases and its place; the likeliest order of parts is decoded over the whole abstract (Viterbi), and
the strongest sentences of the three parts that readers want are kept, in their order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from newsletter.errors import SummaryError
from newsletter.models.papers import Paper, Section, Summary, SummaryOrigin
from newsletter.scripts import language_of
from newsletter.summaries import sentences
from newsletter.summaries.abstracts import Sentence, decode, read_sentences
from newsletter.summaries.cues import Part
from newsletter.summaries.latex import to_text

HEADINGS = {
    Part.NEW: "What's New",
    Part.TECHNICAL: "Technical Details",
    Part.PERFORMANCE: "Performance Highlights",
}
_SHARE = 0.66  # of the abstract that a summary fills
_SHARE_OF_NAMED = 0.9  # that they may take with one that has the paper's name
_SHARE_OF_FIRST = 0.8  # that the first sentences of all sections together may take
_MOST_CHARACTERS = 1400  # about 200 words: more is no summary
_LONGEST_SENTENCE = 2_500  # characters; no abstract has a longer one, but a broken feed may
_MOST_SENTENCES = 60  # a feed may hold whole articles: what is new stands at the beginning
_HOLE = "\ue002"  # a private-use character: stands for a macro of the paper's own
_LEAST_CUES = {Part.NEW: 1.0, Part.TECHNICAL: 0.5, Part.PERFORMANCE: 1.8}  # else a section is left out
_CLEARLY_TECHNICAL = 1.5
_MOST_FIGURES = 4  # that count for a sentence
_PENALTY_OF_LEANING = 2.5


class ExtractiveSummarizer:
    """Excerpts the abstract: What's New, Technical Details, Performance Highlights, whichever it has."""

    def summarize(self, paper: Paper, language: str) -> Summary:  # noqa: ARG002 - it cannot translate
        """Return sentences of the abstract, cleaned of LaTeX, in the abstract's own language.

        A section is left out where no sentence is fit for it. Raise `SummaryError` if there is no abstract.
        """
        text = to_text(paper.abstract, hole=_HOLE)
        said = _said(text)
        if not any(character.isalpha() for character in "".join(said)):
            raise SummaryError("no abstract to take sentences from", subject=f"paper {paper.id}")
        read = read_sentences(said, paper.title)
        picked = _pick(read, decode(read))
        sections = tuple(
            Section(heading=heading, text=" ".join(read[index].text for index in sorted(picked[part])))
            for part, heading in HEADINGS.items()
            if picked[part]
        )
        lead = read[picked[Part.NEW][0]].text
        return Summary(origin=SummaryOrigin.EXTRACT, sections=sections, lead=lead, language=language_of(text))


def _said(text: str) -> list[str]:
    """Return the sentences of a text that can be shown: not endless, without a macro that nobody can read."""
    every = sentences.split(text)
    return [each for each in every if len(each) <= _LONGEST_SENTENCE and _HOLE not in each][:_MOST_SENTENCES]


def labelled(paper: Paper) -> list[tuple[str, Part, bool]]:
    """Return every sentence of an abstract with the part it was taken for, and whether an excerpt shows it there."""
    said = _said(to_text(paper.abstract, hole=_HOLE))
    read = read_sentences(said, paper.title)
    parts = decode(read)
    shown = {index: part for part, indexes in _pick(read, parts).items() for index in indexes}
    return [(text, shown.get(index, parts[index]), index in shown) for index, text in enumerate(said)]


def _pick(read: Sequence[Sentence], parts: Sequence[Part]) -> dict[Part, list[int]]:
    """Return the places of the sentences to keep, by part, the strongest of each first."""
    total = sum(len(sentence.text) for sentence in read)
    free = _offers(read, parts)
    picked: dict[Part, list[int]] = {part: [] for part in HEADINGS}
    kept: set[int] = set()

    def worth(index: int, part: Part) -> float:
        leans = read[index].leans_back and index - 1 not in kept
        return _strength(read[index], part) - (_PENALTY_OF_LEANING if leans else 0)

    def keep_best(offered: Iterable[Part], allowed: float, *, named: bool = False) -> bool:
        room = allowed - sum(len(read[index].text) for index in kept)
        fitting = [
            (worth(index, part), -index, part)
            for part in offered
            for index in free[part]
            if index not in kept
            and (not kept or len(read[index].text) <= room)
            and (not named or read[index].is_named)
        ]
        if not fitting:
            return False
        _, place, part = max(fitting)
        picked[part].append(-place)
        kept.add(-place)
        return True

    for part in (Part.NEW, Part.PERFORMANCE, Part.TECHNICAL):
        keep_best([part], _SHARE_OF_FIRST * total)
    if not any(read[index].is_named for index in kept):
        if not any(read[index].is_named for indexes in free.values() for index in indexes):
            free[Part.NEW] += [
                index for index, part in enumerate(parts) if read[index].is_named and part is not Part.END
            ]
        for offered in ([Part.NEW], HEADINGS):
            if keep_best(offered, _SHARE_OF_NAMED * total, named=True):
                break
    while keep_best(HEADINGS, min(_SHARE * total, _MOST_CHARACTERS)):
        pass
    return picked


def _offers(read: Sequence[Sentence], parts: Sequence[Part]) -> dict[Part, list[int]]:
    """Return for each part the sentences that may stand for it; what is new is never without one."""
    places = range(len(read))
    offers = {
        part: [index for index in places if parts[index] is part and read[index].cues[part] >= least]
        for part, least in _LEAST_CUES.items()
    }
    if not offers[Part.NEW]:
        best = max(places, key=lambda index: _strength(read[index], Part.NEW))
        offers = {part: [index for index in offered if index != best] for part, offered in offers.items()}
        offers[Part.NEW] = [best]
    if not offers[Part.TECHNICAL]:  # some abstracts tell how it works before they say what it is, or after
        offers[Part.TECHNICAL] = [
            index for index in places if index not in offers[Part.NEW][:1] and _is_technical(read[index])
        ]
    return offers


def _is_technical(sentence: Sentence) -> bool:
    technical = sentence.cues[Part.TECHNICAL]
    return technical >= _CLEARLY_TECHNICAL and technical == max(sentence.cues)


def _strength(sentence: Sentence, part: Part) -> float:
    """Return how well a sentence stands for a part, and how little for the parts that are not shown."""
    figures = 2.0 * min(sentence.figures, _MOST_FIGURES) if part is not Part.NEW else 0.0
    return sentence.cues[part] + figures - 0.5 * max(sentence.cues[Part.BACKGROUND], sentence.cues[Part.END])
