"""A summary of the paper's own sentences, without a model, a key or a network.

Each sentence of the abstract gets a weight for every part (background, what is new, technique, results, end)
from its phrases and its place; the likeliest order of parts is decoded over the whole abstract (Viterbi), and
the strongest sentences of the three parts that readers want are kept, in their order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.errors import SummaryError
from newsletter.models import Paper, Section, Summary, SummaryOrigin
from newsletter.summaries import sentences
from newsletter.summaries.cues import CUES, PLACES, TURNS, Part
from newsletter.summaries.latex import to_text

HEADINGS = {
    Part.NEW: "What's New",
    Part.TECHNICAL: "Technical Details",
    Part.PERFORMANCE: "Performance Highlights",
}
_SHARE = 0.62  # of the abstract that a summary fills
_SHARE_OF_FIRST = 0.8  # that the first sentences of all sections together may take
_MOST_CHARACTERS = 1400  # about 200 words: more is no summary
_LONGEST_SENTENCE = 2_500  # characters; no abstract has a longer one, but a broken feed may
_MOST_SENTENCES = 60  # a feed may hold whole articles: what is new stands at the beginning
_LONGEST_PHRASE = 3  # words
_LEAST_CUES = {Part.NEW: 1.0, Part.TECHNICAL: 0.5, Part.PERFORMANCE: 2.5}  # else a section is left out

_WORD = re.compile(r"[\w'’+-]+|[%×]")
_CLEARLY_TECHNICAL = 1.5

_MEASURE = re.compile(  # a measured figure: 12%, 4x, by 2.6; not the 3.1 of a model's name
    r"\d\s?(?:%|×|x\b|points?\b|times\b|percent|fps\b)|\b(?:by|of|to|from|than|and|at|only|is)\s\d+\.\d",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"(?<![\w-])\d[\d.,]*")
_MOST_FIGURES = 4  # that count for a sentence
_NAME = re.compile(r"[^:]{2,40}(?=:\s)")
_LEANS_BACK = re.compile(
    r"""(?:this|these|those|it|its|they|such|both|the\ (?:second|third|former|latter)|additionally|furthermore
      |moreover|besides|also|however|second(?:ly)?|third(?:ly)?|finally|then|next|lastly|thus|therefore
      |consequently|nevertheless|as\ a\ result|in\ addition|in\ contrast|by\ contrast
      |for\ (?:example|instance)|\(?(?:2|3|ii|iii)\))\b""",
    re.IGNORECASE | re.VERBOSE,
)
_PENALTY_OF_LEANING = 2.5


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    cues: tuple[float, ...]  # by part
    leans_back: bool  # it speaks of the sentence before
    figures: int


class ExtractiveSummarizer:
    """Excerpts the abstract: What's New, Technical Details, Performance Highlights, whichever it has."""

    def summarize(self, paper: Paper, language: str) -> Summary:  # noqa: ARG002 - it cannot translate
        """Return sentences of the abstract, cleaned of LaTeX, in the abstract's own language.

        A section is left out where no sentence is fit for it. Raise `SummaryError` if there is no abstract.
        """
        text = to_text(paper.abstract)
        said = [sentence for sentence in sentences.split(text) if len(sentence) <= _LONGEST_SENTENCE]
        if not any(character.isalpha() for character in "".join(said)):
            raise SummaryError("no abstract to take sentences from", subject=f"paper {paper.id}")
        read = _read(said[:_MOST_SENTENCES], paper.title)
        picked = _pick(read, _decode(read))
        sections = tuple(
            Section(heading=heading, text=" ".join(read[index].text for index in sorted(picked[part])))
            for part, heading in HEADINGS.items()
            if picked[part]
        )
        lead = to_text(paper.short_summary) or read[picked[Part.NEW][0]].text
        return Summary(
            origin=SummaryOrigin.EXTRACT, sections=sections, lead=lead, language=sentences.language_of(text)
        )


