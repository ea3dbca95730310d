"""Lint: what is wrong with a finished letter, before anybody gets it. Pure, and fast enough for every send."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from newsletter.models.issues import PLACEHOLDER_CLOSE, PLACEHOLDER_OPEN
from newsletter.templating.i18n import words
from newsletter.templating.lint.address import link_fault, shown
from newsletter.templating.lint.findings import Finding, Severity
from newsletter.templating.lint.html import Page, read_html
from newsletter.templating.lint.reader import Link
from newsletter.templating.lint.rules import Rule
from newsletter.templating.text import clean

SUBJECT_LENGTH = range(20, 71)
PREHEADER_LENGTH = range(30, 151)

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LINE_END = re.compile(r"[\n\v\f\r\x1c-\x1e\x85\u2028\u2029]")
_MARKS = (PLACEHOLDER_OPEN, PLACEHOLDER_CLOSE)
_MARKS_IN_HTML = (f"(?:{PLACEHOLDER_OPEN}|&#xe000;)", f"(?:{PLACEHOLDER_CLOSE}|&#xe001;)")
_LEFT_OVER, _LEFT_OVER_IN_HTML = (
    re.compile(f"{opening}([\\w. -]{{0,40}})(?:{closing})?|{closing}", re.IGNORECASE)
    for opening, closing in (_MARKS, _MARKS_IN_HTML)
)
# how an address says that it is the way out, where nobody knows it: ours (`/u/KEY/1`), and what others write
_WAY_OUT = re.compile(r"unsubscribe|opt-?out|/u/[a-z2-7]{26}/\d", re.IGNORECASE)
_ONCE = frozenset(
    (
        *("from", "sender", "reply-to", "to", "cc", "bcc", "subject", "date", "message-id", "mime-version"),
        *("content-type", "list-id", "list-unsubscribe", "list-unsubscribe-post"),
    )
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A finished letter as one reader would get it; what is None is not known and not judged.

    ``unsubscribe`` is the reader's own address for leaving, empty where it can only be guessed. ``real_mail``
    is whether it leaves the machine, which asks for a postal address.
    """

    html: str | None = None
    text: str | None = None
    subject: str | None = None
    from_name: str = ""
    headers: tuple[tuple[str, str], ...] | None = None
    unsubscribe: str = ""
    postal_address: str = ""
    real_mail: bool = False


def lint(checked: Checked) -> list[Finding]:
    """Return what is wrong with a letter, errors first; no content makes this fail."""
    page = read_html(checked.html) if checked.html is not None else None
    found = [
        *_left_overs(checked),  # first: it is often why another rule is broken too
        *_subject(checked.subject),
        *_headers(checked),
        *(_page(page, checked) if page is not None else ()),
        *_text(checked, page),
        *_postal_address(checked, page),
    ]
    return sorted(found, key=lambda finding: finding.severity is not Severity.ERROR)


def _subject(subject: str | None) -> Iterator[Finding]:
    if subject is None:
        return
    if _CONTROL.search(subject):
        what = f'the subject "{shown(subject)}" has a line end or a control character'
        yield Rule.HEADER_INJECTION.finding(what, "subject")
    if len(subject) not in SUBJECT_LENGTH:
        what = (
            f'the subject "{shown(subject, 80)}" has {_characters(subject)}'
            if subject
            else "there is no subject"
        )
        yield Rule.SUBJECT_LENGTH.finding(what, "subject")


def _headers(checked: Checked) -> Iterator[Finding]:
    if _LINE_END.search(checked.from_name):  # other control characters are left out where the name is written
        what = f'the name "{shown(checked.from_name)}" has a line end (sender.name)'
        yield Rule.HEADER_INJECTION.finding(what, "header From")
    if checked.headers is None:
        return
    seen: dict[str, str] = {}
    for name, value in checked.headers:
        where = f"header {shown(name, 40)}"
        if _CONTROL.search(name + value):
            yield Rule.HEADER_INJECTION.finding("it has a line end or a control character", where)
        if name.lower() in seen and name.lower() in _ONCE:
            yield Rule.HEADER_INJECTION.finding("it stands twice", where)
        seen[name.lower()] = value
    targets = _targets(checked)
    if not targets:
        what = "there is no List-Unsubscribe header with an address"
        yield Rule.NO_LIST_UNSUBSCRIBE.finding(what, "headers")
    one_click = "".join(seen.get("list-unsubscribe-post", "").split()).lower()
    if (
        any(target.lower().startswith("https:") for target in targets)
        and one_click != "list-unsubscribe=one-click"
    ):
        what = (
            "List-Unsubscribe is https, and no header says List-Unsubscribe-Post: List-Unsubscribe=One-Click"
        )
        yield Rule.NO_ONE_CLICK.finding(what, "headers")


