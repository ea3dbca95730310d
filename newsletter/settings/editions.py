"""What readers get and when: the look, the schedule, the editions."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from newsletter.languages import shipped
from newsletter.settings.base import Table

DEFAULT_EDITION = "daily"


class Theme(Table, frozen=True):
    name: Annotated[
        str,
        Meta(description="The newsletter's name, at the top of the letter.", pattern=r"\S", max_length=80),
    ] = "Daily Papers"
    logo: Annotated[
        str,
        Meta(
            description="Address (https) of a PNG, JPEG, GIF or WebP in place of the name, drawn 32 pixels high."
        ),
    ] = ""
    accent: Annotated[
        str, Meta(description="Colour of the marker, as #RRGGBB; the text on it is chosen for contrast.")
    ] = "#FFE24A"
    font: Annotated[
        str,
        Meta(
            description="Fonts of our own words, in order, such as Inter, Arial, sans-serif; empty means the system's."
        ),
    ] = ""
    title_font: Annotated[
        str, Meta(description="Fonts of the papers' titles, in order; empty means a serif.")
    ] = ""
    layout: Annotated[
        Literal["digest", "brief"],
        Meta(description="How much is told: a digest of the papers, or a brief list of their titles."),
    ] = "digest"
    templates: Annotated[
        str, Meta(description="Folder of your own templates; a file there replaces ours of the same name.")
    ] = ""


class Schedule(Table, frozen=True):
    at: Annotated[
        str, Meta(description="Local time of sending, as HH:MM.", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    ] = "07:30"
    days: Annotated[str, Meta(description="Days of sending, such as mon-fri, mon,wed,fri or daily.")] = (
        "mon-fri"
    )
    timezone: Annotated[str, Meta(description="IANA time zone of these times, such as Asia/Seoul.")] = "UTC"
    approve: Annotated[
        bool,
        Meta(
            description="Whether each issue waits for your word: a draft is mailed to alerts.email, with a link."
        ),
    ] = False
    latest: Annotated[
        str,
        Meta(
            description="Local time of that day, as HH:MM, after which nothing is begun; the issue is held.",
            pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        ),
    ] = "12:00"


class Edition(Table, frozen=True):
    language: Annotated[
        str, Meta(description=f"Language of the letter's own words: {', '.join(shipped())}.")
    ] = "en"
    top: Annotated[int, Meta(description="Papers in an issue; 0 means all.", ge=0)] = 15
    full: Annotated[
        int, Meta(description="Entries with their sections, from the top; 0 means every entry.", ge=0)
    ] = 4
    images: Annotated[
        Literal["remote", "none"],
        Meta(
            description="The lead's picture: remote loads it from its source, whose host learns who opened the letter;"
            " none leaves it out."
        ),
    ] = "remote"
    subject: Annotated[
        str,
        Meta(
            description="The subject; {title}, {name}, {second}, {third}, {n} (papers that it does not name), {votes},"
            " {date} and {newsletter} in it are filled. Empty, or for a day of fewer papers: one made from the first."
        ),
    ] = ""
    preheader: Annotated[
        str,
        Meta(
            description="The line after the subject in an inbox, with the same names; empty means one that is made."
        ),
    ] = ""
    min_votes: Annotated[
        int, Meta(description="Votes a paper needs (filled up to 5 papers by others).", ge=0)
    ] = 2
    carry_days: Annotated[
        int, Meta(description="Days that a paper which was not sent stays a candidate.", ge=0, le=30)
    ] = 3
    quiet: Annotated[
        Literal["skip", "note", "roll-up"],
        Meta(
            description="A day without papers: skip it, send a note that says so, or the best that was not sent yet."
        ),
    ] = "skip"
    not_ready: Annotated[
        Literal["wait", "send-what-is-there", "skip"],
        Meta(
            description="A day that is not complete: wait for the next run, send what is there, or skip the day."
        ),
    ] = "wait"
    welcome: Annotated[
        Literal["none", "short", "newest-issue"],
        Meta(
            description="Mail to somebody who confirmed: none, a short welcome, or that and the newest issue."
        ),
    ] = "short"
    schedule: Annotated[
        Schedule | None,
        Meta(description="When the edition is sent by `run --if-due`; `run` alone sends at once."),
    ] = None
