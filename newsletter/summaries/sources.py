"""The text that summaries are held to: a paper's, read once for all checks, and those of its day."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property

from newsletter.models.papers import Paper
from newsletter.summaries import directions, numbers, placing, sentences, terms
from newsletter.summaries.latex import to_text
from newsletter.summaries.names import squeezed_name, title_name

MOST_OTHERS = 60  # sources that a summary is compared with
_SHORTEST_NAME = 5
_MOST_READ = 40_000  # characters of an abstract: a feed may hold whole articles


class Source:
    """A paper's title and abstract, cleaned of LaTeX."""

    def __init__(self, paper: Paper) -> None:
        self.paper = paper
        self.title = to_text(paper.title)
        self.abstract = to_text(paper.abstract[:_MOST_READ])
        self.text = f"{self.title}. {self.abstract}"

    @cached_property
    def terms(self) -> set[str]:
        """The terms of title and abstract."""
        return terms.keys(self.text)

    @cached_property
    def squeezed(self) -> str:
        """The text in which names are looked for."""
        return numbers.squeeze(self.text)

    @cached_property
    def name(self) -> str:
        """The name in the title, squeezed, if it looks coined and is not too short to be one by accident."""
        name = squeezed_name(self.title)
        return name if len(name) >= _SHORTEST_NAME else ""

    @cached_property
    def numbers(self) -> numbers.Known:
        """What a summary may say of numbers."""
        return numbers.Known(self.text)

    @cached_property
    def directions(self) -> directions.Ways:
        """Which ways the text goes."""
        return directions.ways(self.text)

    @cached_property
    def sentences(self) -> list[str]:
        """The abstract's sentences."""
        return sentences.split(self.abstract)

    @cached_property
    def statements(self) -> list[placing.Statement]:
        """What each of the abstract's sentences speaks of, and the ways it goes."""
        return [placing.statement(sentence) for sentence in self.sentences]


class Day:
    """The sources of a day, among which a summary may fit another one better."""

    def __init__(self, papers: Iterable[Paper]) -> None:
        self._sources: dict[str, Source] = {}
        for paper in papers:
            known = self._sources.get(paper.id)
            if known is None or len(paper.abstract) > len(known.paper.abstract):
                self._sources[paper.id] = Source(paper)
        self._places: dict[str, int] | None = None  # term -> the sources that have it, as bits

    def source(self, paper_id: str) -> Source | None:
        """Return a paper's source, None if it is not of this day."""
        return self._sources.get(paper_id)

    def add(self, paper: Paper) -> Source:
        """Take in another paper."""
        self._places = None
        self._sources[paper.id] = Source(paper)
        return self._sources[paper.id]

    def names_another(self, text: str, own: Source) -> str | None:
        """Return the name of another paper of the day that a text speaks of, while it does not name its own."""
        squeezed, own_name = numbers.squeeze(text), numbers.squeeze(title_name(own.title))
        if not own_name or own_name in squeezed:
            return None
        for source in self._sources.values():
            if (
                source.name
                and source is not own
                and source.name in squeezed
                and source.name not in own.squeezed
            ):
                return title_name(source.title)
        return None

    def best_other(self, said: Sequence[terms.Mention], own: Source) -> float | None:
        """Return the best support (0 to 1) that any other source gives, None if there is no other.

        Among very many sources one fits by accident: then nothing is said.
        """
        sources = [source for source in self._sources.values() if source.abstract]
        if len(sources) > MOST_OTHERS or not any(source is not own for source in sources):
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
