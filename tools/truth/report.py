"""The figures of `make truth`, as the page docs/truth.md has them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from newsletter.ingestion.files import read_file
from newsletter.summaries import sentences
from newsletter.summaries.audit import audit
from newsletter.summaries.kinds import kind_of
from newsletter.summaries.latex import to_text
from tools.truth import excerpting, pairs
from tools.truth.measure import Measured, measure
from tools.truth.pairs import Corpus

KINDS = Path(__file__).with_name("kinds.json")


def model_day() -> Iterator[str]:
    """Yield what the checks say of the day that is the model of an issue, where its recording is at hand."""
    name = "2024-09-12"
    digest, answer = pairs.SHARED / "digests" / f"{name}.md", pairs.SHARED / "huggingface" / f"{name}.json"
    if not digest.exists() or not answer.exists():
        return
    yield f"### The digest of {name} against the recorded answer of that day\n"
    for entry in audit(read_file(digest).papers, read_file(answer).papers):
        found = ", ".join(dict.fromkeys(finding.check.value for finding in entry.errors))
        if found or entry.paper.title.startswith(("PingPong", "Agent Workflow")):
            yield f"- {entry.paper.title.partition(':')[0]}: {entry.status.value}{f' ({found})' if found else ''}"
    yield ""


def figures(known: Corpus) -> Iterator[str]:
    """Yield the lines of one corpus: the excerpts, then every set of true pairs with its faults."""
    yield from _excerpts(known)
    yield from _kinds(known)
    sets = {
        "Korean digests": pairs.korean(known),
        "English short summaries": pairs.short_summaries(known),
        "Excerpts, taken for summaries that a model made of the abstract alone": pairs.excerpts(
            known, told=False
        ),
        "Excerpts": pairs.excerpts(known, told=True),
    }
    for name, found in sets.items():
        if found:
            yield from _pairs(measure(name, found))


def _excerpts(known: Corpus) -> Iterator[str]:
    kept = excerpting.excerpted(known)
    yield f"### The extractive summariser, {kept.abstracts:,} abstracts\n"
    yield "| figure | measured | at least |"
    yield "| --- | ---: | ---: |"
    yield f"| every sentence the cleaned source's own | {'yes' if kept.own_sentences else 'NO'} | yes |"
    bounds = {"What's New": 0.99, "Technical Details": 0.85, "Performance Highlights": 0.89}
    for heading, bound in bounds.items():
        yield f"| abstracts with {heading} | {kept.sections[heading]:.3f} | {bound:.2f} |"
    for half in ("held-out", "tuned", "added"):
        found = excerpting.sorted_right(known, half)
        if found is not None:
            of = f"{found.sentences:,} labelled sentences of {found.papers} abstracts, {half}"
            yield f"| in the right section: {of} | {found.right / found.sentences:.3f} | 0.85 |"
            yield f"| of those that an excerpt shows ({found.shown:,}) | {found.shown_right / found.shown:.3f} | |"
    yield f"| the name kept ({kept.named:,} abstracts hold it) | {kept.names:.3f} | 0.98 |"
    yield f"| numbers kept | {kept.numbers:.3f} | 0.85 |"
    yield f"| words kept, in the median | {kept.words:.3f} | (at most) 0.60 |\n"


def _kinds(known: Corpus) -> Iterator[str]:
    labels = json.loads(KINDS.read_text(encoding="utf-8"))
    read = [paper for paper in known.papers if paper.id in labels]
    if not read:
        return
    told = [(labels[paper.id], kind_of(to_text(paper.title), _said(paper.abstract))) for paper in read]
    given = [(label, kind.value) for label, kind in told if kind is not None]
    right = sum(label == kind for label, kind in given)
    yield (
        f"The kind of paper is told of {len(given)} of {len(read)} that were labelled by reading, and is right "
        f"{right} times ({right / len(given):.2f}).\n"
    )


def _said(abstract: str) -> list[str]:
    return sentences.split(to_text(abstract))


def _pairs(measured: Measured) -> Iterator[str]:
    yield f"### {measured.name}: {measured.pairs:,} true pairs\n"
    yield "| fault put in | tried | caught | as an error |"
    yield "| --- | ---: | ---: | ---: |"
    for fault in measured.faults:
        found, as_error = fault.found / fault.tried, fault.as_error / fault.tried
        yield f"| {fault.fault} | {fault.tried:,} | {found:.3f} | {as_error:.3f} |"
    alarms = _alarms(measured)
    yield f"\nOf the true pairs {measured.flagged / measured.pairs:.3f} have an error. By check: {alarms}.\n"


def _alarms(measured: Measured) -> str:
    counted = sorted(measured.alarms.items(), key=lambda item: (item[0][1], -item[1]))
    return (
        ", ".join(
            f"{check} {count / measured.pairs:.3f} ({severity})" for (check, severity), count in counted
        )
        or "none"
    )


def page(own: Sequence[str], shared: Sequence[str]) -> str:
    """Return docs/truth.md of both figures."""
    parts = [_HEAD, "## On the project's own samples\n", *own, SHARED_HEADING, *shared]
    return "\n".join(parts).rstrip() + "\n"


SHARED_HEADING = "## On recorded papers and digests\n"
_HEAD = """# How far the checks can be trusted

Made by `make truth`, which puts seeded faults into summaries that are true and counts what the checks find. "Caught"
is any finding that was not there before the fault; the share of true pairs that a check flags is its false alarm rate.
A number that only the abstract lacks is a warning (digests rest on full papers), against the exact text that a model
was given it is an error. Errors keep a summary from being sent.

The labels of sentences and kinds were made by reading, sentence by sentence, before anything was tuned on them; half of
the first 300 abstracts were held out, and 160 more were added for tuning. A second, independent reading of 48 abstracts
agreed on 98.9 % of the sentences. Summaries that speak of another paper altogether were found by reading the flagged
ones, and are left out of the true pairs (`tools/truth/wrong.txt`).
"""
