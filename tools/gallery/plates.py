"""Which letters the gallery shows, and how each is made."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache

from newsletter.delivery.recipients import Links
from newsletter.letters import Identity, preview_files
from newsletter.models.issues import Issue
from newsletter.templating.issue import Design
from newsletter.templating.theme import Layout
from tools.chromium import Scheme
from tools.gallery.issues import NOW, korean, sample, written

DESIGN = Design(
    name="Daily Papers", postal_address="Daily Papers, 12 Example Street, Springfield", issue_number=143
)
IDENTITY = Identity(
    newsletter="Daily Papers",
    from_name="Daily Papers",
    from_address="papers@example.org",
    links=Links(public_url="https://news.example.org", unsubscribe_mailbox=""),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plate:
    """A letter of the gallery; ``pictures`` False is a reader whose mail program blocks them."""

    name: str
    title: str
    make: Callable[[], Issue]
    design: Design = DESIGN
    scheme: Scheme = Scheme.LIGHT
    pictures: bool = True

    def __str__(self) -> str:
        """Return the name, which tests are told by."""
        return self.name


PLATES = (
    Plate(name="sample", title="The bundled day, 12 September 2024", make=sample),
    Plate(name="three", title="A small day: 3 papers", make=lambda: written("three")),
    Plate(name="fifty", title="A large day: 50 of 126 papers", make=lambda: written("fifty")),
    Plate(name="korean", title="In Korean: a digest of the bundled day", make=korean),
    Plate(
        name="arabic", title="In Arabic, from right to left: 9 of 26 papers", make=lambda: written("arabic")
    ),
    Plate(name="dark", title="The bundled day in the dark", make=sample, scheme=Scheme.DARK),
    Plate(
        name="images-off",
        title="In a mail program that blocks pictures",
        make=sample,
        pictures=False,
    ),
    Plate(
        name="brief",
        title='For those who want it short: `layout = "brief"`',
        make=sample,
        design=replace(DESIGN, layout=Layout.BRIEF),
    ),
)


@cache
def files(plate: Plate, now: datetime = NOW) -> dict[str, bytes]:
    """Return the files of a plate's letter, as `newsletter preview` writes them."""
    return preview_files(plate.make(), plate.design, IDENTITY, now)


def html(plate: Plate) -> str:
    """Return the HTML that a reader gets."""
    return files(plate)["issue.html"].decode()
