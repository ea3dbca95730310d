"""Issues in our own words, and ways to read a letter."""

from __future__ import annotations

import html as markup
import re
from datetime import date
from html.parser import HTMLParser

from newsletter.models.issues import Entry, Issue
from newsletter.models.papers import Paper, Section, Summary, SummaryOrigin
from newsletter.templating.issue import Design, render

DESIGN = Design(
    name="Daily Papers", postal_address="Daily Papers, 12 Example Street, Springfield", issue_number=144
)
_FLUID = re.compile("<style[^>]*>[^<]*mj-full-width-mobile[^<]*</style>")
VALUES = {"unsubscribe_url": "https://example.org/u/KEY/1?from=letter&to=x", "address": "reader@example.org"}


def entry(rank: int, title: str, **changes: object) -> Entry:
    """Return an entry; changes name fields of the paper, or ``sections``, ``origin``, ``lead``, ``language``."""
    sections = changes.pop("sections", {"What's New": f"Paper {rank} says something new. It says more, too."})
    assert isinstance(sections, dict)
    fields: dict[str, object] = {
        "id": f"2409.{rank:05}",
        "url": f"https://arxiv.org/abs/2409.{rank:05}",
        "votes": max(1, 60 - rank),
        "authors": ("Mara Ellison", "Jun-ho Baek"),
    }
    summary = Summary(
        origin=changes.pop("origin", SummaryOrigin.DIGEST),  # type: ignore[arg-type]
        sections=tuple(Section(heading=heading.strip("*"), text=text) for heading, text in sections.items()),
        lead=str(changes.pop("lead", "")),
        language=str(changes.pop("language", "en")),
    )
    return Entry(rank=rank, paper=Paper(title=title, **(fields | changes)), summary=summary)  # type: ignore[arg-type]


def issue_of(
    *entries: Entry, language: str = "en", collected: int = 0, source_url: str | None = None
) -> Issue:
    """Return an issue of Saturday, 14 September 2024."""
    return Issue(
        edition="daily",
        day=date(2024, 9, 14),
        language=language,
        entries=entries,
        collected=max(collected, len(entries)),
        source_url=source_url,
    )


def many(count: int, *, source_url: str | None = "https://example.org/day") -> Issue:
    """Return an issue of ``count`` papers, three sections each."""
    told = {
        "What's New": "A gate decides which lines of a shared memory stay, and an agent reads only those. "
        * 2,
        "Technical Details": "The gate has 41 million parameters and stands outside the model. " * 3,
        "Performance Highlights": "On 300 tasks success rises from 38.2 to 51.7 percent.",
    }
    entries = (
        entry(rank, f"Method{rank}: A Way to Do What {rank} Others Did Before", sections=told)
        for rank in range(1, count + 1)
    )
    return issue_of(*entries, source_url=source_url)


def sample(language: str = "en") -> Issue:
    """Return the issue of the golden files: a lead, a digest, an excerpt, bullets, a bare title."""
    lead = entry(
        1,
        "TidalCache: Shared Working Memory for Language Agents That Forget Less",
        votes=1022,
        authors=("Mara Ellison", "Jun-ho Baek", "Ana Ruiz", "Bo Li", "Ines Sol", "Wei Chen"),
        image="https://pictures.example.org/tidal.png",
        keywords=("Agents", "Memory"),
        code_url="https://example.org/tidal/code",
        project_url="javascript:alert(1)",
        organization="Tidal Lab",
        sections={
            "What's New": "Agents that run for hours lose the thread. A small shared memory rises with the task.",
            "Technical Details": "A learned gate scores each line by how often later steps quote it.",
            "Performance Highlights": "On 300 tasks success rises from 38.2 to 51.7 percent at 0.6 times the tokens.",
        },
    )
    korean = entry(
        2,
        "Patchwork Priors: Few-Shot Segmentation without a Support Set",
        votes=311,
        language="ko",
        sections={
            "What's New": "이미 아는 범주의 사전 지식을 이어 붙여, 글로 된 이름만으로 새 범주를 나눕니다.",
            "Limitations": "가는 구조는 여전히 놓칩니다.",
        },
    )
    excerpt = entry(
        3,
        "Gated Echo Attention for Long Songs & <Short> Ones",
        votes=8,
        origin=SummaryOrigin.EXTRACT,
        sections={"WHAT’S NEW": "We hear an echo. It is gated."},
        lead="An echo is heard and gated.",
    )
    bullets = entry(
        4, "Slow Readers", votes=None, authors=(), sections={"": "One thing is said.", "*": "Then another."}
    )
    bare = entry(5, "On [Brackets] and $O(n^2)$", votes=0, origin=SummaryOrigin.TITLE, sections={})
    return issue_of(
        lead,
        korean,
        excerpt,
        bullets,
        bare,
        language=language,
        collected=23,
        source_url="https://example.org/day",
    )


def same(html: str) -> str:
    """Return HTML without what no reader sees: how a character is written, spaces, rules for images we lack."""
    return " ".join(markup.unescape(_FLUID.sub("", html)).split())


def html_of(issue: Issue, design: Design = DESIGN) -> str:
    """Render an issue and return its HTML."""
    return render(issue, design).html


class Page(HTMLParser):
    """What a reader gets of HTML: its text on one line, its links, its tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.pieces: list[str] = []
        self.links: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._hidden = 0
        self.feed(html)
        self.close()

    @property
    def text(self) -> str:
        """All text, its white space as single spaces."""
        return " ".join("".join(self.pieces).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._hidden += tag in {"style", "title"}
        if tag == "a":
            self.links.append(dict(attrs).get("href") or "")
        if tag in {"p", "td", "h1", "h2", "div"}:
            self.pieces.append(" ")

    def handle_endtag(self, tag: str) -> None:
        self._hidden -= tag in {"style", "title"}

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.pieces.append(data)
