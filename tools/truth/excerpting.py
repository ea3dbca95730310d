"""Measures the excerpts: sections found, sentences in the right one, names and numbers kept, words kept."""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from newsletter.errors import SummaryError
from newsletter.models.papers import Summary
from newsletter.summaries import names, numbers, sentences
from newsletter.summaries.extractive import HEADINGS, ExtractiveSummarizer, labelled
from newsletter.summaries.latex import to_text
from tools.truth.pairs import Corpus

LABELS = Path(__file__).with_name("labels.json")
_ADDRESS = re.compile(r"https?://\S+")
_LETTERS = "BNTPE"  # in the order of `cues.Part`


@dataclass(frozen=True, slots=True, kw_only=True)
class Sorted:
    """How many labelled sentences went into the right section: all, and those that an excerpt shows."""

    half: str
    papers: int
    sentences: int
    right: int
    shown: int
    shown_right: int
    confused: Counter[str]  # "TP": labelled technical, taken for performance


@dataclass(frozen=True, slots=True, kw_only=True)
class Excerpted:
    """What excerpts keep, as shares."""

    abstracts: int
    sections: dict[str, float]
    own_sentences: bool
    names: float
    named: int
    numbers: float
    words: float  # in the median


def excerpted(known: Corpus) -> Excerpted:
    """Measure the excerpts of all abstracts."""
    summarizer = ExtractiveSummarizer()
    found: Counter[str] = Counter()
    own, held, kept, figures, figures_kept = True, 0, 0, 0, 0
    shares: list[float] = []
    papers = [paper for paper in known.papers if paper.abstract]
    for paper in papers:
        text = to_text(paper.abstract)
        try:
            summary = summarizer.summarize(paper, "en")
        except SummaryError:
            continue
        found.update(section.heading for section in summary.sections)
        own &= is_made_of_own(summary, text)
        said = " ".join(section.text for section in summary.sections)
        shares.append(len(said.split()) / len(text.split()))
        name = names.title_name(to_text(paper.title))
        if name and numbers.squeeze(name) in numbers.squeeze(_ADDRESS.sub("", text)):
            held += 1
            kept += numbers.squeeze(name) in numbers.squeeze(said)
        there, here = _figures(text), _figures(said)
        figures += there.total()
        figures_kept += (there & here).total()
    return Excerpted(
        abstracts=len(papers),
        sections={heading: found[heading] / len(papers) for heading in HEADINGS.values()},
        own_sentences=own,
        names=kept / held if held else 1.0,
        named=held,
        numbers=figures_kept / figures if figures else 1.0,
        words=median(shares),
    )


def is_made_of_own(summary: Summary, text: str) -> bool:
    """Tell whether every sentence of an excerpt is a part of the cleaned source."""
    return all(
        sentence in text for section in summary.sections for sentence in sentences.split(section.text)
    ) or all(_walks(section.text, sentences.split(text)) for section in summary.sections)


def _walks(text: str, own: Sequence[str]) -> bool:
    reached = {0}
    for sentence in own:
        reached |= {at + len(sentence) + 1 for at in reached if text.startswith(sentence, at)}
    return len(text) + 1 in reached


def _figures(text: str) -> Counter[float]:
    return Counter(each.value for each in numbers.find(text) if each.form is numbers.Form.DIGITS)


def sorted_right(known: Corpus, half: str) -> Sorted | None:
    """Compare the sections of sentences with their labels; None where the labelled papers are not at hand."""
    labels = json.loads(LABELS.read_text(encoding="utf-8"))
    total = right = shown = shown_right = papers = 0
    confused: Counter[str] = Counter()
    for paper in known.papers:
        record = labels.get(paper.id)
        if record is None or record["half"] != half:
            continue
        papers += 1
        wanted = {each[:6]: each[6] for each in record["labels"].split()}
        for text, part, is_shown in labelled(paper):
            letter = wanted.get(fingerprint(text))
            if letter is None:
                continue
            taken = _LETTERS[part]
            total += 1
            right += taken == letter
            shown += is_shown
            shown_right += is_shown and taken == letter
            confused[letter + taken] += taken != letter
    if not papers:
        return None
    return Sorted(
        half=half, papers=papers, sentences=total, right=right, shown=shown, shown_right=shown_right,
        confused=+confused,
    )  # fmt: skip


def fingerprint(sentence: str) -> str:
    """Return what a sentence is known by in the labels, whatever its white space."""
    return hashlib.sha256("".join(sentence.split()).encode()).hexdigest()[:6]