def _read(texts: Sequence[str], title: str) -> list[_Sentence]:
    match = _NAME.match(title)
    name = match[0].lower() if match else ""
    read: list[_Sentence] = []
    named = False
    for text in texts:
        cues = _cues(text)
        if name and name in text.lower():
            cues[Part.BACKGROUND] -= 2.0
            cues[Part.NEW] += 0.0 if named else 1.5  # where the paper's name is first said
            named = True
        read.append(_Sentence(text, tuple(cues), bool(_LEANS_BACK.match(text)), len(_FIGURE.findall(text))))
    return read


def _cues(text: str) -> list[float]:
    words = [word.lower() for word in _WORD.findall(text)]
    found = dict.fromkeys(  # each phrase counts once; in a fixed order, as sums of floats depend on it
        phrase
        for size in range(1, _LONGEST_PHRASE + 1)
        for phrase in map(" ".join, zip(*(words[shift:] for shift in range(size)), strict=False))
        if phrase in CUES
    )
    cues = [0.0] * len(Part)
    for phrase in found:
        for part, weight in CUES[phrase]:
            cues[part] += weight
    if _MEASURE.search(text):
        cues[Part.PERFORMANCE] += 2.0
    return cues


def _decode(read: Sequence[_Sentence]) -> list[Part]:
    """Return the likeliest part of every sentence, over all orders of parts (Viterbi)."""
    best: list[float] = list(TURNS[len(Part)])
    steps: list[list[Part]] = []  # for each sentence and part, the likeliest part before
    for index, sentence in enumerate(read):
        place = PLACES[index * len(PLACES) // len(read)]
        if index:
            ways = [[best[before] + TURNS[before][part] for before in Part] for part in Part]
            best = [max(way) for way in ways]
            steps.append([Part(way.index(max(way))) for way in ways])
        best = [best[part] + place[part] + sentence.cues[part] for part in Part]
    path = [Part(best.index(max(best)))]
    for step in reversed(steps):
        path.append(step[path[-1]])
    return path[::-1]


def _pick(read: Sequence[_Sentence], parts: Sequence[Part]) -> dict[Part, list[int]]:
    """Return the places of the sentences to keep, by part, the strongest of each first."""
    total = sum(len(sentence.text) for sentence in read)
    free = _offers(read, parts)
    picked: dict[Part, list[int]] = {part: [] for part in HEADINGS}
    kept: set[int] = set()

    def worth(index: int, part: Part) -> float:
        leans = read[index].leans_back and index - 1 not in kept
        return _strength(read[index], part) - (_PENALTY_OF_LEANING if leans else 0)

    def keep_best(offered: Sequence[Part], allowed: float) -> bool:
        room = allowed - sum(len(read[index].text) for index in kept)
        fitting = [
            (worth(index, part), -index, part)
            for part in offered
            for index in free[part]
            if index not in kept and (not kept or len(read[index].text) <= room)
        ]
        if not fitting:
            return False
        _, place, part = max(fitting)
        picked[part].append(-place)
        kept.add(-place)
        return True

    for part in (Part.NEW, Part.PERFORMANCE, Part.TECHNICAL):
        keep_best([part], _SHARE_OF_FIRST * total)
    while keep_best(list(HEADINGS), min(_SHARE * total, _MOST_CHARACTERS)):
        pass
    return picked


def _offers(read: Sequence[_Sentence], parts: Sequence[Part]) -> dict[Part, list[int]]:
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


def _is_technical(sentence: _Sentence) -> bool:
    technical = sentence.cues[Part.TECHNICAL]
    return technical >= _CLEARLY_TECHNICAL and technical == max(sentence.cues)


def _strength(sentence: _Sentence, part: Part) -> float:
    """Return how well a sentence stands for a part, and how little for the parts that are not shown."""
    figures = 0.8 * min(sentence.figures, _MOST_FIGURES) if part is not Part.NEW else 0.0
    return sentence.cues[part] + figures - 0.5 * max(sentence.cues[Part.BACKGROUND], sentence.cues[Part.END])
