"""What an operator sees of old issues, of which only counts are kept."""

from __future__ import annotations

from tests.cli.command import SAMPLE, Command, assert_complains
from tests.cli.test_issues import DAY, readers


def test_of_old_issues_the_counts_are_kept(command: Command) -> None:
    readers(command, 3)
    command("run", "--from", str(SAMPLE)).ok()
    for keep in ("365 d", ""):
        told = command("run", "--from", str(SAMPLE), env={"NEWSLETTER_DELIVERY__KEEP": keep}).ok()
        assert "tidy" not in told.out
    before = command("issues", "show", DAY, "--json").ok().json["counts"]
    told = command("run", "--from", str(SAMPLE), env={"NEWSLETTER_DELIVERY__KEEP": "0 d"}).ok()
    assert f"of {DAY}/daily the counts are kept (delivery.keep)" in told.out
    assert command("issues", "show", DAY, "--json").ok().json["counts"] == before
    assert before["accepted"] == 3
    assert "already sent (3 accepted)" in command("run", "--from", str(SAMPLE)).ok().out
    for arguments in (("list", DAY), ("retry", DAY, "--state", "rejected"), ("resolve", DAY, "--resend")):
        assert_complains(
            command("deliveries", *arguments), "older than delivery.keep", f"issues show {DAY}/daily"
        )


def test_compact_counts_what_is_old_too(command: Command) -> None:
    readers(command, 1)
    command("run", "--from", str(SAMPLE), env={"NEWSLETTER_DELIVERY__KEEP": ""}).ok()
    told = command("database", "compact", env={"NEWSLETTER_DELIVERY__KEEP": "0 s"}).ok().out
    assert f"of {DAY}/daily the counts are kept" in told
    assert "bytes, before it had" in told
    assert_complains(
        command("database", "compact", env={"NEWSLETTER_DELIVERY__KEEP": "1 week"}), "delivery.keep"
    )
