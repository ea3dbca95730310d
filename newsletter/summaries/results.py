"""The sentences of an abstract that state a result with a number, and the one that is its main result."""

from __future__ import annotations

import re
from collections.abc import Sequence

_MEASURE = re.compile(  # a measured figure: 12%, 4x, by 2.6; not the 3.1 of a model's name
    r"\d\s?(?:%|×|x\b|points?\b|times\b|percent|fps\b)|\b(?:by|of|to|from|than|and|at|only|is)\s\d+\.\d",
    re.IGNORECASE,
)
_OF_RESULTS = re.compile(
    r"\b(?:outperform|surpass|exceed|achiev|attain|reach|improv|increas|reduc|decreas|boost|gain|speed.?up|faster|accura|score"
    r"|result|show|demonstrat|find|experiment|evaluat|state.of.the.art|lower|higher|better|rais|cut|sav|yield|rate|performance)",
    re.IGNORECASE,
)
_COMPARES = re.compile(
    r"\b(?:outperform|surpass|exceed|improv|achiev|reduc|faster|speed.?up|state.of.the.art|attain|reach)",
    re.IGNORECASE,
)
_STATES = re.compile(r"\b(?:results?|experiments?|show|demonstrate|find|evaluat)", re.IGNORECASE)


def has_measure(sentence: str) -> bool:
    """Tell whether a sentence has a measured figure."""
    return _MEASURE.search(sentence) is not None


def states_result(sentence: str) -> bool:
    """Tell whether a sentence states a result with a number."""
    return has_measure(sentence) and _OF_RESULTS.search(sentence) is not None


def result_sentences(sentences: Sequence[str]) -> list[str]:
    """Return the sentences that state a result with a number."""
    return list(filter(states_result, sentences))


def main_result(sentences: Sequence[str]) -> str:
    """Return the sentence with the paper's main result and its number, empty if there is none."""
    found = result_sentences(sentences)
    return max(found, key=_weight) if found else ""  # of equals the first


def _weight(sentence: str) -> float:
    measures = min(len(_MEASURE.findall(sentence)), 3)
    return measures + 1.5 * bool(_COMPARES.search(sentence)) + 0.5 * bool(_STATES.search(sentence))
