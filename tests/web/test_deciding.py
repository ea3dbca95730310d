"""The link of the operator's mail about a draft: it shows, and its buttons decide, once, about those bytes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy

from sqlalchemy import text

from newsletter.delivery.tokens import Purpose
from tests.cli.command import SAMPLE
from tests.support.drafts import newsletter
from tests.support.serving import Served

DAY = "2024-09-12"


def links(served: Served) -> list[str]:
    """Return the paths of the mailed links, the oldest first."""
    found: list[tuple[float, str]] = []
    for file in (served.folder / "outbox" / "new").iterdir():
        text = file.read_bytes()
        if b"To: boss@example.org" in text:
            mail = message_from_bytes(text, policy=policy.default)
            content = str(mail.get_body(("plain",)).get_content())  # type: ignore[union-attr]
            found += [(file.stat().st_mtime, path) for path in re.findall(r"/d/[\w-]+", content)]
    return [path for _, path in sorted(found)]


def link(served: Served) -> str:
    """Return the path of the only mailed link."""
    (path,) = links(served)
    return path


def state(served: Served) -> str:
    with served.app() as app, app.databases.open().read() as connection:
        return str(connection.execute(text("SELECT state FROM issue")).scalar_one())


def sent(served: Served) -> int:
    files = (served.folder / "outbox" / "new").iterdir()
    return sum(b"To: ada@example.org" in file.read_bytes() for file in files)


def test_a_look_decides_nothing_and_a_button_does_once(office: Served) -> None:
    path = link(office)
    for _ in range(2):
        shown = office.get(path)
        assert (shown.status, shown.heading) == (200, "Send this issue?")
    assert "PingPong" in shown.body
    assert "to 1 reader." in shown.body
    assert state(office) == "draft"
    approved = office.press(path, decision="approve")
    assert (approved.status, approved.heading) == (200, "Approved")
    assert state(office) == "approved"
    again = office.get(path)
    assert (again.status, again.heading) == (409, "This was decided already")
    assert "approved by the link that was mailed" in again.body
    newsletter(office.folder, "run", "--if-due", "--from", str(SAMPLE))
    assert (state(office), sent(office)) == ("finished", 1)


def test_it_can_be_held(office: Served) -> None:
    path = link(office)
    held = office.press(path, decision="hold")
    assert (held.status, held.heading) == (200, "Held")
    late = office.post(path, {"token": "", "decision": "approve"})
    assert late.heading == "This was decided already"
    newsletter(office.folder, "run", "--if-due", "--from", str(SAMPLE))
    assert (state(office), sent(office)) == ("held", 0)


def test_a_form_without_its_token_or_its_word_decides_nothing(office: Served) -> None:
    path = link(office)
    assert office.post(path, {"decision": "approve"}).status == 403
    assert office.press(path, decision="send").status == 403
    assert office.press(path).status == 403
    assert state(office) == "draft"


def test_a_link_is_of_no_use_forged_too_late_or_for_an_older_letter(office: Served) -> None:
    path = link(office)
    assert office.get(path[:-1] + ("A" if path[-1] != "A" else "B")).status == 404
    with office.app() as app:
        with app.databases.open().write() as connection:
            connection.execute(text("UPDATE letter SET bytes = CAST(bytes || ' ' AS BLOB)"))
        now = datetime.now(UTC) - timedelta(hours=2)
        expired = app.keys.links().sign(Purpose.DECIDE, 1 << 32, now=now, valid=timedelta(hours=1))
        other = app.keys.links().sign(Purpose.CONFIRM, 1 << 32, now=datetime.now(UTC))
        unknown = app.keys.links().sign(Purpose.DECIDE, 99 << 32, now=datetime.now(UTC))
    older = office.get(path)
    assert (older.status, older.heading) == (410, "This is an older draft")
    assert office.post(path, {"decision": "approve"}).status == 410
    too_late = office.get(f"/d/{expired}")
    assert (too_late.status, too_late.heading) == (410, "It is too late for this")
    assert office.get(f"/d/{other}").status == 404
    assert office.get(f"/d/{unknown}").status == 404
    assert state(office) == "draft"


def test_after_an_edit_only_the_new_link_decides(office: Served) -> None:
    first = link(office)
    newsletter(office.folder, "issues", "edit", DAY, "--subject", "Said better")
    _, second = links(office)
    assert office.get(first).heading == "This is an older draft"
    assert office.post(first, {"decision": "approve"}).status == 410
    assert state(office) == "draft"
    assert office.press(second, decision="approve").heading == "Approved"
    newsletter(office.folder, "run", "--if-due", "--from", str(SAMPLE))
    letters = [file.read_bytes() for file in (office.folder / "outbox" / "new").iterdir()]
    assert [b"Subject: Said better" in letter for letter in letters if b"To: ada@example.org" in letter] == [
        True
    ]
