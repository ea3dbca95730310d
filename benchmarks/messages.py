"""The messages of a letter of about 60 KB, against an `EmailMessage` built anew for each reader, and signed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from email.message import EmailMessage
from email.policy import SMTP
from functools import partial

from benchmarks.clock import medians
from newsletter.composer import Composer
from newsletter.delivery.claims import ClaimedRow
from newsletter.delivery.recipients import recipient
from newsletter.dkim import Signer, make_key, read_key
from newsletter.letters import make_letter
from newsletter.models.deliveries import Recipient
from newsletter.models.issues import Issue, Letter
from newsletter.templating.issue import Design, fill, render
from tools.gallery.issues import NOW, korean, sample
from tools.gallery.plates import DESIGN, IDENTITY

BOUND = 200
SIGNED_BOUND = 0.85
EVERY_ENTRY: Design = replace(DESIGN, full=0)
_MANY, _FEW = 5_000, 20  # messages in a run, so that both ways take as long
_SIGNED = 300


def measure(runs: int = 5) -> Iterator[str]:
    """Yield the lines of the report."""
    for language, issue in (("English", sample()), ("Korean", korean())):
        yield _unsigned(make_letter(render(issue, EVERY_ENTRY), issue, IDENTITY, NOW), issue, language, runs)
    for language, issue in (("English", sample()), ("Korean", korean())):
        yield _signed(make_letter(render(issue, DESIGN), issue, IDENTITY, NOW), issue, language, 4 * runs)


def _unsigned(letter: Letter, issue: Issue, language: str, runs: int) -> str:
    readers, composer = _readers(letter, issue, _MANY), Composer(letter)
    fast, plain = medians(
        lambda: _each(readers, composer.compose),
        lambda: _each(readers[:_FEW], partial(_plain, letter)),
        runs=runs,
    )
    rate, theirs = _MANY / fast, _FEW / plain
    size = (len(letter.html.encode()) + len(letter.text.encode())) / 1000
    figures = f"{rate:,.0f} a second against {theirs:,.0f}, {language}, {size:.0f} KB"
    return f"messages    {rate / theirs:5.0f} x the rate of `EmailMessage` ({figures}; at least {BOUND})"


def _signed(letter: Letter, issue: Issue, language: str, runs: int) -> str:
    """Return the line about a usual letter that is signed with RSA, against signing alone with the same key."""
    signer = Signer(domain="example.org", selector="s", key=read_key(make_key("rsa"), "benchmark"))
    readers, composer = _readers(letter, issue, _SIGNED), Composer(letter, [signer])
    ours, alone = medians(
        lambda: _each(readers, composer.compose),
        lambda: _each(readers, lambda _: signer.key.sign(bytes(400))),
        runs=runs,
    )
    figures = f"{_SIGNED / ours:,.0f} a second against {_SIGNED / alone:,.0f}, {language}"
    size = f"{len(composer.compose(readers[0])) / 1000:.0f} KB as sent"
    return f"signed      {alone / ours:5.2f} x the rate of RSA-2048 alone ({figures}, {size}; at least {SIGNED_BOUND})"


def _readers(letter: Letter, issue: Issue, many: int) -> list[Recipient]:
    rows = (
        ClaimedRow(
            subscriber_id=number, email=f"somebody.{number}@example.org", name="Somebody",
            key=number.to_bytes(16), edition_number=1, attempt=1,
        )
        for number in range(many)
    )  # fmt: skip
    to = partial(recipient, edition="daily", day=issue.day, links=IDENTITY.links)
    return [to(row, from_address=letter.from_address) for row in rows]


def _each(readers: Sequence[Recipient], make: Callable[[Recipient], bytes]) -> None:
    """Make messages one after the other, as they are sent: none is kept."""
    for reader in readers:
        make(reader)


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
