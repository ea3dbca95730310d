"""What kind of paper it is, told by phrases of its title and of the sentences that say what is new."""

from __future__ import annotations

import re
from collections.abc import Sequence

from newsletter.models.papers import PaperKind

_INTRODUCED = (  # we introduce the first large, open ...
    r"(?:introduc|present|propos|releas|construct|develop|creat|build|curat|contribut|collect|design|establish"
    r"|open-sourc)\w*\s(?:(?!\b(?:that|which|for|to|with|by|on|using)\b)[\w’'-]+[\s,]+(?:\([^)]*\),?\s)?){0,7}?"
)
_PHRASES: dict[PaperKind, tuple[tuple[float, str], ...]] = {
    PaperKind.SURVEY: (
        (3.0, r"\b(?:this|our|the present|comprehensive) (?:survey|review)\b|\bwe (?:survey|review)\b"),
        (2.0, r"\bsystematic (?:survey|review|literature)\b|\bin this (?:survey|review)\b|\btaxonomy of\b"),
    ),
    PaperKind.BENCHMARK: (
        (3.0, _INTRODUCED + r"(?:benchmark|testbed|evaluation suite|leaderboard|arena)\b"),
        (2.0, r"\b(?:first|new|novel|comprehensive|large-scale) (?:[\w-]+ ){0,3}benchmark\b"),
        (2.0, r"\ba benchmark (?:for|that|of|to)\b"),
        (1.5, r"(?-i:\b[A-Z]\w{0,30}-?Bench\b)"),
    ),
    PaperKind.DATASET: (
        (3.0, _INTRODUCED + r"(?:dataset|corpus|data set|collection of)\b"),
        (2.0, r"\ba (?:[\w-]+ ){0,5}(?:dataset|corpus) (?:of|for|with|that|comprising|containing)\b"),
    ),
    PaperKind.SYSTEM: (
        (3.0, _INTRODUCED + r"(?:library|toolkit|toolbox|platform|codebase|package|infrastructure|software)\b"),
        (2.0, r"\bopen-source (?:[\w-]+ ){0,2}(?:library|toolkit|platform|package|tool|system|software)\b"),
        (2.0, r"\bdemo system\b"),
    ),
    PaperKind.MODEL: (
        (3.0, r"\btechnical report\b|\bopen-?weights?\b"),
        (3.0, r"\b(?:family|series|suite|collection) of (?:[\w-]+ ){0,4}models\b"),
        (2.5, _INTRODUCED + r"(?:foundation|language|vision|multimodal|reasoning|embedding|audio)[\w-]* models?\b"),
        (2.5, r"\ba (?:[\w.-]+ ){0,5}model (?:with|of) [\d.]{1,8} ?(?:B|M|billion|million)\b"),
        (2.5, r"\b\d{1,4}(?:\.\d{1,3})?B[- ](?:parameters?|model)"),
        (1.5, r"\bpre-?trained (?:on|from scratch)\b[^.]{0,60}\btokens\b"),
    ),
    PaperKind.THEORY: (
        (3.0, r"\bwe (?:prove|derive)\b|\btheoretical(?:ly)? (?:analysis|framework|study)\b"),
        (3.0, r"\bwe establish (?:that|the|a)? ?(?:[\w-]+ ){0,3}(?:bound|rate|guarantee)"),
        (2.0, r"\b(?:convergence rate|sample complexity|upper bound|lower bound|regret bound|theorem|provabl[ye])\b"),
    ),
    PaperKind.METHOD: (
        (2.5, _INTRODUCED + r"(?:method|framework|approach|algorithm|architecture|technique|strategy|paradigm)s?\b"),
        (2.5, _INTRODUCED + r"(?:pipeline|scheme|mechanism|objective|module|network|recipe)s?\b"),
        (1.0, r"\bour (?:method|approach|framework|algorithm|technique)\b"),
    ),
}  # fmt: skip
_TITLE = 3.0  # the weight of a word in the title
_TITLE_WORDS = {
    PaperKind.SURVEY: r"\bsurvey\b|\breview of\b|\ba review\b|\boverview of\b",
    PaperKind.BENCHMARK: r"\bbenchmark(?:ing)?\b|bench\b|\barena\b|\bevaluat(?:ing|ion)\b",
    PaperKind.DATASET: r"\bdataset\b|\bcorpus\b|\b\d+[MKB] (?:images|pairs|samples)\b",
    PaperKind.SYSTEM: r"\blibrary\b|\btoolkit\b|\bplatform\b|\bopen-source (?:framework|system|tool)\b",
    PaperKind.MODEL: r"\btechnical report\b|\bfoundation models?\b(?! for)|\bopen (?:\w+ ){0,2}models?\b",
    PaperKind.THEORY: r"\btheory of (?!mind)|\btheoretical\b|\bbounds?\b|\bconvergence of\b",
}
_ELSEWHERE = 0.4
_INTRODUCES = re.compile(
    r"\b(?:we|this (?:paper|work|report|study|survey|article)|here we)\b.{0,80}?"
    r"\b(?:introduc|propos|present|releas|develop|construct|creat|build|describ|survey|review|prove|stud(?:y|ies)|investigat)",
    re.IGNORECASE,
)
_PROPOSES = re.compile(r"\b(?:propose|design|develop)s? ", re.IGNORECASE)  # said of methods most of all
_PRESENTS = re.compile(r"\b(?:introduce|present)s? ", re.IGNORECASE)
_LEAST = 3.0  # the weight of a kind that is told
_LEAST_LEAD = 0.5  # over the next one
_COMPILED = {
    kind: tuple((weight, re.compile(pattern, re.IGNORECASE)) for weight, pattern in phrases)
    for kind, phrases in _PHRASES.items()
}
_IN_TITLE = {kind: re.compile(pattern, re.IGNORECASE) for kind, pattern in _TITLE_WORDS.items()}


def kind_of(title: str, abstract: Sequence[str]) -> PaperKind | None:
    """Return the kind of a paper by its title and its abstract's sentences; None when unsure.

    The sentence that introduces the paper's own thing counts in full, the others by half: many a method comes
    with a dataset.
    """
    first = next((text for text in abstract if _INTRODUCES.search(text)), "")
    rest = " ".join(text for text in abstract if text is not first)
    weights = {
        kind: _TITLE * (kind in _IN_TITLE and _IN_TITLE[kind].search(title) is not None)
        + sum(
            weight if pattern.search(first) else weight * _ELSEWHERE if pattern.search(rest) else 0.0
            for weight, pattern in phrases
        )
        for kind, phrases in _COMPILED.items()
    }
    weights[PaperKind.METHOD] += 3.0 if _PROPOSES.search(first) else 1.5 if _PRESENTS.search(first) else 0.0
    best, second = sorted(weights, key=lambda kind: weights[kind], reverse=True)[:2]
    if weights[best] < _LEAST or weights[best] - weights[second] < _LEAST_LEAD:
        return None
    return best