def _page(page: Page, checked: Checked) -> Iterator[Finding]:
    yield from page.findings
    if not page.readable:
        return
    way_out = _way_out(checked, page)
    if not any(way_out.is_link(link) for link in page.links):
        yield Rule.NO_UNSUBSCRIBE.finding("the HTML has no link to unsubscribe", "html")
    preheader = page.preheader
    if not preheader:
        what = "no hidden text stands before what is shown"
    elif len(preheader) not in PREHEADER_LENGTH:
        few, many = PREHEADER_LENGTH.start, PREHEADER_LENGTH.stop - 1
        what = f'the preheader "{shown(preheader)}" has {_characters(preheader)}, not {few} to {many}'
    elif checked.subject is not None and preheader.casefold() == " ".join(checked.subject.split()).casefold():
        what = "the preheader says what the subject says"
    else:
        return
    yield Rule.PREHEADER.finding(what, "html")


def _text(checked: Checked, page: Page | None) -> Iterator[Finding]:
    if checked.text is None:
        return
    if not checked.text.strip():
        yield Rule.EMPTY_TEXT.finding("the text part is empty", "text")
    elif not _way_out(checked, page).is_in(checked.text):
        yield Rule.NO_UNSUBSCRIBE.finding("the text has no address to unsubscribe", "text")


def _left_overs(checked: Checked) -> Iterator[Finding]:
    parts = {
        "subject": checked.subject,
        "html": checked.html,
        "text": checked.text,
        "header From": checked.from_name,
    }
    parts |= {f"header {shown(name, 40)}": value for name, value in checked.headers or ()}
    for part, content in parts.items():
        first: dict[str, int] = {}
        pattern = _LEFT_OVER_IN_HTML if part == "html" else _LEFT_OVER
        for match in pattern.finditer(content or ""):
            first.setdefault(match[1] or "", match.start())
        for name, start in first.items():
            what = (
                f'the placeholder "{shown(name)}" is left over'
                if name
                else "a placeholder's mark is left over"
            )
            yield Rule.LEFT_OVER_PLACEHOLDER.finding(what, _place(part, content or "", start))


def _postal_address(checked: Checked, page: Page | None) -> Iterator[Finding]:
    if not checked.real_mail:
        return
    address = _squeezed(checked.postal_address)
    if not address:
        what = "there is no postal address to print (sender.postal_address)"
        yield Rule.NO_POSTAL_ADDRESS.finding(what, "settings")
        return
    if page is not None and page.readable and address not in _squeezed(page.text):
        yield Rule.NO_POSTAL_ADDRESS.finding("the HTML does not show the postal address", "html")
    if checked.text is not None and checked.text.strip() and address not in _squeezed(checked.text):
        yield Rule.NO_POSTAL_ADDRESS.finding("the text does not show the postal address", "text")


def _targets(checked: Checked) -> list[str]:
    """Return the addresses of List-Unsubscribe."""
    values = [value for name, value in checked.headers or () if name.lower() == "list-unsubscribe"]
    return [
        target.strip() for value in values for target in re.findall("<([^<>]*)>", value) if target.strip()
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _WayOut:
    """How to tell what lets a reader leave: by its address, or by a guess where that is not known for sure."""

    addresses: frozenset[str]
    guess: bool
    word: str  # for leaving, in the letter's language

    def is_link(self, link: Link) -> bool:
        """Tell whether a link leads out."""
        sounds = self.guess and not link_fault(link.address) and self._sounds(link.address, link.name)
        return sounds or _squeezed(link.address) in self.addresses

    def is_in(self, text: str) -> bool:
        """Tell whether a text names the way out."""
        squeezed = _squeezed(text)
        sounds = self.guess and self._sounds(text, text)
        return sounds or any(address in squeezed for address in self.addresses)

    def _sounds(self, address: str, name: str) -> bool:
        return _WAY_OUT.search(address) is not None or self.word in name.casefold()


def _way_out(checked: Checked, page: Page | None) -> _WayOut:
    known = [checked.unsubscribe] if checked.unsubscribe else _targets(checked)
    language = page.language if page is not None else ""
    return _WayOut(
        addresses=frozenset(map(_squeezed, known)), guess=not checked.unsubscribe,
        word=words(language or "en").say("Unsubscribe").casefold(),
    )  # fmt: skip


def _squeezed(text: str) -> str:
    """Return text without its white space, which differs from part to part."""
    return "".join(clean(text).split())


def _place(part: str, content: str, start: int) -> str:
    if part not in {"html", "text"}:
        return part
    line = content.count("\n", 0, start) + 1
    return f"{part}:{line}:{start - content.rfind(chr(10), 0, start)}"


def _characters(text: str) -> str:
    return "1 character" if len(text) == 1 else f"{len(text)} characters"
