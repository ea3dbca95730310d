"""The messages of a letter of about 60 KB, against an `EmailMessage` built anew for each reader."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial

from benchmarks.clock import medians
from newsletter.composer import Composer
from newsletter.letters import example_reader, make_letter
from newsletter.models import Issue, Letter, Recipient
from newsletter.templating.issue import Design, fill, render
from tools.gallery.issues import NOW, korean, sample
from tools.gallery.plates import DESIGN, IDENTITY

BOUND = 200
EVERY_ENTRY: Design = replace(DESIGN, full=0)
_MANY, _FEW = 5_000, 20  # messages in a run, so that both ways take as long


def measure(runs: int = 5) -> Iterator[str]:
    """Yield the lines of the report."""
    for language, issue in (("English", sample()), ("Korean", korean())):
        letter, reader = _letter(issue)
        composer = Composer(letter)
        fast, plain = medians(
            partial(_again, _MANY, partial(composer.compose, reader)),
            partial(_again, _FEW, partial(_plain, letter, reader)),
            runs=runs,
        )
        rate, theirs = _MANY / fast, _FEW / plain
        size = len(letter.html.encode()) + len(letter.text.encode())
        figures = f"{rate:,.0f} a second against {theirs:,.0f}, {language}, {size / 1000:.0f} KB"
        yield f"messages    {rate / theirs:5.0f} x the rate of `EmailMessage` ({figures}; at least {BOUND})"


def _again(times: int, make: Callable[[], bytes]) -> None:
    """Make messages one after the other, as they are sent: none is kept."""
    for _ in range(times):
        make()


def _letter(issue: Issue) -> tuple[Letter, Recipient]:
    letter = make_letter(render(issue, EVERY_ENTRY), issue, IDENTITY, NOW)
    return letter, example_reader(letter, issue, IDENTITY)


def _plain(letter: Letter, reader: Recipient) -> bytes:
    """Build a message with the standard library, as its documentation shows it."""
    message = EmailMessage()
    message["From"] = f"{letter.from_name} <{letter.from_address}>"
    message["To"] = reader.address
    message["Subject"] = letter.subject
    message["Date"] = letter.date
    message["Message-ID"] = reader.message_id
    for name, value in (*letter.headers, *reader.headers):
        message[name] = value
    message.set_content(fill(letter.text, reader.values, html=False))
    message.add_alternative(fill(letter.html, reader.values, html=True), subtype="html")
    return message.as_bytes(policy=SMTP)


if __name__ == "__main__":
    for line in measure():
        print(line)
