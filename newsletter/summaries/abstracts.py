"""Reading an abstract: what each of its sentences gives away, and the part that each most likely is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from newsletter.summaries.cues import CUES, PLACES, TURNS, Part
from newsletter.summaries.latex import to_text
from newsletter.summaries.names import title_name
from newsletter.summaries.numbers import squeeze
from newsletter.summaries.results import has_measure

_LONGEST_PHRASE = 3  # words

_WORD = re.compile(r"[\w'’+-]+|[%×]")

_FIGURE = re.compile(r"(?<![\w-])\d[\d.,]*")
_BEGINS = 2.5  # the weight for what is new from which the background may be over
_INTRODUCES = 3.0  # the weight for what is new from which a sentence says what the paper is
_INTRODUCES_MORE = 2.5
_EARLY = 1.0
_LAST = 1.0  # for the end, of the last sentence if it has no result
_WITHOUT_RESULT = 0.6  # of the weight for results that a sentence keeps which tells of none
_OF_ITS_OWN = re.compile(
    r"\b(?:[Tt]he first|benchmark|dataset)\b"
    r"|\b(?:introduc|propos|present|construct|develop|build|releas|creat|launch)(?:e|es|ing)?(?:\s[a-z]+)*\s[A-Z]\w*[A-Z0-9]"
)
_GOES_ON = re.compile(
    r"(?:furthermore|moreover|additionally|in addition|besides|next|then|finally|lastly|to further|building on"
    r"|we (?:also|further|additionally|then))\b",
    re.IGNORECASE,
)
_EXPLAINS = re.compile(r"(?:this|these|such|it|by)\b", re.IGNORECASE)  # it goes on about the sentence before
_CONTRAST = re.compile(
    r"(?:however|yet|although|while|unlike|existing|current|recent|despite)\b", re.IGNORECASE
)
_LEANS_BACK = re.compile(
    r"""(?:this|these|those|it|its|they|such|both|the\ (?:second|third|former|latter)|additionally|furthermore
      |moreover|besides|also|however|second(?:ly)?|third(?:ly)?|finally|then|next|lastly|thus|therefore
      |consequently|nevertheless|as\ a\ result|in\ addition|in\ contrast|by\ contrast
      |for\ (?:example|instance)|\(?(?:2|3|ii|iii)\))\b""",
    re.IGNORECASE | re.VERBOSE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence and what it gives away. ``cues`` are weights by part."""

    text: str
    cues: tuple[float, ...]  # by part
    leans_back: bool  # it speaks of the sentence before
    figures: int
    is_named: bool  # it has the name of what the paper introduces


def read_sentences(texts: Sequence[str], title: str) -> list[Sentence]:
    """Return the sentences with their cues; ``title`` tells the paper's name."""
    name = squeeze(title_name(to_text(title)))
    read: list[Sentence] = []
    begun = introduced = named = False
    for number, text in enumerate(texts, 1):
        cues = _cues(text)
        if number == len(texts) and not has_measure(text):
            cues[Part.END] += _LAST
        if introduced:
            _after_introduction(text, cues)
        elif not begun:
            cues[Part.TECHNICAL] -= _EARLY
            if _CONTRAST.match(text):
                cues[Part.BACKGROUND] += 1.0
        is_named = bool(name) and name in squeeze(text)
        if is_named:
            cues[Part.BACKGROUND] -= 2.0
            if not named:
                cues[Part.NEW] += 1.5  # where the paper's name is first said
            elif introduced and squeeze(text).startswith(name):
                cues[Part.TECHNICAL] += 0.8
            named = True
        begun = begun or cues[Part.NEW] >= _BEGINS
        introduced = introduced or cues[Part.NEW] >= _INTRODUCES
        read.append(
            Sentence(
                text,
                tuple(cues),
                leans_back=_LEANS_BACK.match(text) is not None,
                figures=len(_FIGURE.findall(text)),
                is_named=is_named,
            )
        )
    return read


def _after_introduction(text: str, cues: list[float]) -> None:
    """Weigh a sentence after the one that said what the paper is.

    What is introduced now is a part of it, unless it has a name of its own.
    """
    if cues[Part.NEW] >= _INTRODUCES_MORE:
        if _OF_ITS_OWN.search(text):
            cues[Part.NEW] += 1.0
            cues[Part.TECHNICAL] *= 0.6
        else:
            cues[Part.NEW] -= 2.5
            cues[Part.TECHNICAL] += 2.0
    if _GOES_ON.match(text):
        cues[Part.TECHNICAL] += 1.0


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
    if has_measure(text):
        cues[Part.PERFORMANCE] += 2.0
    elif not any(
        weight >= 3.0 and part is Part.PERFORMANCE for phrase in found for part, weight in CUES[phrase]
    ):
        cues[Part.PERFORMANCE] *= _WITHOUT_RESULT * (0.5 if _EXPLAINS.match(text) else 1.0)
    return cues


def decode(read: Sequence[Sentence]) -> list[Part]:
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
