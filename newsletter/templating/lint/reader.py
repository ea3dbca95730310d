"""One pass over the HTML of a letter with the standard library's parser, whatever it is fed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser

from newsletter.templating.lint.address import image_fault, link_fault, shown
from newsletter.templating.lint.findings import Finding
from newsletter.templating.lint.rules import Rule
from newsletter.templating.lint.style import Look, declarations, look_of, pixels
from newsletter.templating.tags import VOID

WIDEST = 640  # pixels

_ACTIVE = frozenset({"script", "form", "iframe", "frame", "object", "embed", "applet"})
_UNSEEN = frozenset({"head", "title", "style", "script", "template"})
_HEADINGS = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_VISIBLE = re.compile("[^\\s\u00ad\u034f\u115f\u1160\u200b-\u200f\u2060-\u2064\u2800\u3164\ufeff]")
_FILLER = re.compile("[\u00ad\u034f\u115f\u1160\u200b-\u200f\u2060-\u2064\u2800\u3164\ufeff]")
_OUTLOOK = re.compile(r"\[if[^\]]{0,200}\]>", re.IGNORECASE)
_LOOKED_AT = re.compile(r"<mj-|href|src|<script|<form|<iframe|\son", re.IGNORECASE)
_CSS_ADDRESS = re.compile(r"url\(\s*[\"']?([^\"')]{0,2000})", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class Link:
    """A link: where it leads, what it says, and the heading that tells it from others of the same text."""

    address: str
    where: str
    heading: int | None
    label: str = ""
    title: str = ""
    text: list[str] = field(default_factory=list)
    has_faulty_image: bool = False

    @property
    def name(self) -> str:
        """What a screen reader says."""
        said = self.label if _VISIBLE.search(self.label) else "".join(self.text)
        return " ".join((said if _VISIBLE.search(said) else self.title).split())


@dataclass(slots=True)
class _Open:
    tag: str
    look: Look
    unseen: bool
    silent: bool  # not read out: aria-hidden


class Reader(HTMLParser):
    """Collects findings and links; a conditional comment of Outlook's is read by a reader of its own."""

    def __init__(self, line: int = 1, column: int = 1, *, inside_comment: bool = False) -> None:
        super().__init__()
        self._inside_comment = inside_comment
        self._start = line, column
        self._findings: dict[tuple[Rule, str], Finding] = {}
        self._stack = [_Open("", Look(), unseen=False, silent=False)]
        self._count: Counter[str] = Counter()
        self.links: list[Link] = []
        self._link: Link | None = None
        self._headings = 0
        self.text: list[str] = []
        self._hidden: list[str] = []
        self._shows = False
        self.language: str | None = None
        self._looked: set[tuple[object, ...]] = set()

    def read(self, html: str) -> None:
        """Read HTML to its end, or to what the parser itself gives up on."""
        try:
            self.feed(html)
            self.close()
        except (AssertionError, ValueError):  # both stand for broken declarations, which vary by version
            self._add(Rule.UNREADABLE_HTML, "a declaration in it is broken")
        self._end_link()

    def findings(self) -> list[Finding]:
        """Return what is wrong, in the order in which it stands."""
        if not self.language:
            what = "the html element has no lang" if self.language is not None else "there is no html element"
            return [*self._findings.values(), Rule.MISSING_LANG.finding(what, "html")]
        return list(self._findings.values())

    def preheader(self) -> str:
        """Return the hidden text before what is shown, without what keeps the rest out of an inbox's line."""
        return " ".join(_FILLER.sub("", "".join(self._hidden)).split())

    # what the parser calls

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Judge a tag and open its element."""
        attributes = {name: value or "" for name, value in reversed(attrs)}  # the first of a name counts
        self._judge_tag(tag, attributes)
        if tag == "a":
            self._end_link()
            self._begin_link(attributes, has_address="href" in attributes)
        elif tag == "img":
            self._judge_image(attributes)
        elif tag == "html":
            self.language = attributes.get("lang", "").strip()
        if tag in VOID:
            return
        outer = self._stack[-1]
        look = look_of(tag, attributes, outer.look)
        silent = outer.silent or attributes.get("aria-hidden", "").lower() == "true"
        self._stack.append(_Open(tag, look, outer.unseen or tag in _UNSEEN, silent))
        self._count[tag] += 1
        self._headings += tag in _HEADINGS

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Judge a tag that closes itself; in HTML only empty elements and those of Outlook's drawings do."""
        self.handle_starttag(tag, attrs)
        if tag not in VOID and ":" in tag:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        """Close the element, and whatever was left open in it."""
        if tag.startswith("mj-"):
            self._add(Rule.LEFT_OVER_TAG, f"<{shown(tag)}> is left over")
        if not self._count[tag]:
            return
        while len(self._stack) > 1:
            closed = self._stack.pop().tag
            self._count[closed] -= 1
            if closed == "a":
                self._end_link()
            if closed == tag:
                return

    def handle_data(self, data: str) -> None:
        """Judge text by what it looks like where it stands."""
        place = self._stack[-1]
        if place.unseen:
            return
        if place.look.hidden or place.look.size == 0:
            if not self._shows:
                self._hidden.append(data)
            return
        self.text.append(data)
        if self._link is not None and not place.silent:
            self._link.text.append(data)
        if _VISIBLE.search(data):
            self._shows = True
            self._judge_contrast(data, place.look)

    def handle_comment(self, data: str) -> None:
        """Read what stands in a conditional comment, where it could hold a fault."""
        if self._inside_comment or not _OUTLOOK.match(data) or not _LOOKED_AT.search(data):
            return
        line, column = self._place()
        inner = Reader(line, column + len("<!--"), inside_comment=True)
        inner.read(data)
        self._findings |= inner._findings

    # what is wrong

    def _judge_tag(self, tag: str, attributes: dict[str, str]) -> None:
        if tag.startswith("mj-"):
            self._add(Rule.LEFT_OVER_TAG, f"<{shown(tag)}> is left over")
        if tag in _ACTIVE or (tag == "meta" and attributes.get("http-equiv", "").lower() == "refresh"):
            self._add(Rule.ACTIVE_CONTENT, f"there is a <{tag}>")
        for name in attributes:
            if name.startswith("on") and len(name) > 2:
                self._add(Rule.ACTIVE_CONTENT, f"<{shown(tag)}> has {shown(name)}")
        if "href" in attributes and tag not in {"link", "base"}:
            fault = link_fault(attributes["href"])
            if fault:
                self._add(Rule.UNSAFE_LINK, f'the link to "{shown(attributes["href"])}" {fault}')
        for address in _pictures(tag, attributes):
            self._judge_picture(address)
        self._judge_width(tag, attributes)

    def _judge_picture(self, address: str) -> None:
        fault = image_fault(address)
        if fault:
            self._add(Rule.UNSAFE_IMAGE, f'the picture "{shown(address)}" {fault}')
        elif address.strip().lower().startswith("http:"):
            self._add(Rule.INSECURE_IMAGE, f'the picture "{shown(address)}" is loaded over http')

    def _judge_width(self, tag: str, attributes: dict[str, str]) -> None:
        style = attributes.get("style", "")
        found = declarations(style) if "width" in style else {}
        given = [attributes.get("width", ""), found.get("width", ""), found.get("min-width", "")]
        widest = max((width for width in map(pixels, given) if width), default=0)
        if widest > WIDEST:
            self._add(Rule.FIXED_WIDTH, f"<{shown(tag)}> is {widest:g} pixels wide, more than {WIDEST}")
        if tag == "img" and not (attributes.get("width") or attributes.get("height") or "width" in found):
            self._add(
                Rule.IMAGE_WIDTH, f'the picture "{shown(attributes.get("src", ""))}" has no width or height'
            )

    def _judge_image(self, attributes: dict[str, str]) -> None:
        alt, source = attributes.get("alt"), shown(attributes.get("src", ""))
        if self._link is not None and alt:
            self._link.text.append(alt)
        if alt is None:
            self._add(Rule.MISSING_ALT, f'the picture "{source}" has no alt')
        elif self._link is not None and not alt.strip():
            self._add(Rule.MISSING_ALT, f'the picture "{source}" in a link has an empty alt')
        else:
            return
        if self._link is not None:
            self._link.has_faulty_image = True

    def _judge_contrast(self, data: str, look: Look) -> None:
        key = look.ink, look.ground, look.large
        if key in self._looked:
            return
        self._looked.add(key)
        ratio = look.poor
        if ratio is None or look.ink is None or look.ground is None:
            return
        colours = f"{look.ink} on {look.ground}"
        self._add(Rule.CONTRAST, f'"{shown(data)}" is {colours}, a contrast of {ratio:.1f}')

    def _begin_link(self, attributes: dict[str, str], *, has_address: bool) -> None:
        if not has_address:
            return
        inside = any(self._count[tag] for tag in _HEADINGS)
        self._link = Link(
            address=attributes["href"], where=self._where(), heading=None if inside else self._headings,
            label=attributes.get("aria-label", ""), title=attributes.get("title", ""),
        )  # fmt: skip

    def _end_link(self) -> None:
        link, self._link = self._link, None
        if link is None:
            return
        self.links.append(link)
        if not _VISIBLE.search(link.name) and not link.has_faulty_image:
            what = f'the link to "{shown(link.address)}" has no text'
            self._findings[Rule.EMPTY_LINK_TEXT, what] = Rule.EMPTY_LINK_TEXT.finding(what, link.where)

    def _add(self, rule: Rule, what: str) -> None:
        self._findings.setdefault((rule, what), rule.finding(what, self._where()))

    def _place(self) -> tuple[int, int]:
        line, column = self.getpos()
        first, begin = self._start
        return (line + first - 1, column + (begin if line == 1 else 1))

    def _where(self) -> str:
        return "html:{}:{}".format(*self._place())


def _pictures(tag: str, attributes: dict[str, str]) -> Iterator[str]:
    """Yield every address of a picture that a tag names."""
    if tag == "img":
        yield attributes.get("src", "")
    elif attributes.get("src") and tag not in _ACTIVE:
        yield attributes["src"]
    for name in ("background", "poster"):
        if attributes.get(name):
            yield attributes[name]
    for candidate in attributes.get("srcset", "").split(", "):
        if candidate.strip():
            yield candidate.split()[0]
    if "url(" in attributes.get("style", "").lower():
        yield from _CSS_ADDRESS.findall(attributes["style"])
