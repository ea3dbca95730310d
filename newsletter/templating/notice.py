"""Mails of the newsletter's own: to confirm a sign-up, to welcome. Nothing that a visitor typed stands in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from enum import Enum

from newsletter.models.issues import Rendered
from newsletter.templating.engine import Engine, engine
from newsletter.templating.i18n import Words, words
from newsletter.templating.issue import Design
from newsletter.templating.text import one_line
from newsletter.templating.view import setting_of

NOTICE = "email/notice.mjml.j2"
DAYS = 7  # that a link of a confirmation works


class Mail(Enum):
    """What kind of mail it is."""

    CONFIRM = "confirm"
    ALREADY = "already"
    WELCOME = "welcome"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeView:
    """What a mail says; ``leave`` is whether it has a link to unsubscribe."""

    subject: str
    heading: str
    lines: tuple[str, ...]
    button: str = ""
    quiet: tuple[str, ...] = ()
    leave: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """What the partials of the letter see as `letter` in such a mail."""

    name: str
    language: str
    direction: str
    start: str
    end: str
    arrow: str
    keep_all: bool
    body: int
    leading: int
    small: int
    pictures: bool
    long_date: str
    preheader: str
    postal_address: str


def render_notice(
    mail: Mail, design: Design, language: str, day: date, templates: Engine | None = None
) -> Rendered:
    """Make a mail; HTML and text hold the placeholder ``url`` (and ``unsubscribe_url`` where one can leave by it)."""
    fixed = words(language)
    theme = design.theme.speaking(fixed.base)
    view = _view(mail, fixed, one_line(design.name))
    sheet = Sheet(
        name=one_line(design.name), language=one_line(fixed.language), **setting_of(fixed), keep_all=fixed.base == "ko",
        pictures=design.pictures, long_date=fixed.long_date(day), preheader=view.lines[0],
        postal_address=one_line(design.postal_address),
    )  # fmt: skip
    templates = templates or engine(design.templates, theme)
    values: dict[str, object] = {"letter": sheet, "notice": view, "words": fixed, "theme": theme}
    return Rendered(
        subject=view.subject,
        preheader=sheet.preheader,
        html=templates.mail(NOTICE, values),
        text=templates.plain("email/notice.txt.j2", values),
        markdown="",
    )


def _view(mail: Mail, words: Words, name: str) -> NoticeView:
    ignore = words.say("If it was not you, do nothing: you get no further mail.")
    if mail is Mail.CONFIRM:
        return NoticeView(
            subject=words.say("Confirm that you want {newsletter}", newsletter=name),
            heading=words.say("One step, and it is yours"),
            lines=(
                words.say("Somebody, you we hope, asked for {newsletter} at this address.", newsletter=name),
            ),
            button=words.say("Yes, send it to me"),
            quiet=(
                words.count("The link works for {n} day.", "The link works for {n} days.", DAYS),
                ignore,
            ),
        )
    if mail is Mail.ALREADY:
        return NoticeView(
            subject=words.say("You get {newsletter} already", newsletter=name),
            heading=words.say("You are on the list"),
            lines=(
                words.say("Somebody, you we hope, asked for {newsletter} at this address.", newsletter=name),
                words.say("This address gets it already, so there is nothing to do."),
            ),
            leave=True,
        )
    return NoticeView(
        subject=words.say("Welcome to {newsletter}", newsletter=name),
        heading=words.say("Welcome"),
        lines=(words.say("From now on you get {newsletter} at this address.", newsletter=name),),
        quiet=(words.say("You can leave at any time, with one click, in every letter."),),
        leave=True,
    )
