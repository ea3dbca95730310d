"""Who sends, and what they send: the letter that is frozen, and the files of a preview."""

from __future__ import annotations

import hashlib
import html as markup
from dataclasses import dataclass, replace
from datetime import datetime

import msgspec

from newsletter import messages
from newsletter.delivery import claims
from newsletter.delivery.recipients import Links, recipient
from newsletter.models.deliveries import Recipient
from newsletter.models.issues import Issue, Letter, Rendered, placeholder
from newsletter.store import IssueRecord
from newsletter.templating.issue import Design, fill, issue_json, render
from newsletter.templating.lint.check import Checked, lint
from newsletter.templating.lint.findings import Finding

AUTOMATIC = (("Auto-Submitted", "auto-generated"), ("X-Auto-Response-Suppress", "All"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who sends: what stands in the From line, the list's headers and the foot."""

    newsletter: str
    from_name: str
    from_address: str
    links: Links


def make_letter(rendered: Rendered, issue: Issue, identity: Identity, now: datetime) -> Letter:
    """Return the letter that is frozen: content, sender, and the headers that are the same for everybody."""
    domain = identity.from_address.rpartition("@")[2]
    name = hashlib.sha256(f"{issue.edition} {issue.day} {domain}".encode()).hexdigest()
    feedback_sender = domain.replace(".", "-")[-15:].strip("-").rjust(5, "x")
    return Letter(
        subject=rendered.subject,
        html=rendered.html,
        text=rendered.text,
        language=issue.language,
        from_name=identity.from_name,
        from_address=identity.from_address,
        date=now,
        boundary=f"=_{name[:24]}",
        headers=(
            ("List-Id", f"{_phrase(identity.newsletter)} <{issue.edition}.{domain}>".strip()),
            ("Precedence", "bulk"),
            ("Feedback-ID", f"{issue.day:%Y%m%d}:{issue.edition}:daily:{feedback_sender}"),
        ),
    )


def preview_files(issue: Issue, design: Design, identity: Identity, now: datetime) -> dict[str, bytes]:
    """Return the files of a preview: the mail as one example reader would get it, in every form."""
    rendered = render(issue, design)
    letter = make_letter(rendered, issue, identity, now)
    return files_of(rendered, letter, example_reader(letter, issue, identity), issue)


def files_of(rendered: Rendered, letter: Letter, reader: Recipient, issue: Issue) -> dict[str, bytes]:
    """Return those files of a letter that is made already, as ``reader`` would get it."""
    document = msgspec.json.format(msgspec.json.encode(issue_json(issue)), indent=2)
    return {
        "issue.html": fill(letter.html, reader.values, html=True).encode(),
        "issue.txt": fill(letter.text, reader.values, html=False).encode(),
        "issue.md": rendered.markdown.encode(),
        "issue.eml": messages.compose(letter, reader),
        "issue.json": document + b"\n",
    }


def looked_over(
    letter: Letter, issue: Issue, identity: Identity, *, postal_address: str, real_mail: bool
) -> list[Finding]:
    """Return what lint finds in a letter that nobody got yet, as the example reader would get it."""
    reader = example_reader(letter, issue, identity)
    return lint(checked(letter, reader, postal_address=postal_address, real_mail=real_mail))


def checked(letter: Letter, reader: Recipient, *, postal_address: str, real_mail: bool) -> Checked:
    """Return a letter as lint looks at it: as this reader would get it, with the headers of the list.

    A placeholder that no value fills stays, so that lint finds it and says where it stands.
    """

    def filled(template: str, *, html: bool = False) -> str:
        for name, value in reader.values.items():
            template = template.replace(placeholder(name), markup.escape(value) if html else value)
        return template

    return Checked(
        html=filled(letter.html, html=True),
        text=filled(letter.text),
        subject=filled(letter.subject),
        from_name=letter.from_name,
        headers=tuple((name, filled(value)) for name, value in (*letter.headers, *reader.headers)),
        unsubscribe=reader.values["unsubscribe_url"],
        postal_address=postal_address,
        real_mail=real_mail,
    )


def example_reader(letter: Letter, issue: Issue, identity: Identity) -> Recipient:
    """Return the one example reader whom previews are for."""
    row = claims.ClaimedRow(
        subscriber_id=0, email="reader@example.org", name="", key=bytes(16), edition_number=1, attempt=1
    )
    return recipient(
        row, edition=issue.edition, day=issue.day, links=identity.links, from_address=letter.from_address
    )


def draft_mail(
    letter: Letter, record: IssueRecord, *, to: str, link: str, deadline: str, links: Links, notice: int, date: datetime
) -> tuple[Letter, Recipient]:  # fmt: skip
    """Return the mail that asks the operator about a draft: what is to be decided, then the letter itself.

    Its unsubscribe link leads to nobody.
    """
    row = claims.ClaimedRow(subscriber_id=0, email=to, name="", key=bytes(16), edition_number=0, attempt=1)
    reader = recipient(
        row, edition=record.edition, day=record.day, links=links, from_address=letter.from_address
    )
    name = hashlib.sha256(b"draft %d " % notice + letter.boundary.encode()).hexdigest()[:24]
    domain = letter.from_address.rpartition("@")[2]
    asked = f"Issue {record.name} waits for you until {deadline}."
    bar = (
        '<div style="padding:16px 20px;font:16px/1.5 sans-serif;color:#1b1b1b;background:#fff3cd" dir="ltr" lang="en">'
        f'<p style="margin:0 0 8px">{markup.escape(asked)} Nothing is sent without your word.</p>'
        f'<p style="margin:0"><a href="{markup.escape(link)}" style="color:#0b3d91;font-weight:bold;'
        'display:inline-block;padding:12px 0">Approve or hold it</a></p></div>'
    )
    body = letter.html.index(">", letter.html.index("<body")) + 1
    return replace(
        letter, subject=f"[Draft] {letter.subject}", html=letter.html[:body] + bar + letter.html[body:],
        text=f"{asked}\nNothing is sent without your word. Approve or hold it:\n{link}\n\n{letter.text}",
        date=date, boundary=f"=_{name}", headers=AUTOMATIC,
    ), reader._replace(name="", delivery_id=f"notice.{name}", message_id=f"<notice.{name}@{domain}>", headers=(),
    )  # fmt: skip


def alert_mail(
    identity: Identity, *, to: str, subject: str, text: str, notice: int, date: datetime
) -> tuple[Letter, Recipient]:
    """Return the mail that tells the operator what needs a look."""
    name = hashlib.sha256(f"alert {notice} {date.isoformat()}".encode()).hexdigest()[:24]
    domain = identity.from_address.rpartition("@")[2]
    lines = "".join(f"<p>{markup.escape(line)}</p>" for line in text.splitlines() if line)
    letter = Letter(
        subject=subject, html=f'<html lang="en"><body>{lines}</body></html>', text=f"{text}\n", language="en",
        from_name=identity.from_name, from_address=identity.from_address, date=date, boundary=f"=_{name}",
        headers=AUTOMATIC,
    )  # fmt: skip
    reader = Recipient(
        subscriber_id=0,
        address=to,
        name="",
        delivery_id=f"notice.{name}",
        message_id=f"<notice.{name}@{domain}>",
    )
    return letter, reader


def _phrase(name: str) -> str:
    """Return a name as a header's phrase: quoted, and without what would end it or look like an address."""
    plain = " ".join("".join(c for c in name if c.isprintable() and c not in '<>"\\‹›').split())
    return f'"{plain}"' if plain.isascii() and plain else plain
