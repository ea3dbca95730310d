"""The HTML of a letter as lint sees it: what is wrong in it, where it leads, and what it says."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

from newsletter.templating.lint.address import shown
from newsletter.templating.lint.findings import Finding
from newsletter.templating.lint.reader import Link, Reader
from newsletter.templating.lint.rules import Rule

MOST_BYTES = 102_000  # where Gmail cuts
_MOST_READ = 4 * MOST_BYTES  # characters; nothing beyond them would be shown to anybody
_MOST_UNCLOSED = (
    50  # tags and comments without an end, each of which the parser looks for to the end of the letter
)

_UNCLOSED = re.compile(r"<[A-Za-z/!?][^<>]*(?=<|\Z)")


@dataclass(slots=True, kw_only=True)
class Page:
    """What one pass over the HTML found. Of one that is not ``readable`` only the findings count."""

    findings: list[Finding] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)
    text: str = ""
    preheader: str = ""
    language: str = ""
    readable: bool = True


def read_html(html: str) -> Page:
    """Read HTML and judge what stands in it; no text makes this fail."""
    weight = len(html.encode("utf-8", "replace"))
    heavy = []
    if weight > MOST_BYTES:
        what = f"the HTML weighs {weight:,} bytes, more than {MOST_BYTES:,}"
        heavy = [Rule.HTML_WEIGHT.finding(what, "html")]
    if weight > _MOST_READ:
        html = html[:_MOST_READ]
    unclosed = max(sum(1 for _ in _UNCLOSED.finditer(html)), html.count("<!--") - html.count("-->"))
    if unclosed > _MOST_UNCLOSED:
        what = f"more than {_MOST_UNCLOSED} of its tags or comments have no end"
        return Page(findings=[*heavy, Rule.UNREADABLE_HTML.finding(what, "html")], readable=False)
    reader = Reader()
    reader.read(html)
    return Page(
        findings=[*heavy, *reader.findings(), *_duplicates(reader.links)], links=reader.links,
        text="".join(reader.text), preheader=reader.preheader(), language=reader.language or "",
    )  # fmt: skip


def _duplicates(links: list[Link]) -> Iterator[Finding]:
    """Find links that say the same and lead elsewhere, where no heading tells them apart."""
    alike: defaultdict[tuple[int | None, str], dict[str, Link]] = defaultdict(dict)
    for link in links:
        if link.name:
            said = f"{link.name} {link.title}" if link.title else link.name
            alike[link.heading, said.casefold()].setdefault(link.address.strip(), link)
    for by_address in alike.values():
        if len(by_address) > 1:
            second = list(by_address.values())[1]
            what = f'{len(by_address)} links say "{shown(second.name)}" and lead to different addresses'
            yield Rule.DUPLICATE_LINK_TEXT.finding(what, second.where)
