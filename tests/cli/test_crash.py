"""Processes that die, are stopped, or work beside each other: nobody is lost, nobody gets it twice."""

from __future__ import annotations

import random
import re
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from newsletter.database import Database
from tests.cli.command import SAMPLE, Command, entry, finish, outbox, papers_file, smtp_settings
from tests.servers.smtp import Mail, SmtpSink
from tests.support.issues import add_readers, address
from tests.support.mail import parse

READERS = 120
TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
MESSAGE_ID = re.compile(rb"^Message-ID: *\s?(<\S+>)\r$", re.MULTILINE)
PLACES = re.compile(rb"/u/[a-z0-9]+/|reader\d+@|\b[0-9a-f]{24}\b")


@pytest.fixture
def crowd(command: Command, migrated_file: Path) -> Command:
    """Return the command with many subscribers on the list."""
    shutil.copy(migrated_file, command.folder / "newsletter.db")
    database = Database(f"sqlite:///{command.folder / 'newsletter.db'}")
    add_readers(database, READERS)
    database.close()
    return command


@pytest.fixture
def sink() -> Iterator[SmtpSink]:
    """Return a mail server."""
    with SmtpSink() as server:
        yield server


def stop_at(
    command: Command, number: int, sent: Callable[[], int], how: signal.Signals, env: Mapping[str, str]
) -> subprocess.Popen[str]:
    """Start a run and send it a signal as soon as ``number`` messages are out."""
    process = command.start("run", "--from", str(SAMPLE), env=env)
    deadline = time.monotonic() + 30
    while sent() < number and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(how)
    return process


def counts(command: Command) -> dict[str, int]:
    """Return the counts of the issue."""
    found: dict[str, int] = command("issues", "show", "2024-09-12", "--json").ok().json["counts"]
    assert found["prepared"] == sum(found.values()) - found["prepared"] == READERS
    return found


def everybody() -> list[str]:
    """Return every address of the list."""
    return sorted(address(number) for number in range(1, READERS + 1))


def out(command: Command) -> Callable[[], int]:
    """Return a function that counts the outbox."""
    folder = command.folder / "outbox" / "new"
    return lambda: sum(1 for _ in folder.iterdir()) if folder.is_dir() else 0


def test_killed_again_and_again_the_outbox_holds_everybody_once(crowd: Command) -> None:
    numbers = sorted(random.Random(20240912).sample(range(1, READERS // 2), 4))
    for number in numbers:
        process = stop_at(crowd, number, out(crowd), signal.SIGKILL, {})
        assert finish(process).code == -signal.SIGKILL
        assert number <= out(crowd)() < READERS
        assert counts(crowd)["waiting"] > 0
    result = crowd.process("run", "--from", SAMPLE).ok()
    assert f"{READERS} of {READERS} accepted" in result.out
    assert sorted(str(parse(message)["To"]) for message in outbox(crowd.folder).values()) == everybody()
    assert counts(crowd)["accepted"] == READERS
    sent = outbox(crowd.folder)
    assert "already sent" in crowd.process("run", "--from", SAMPLE).ok().out
    assert outbox(crowd.folder) == sent


def test_killed_over_smtp_nobody_is_lost_and_one_at_most_is_repeated(crowd: Command, sink: SmtpSink) -> None:
    env = smtp_settings(sink)
    numbers = sorted(random.Random(5322).sample(range(1, READERS // 2), 3))
    for number in numbers:
        process = stop_at(crowd, number, lambda: len(sink.messages), signal.SIGKILL, env)
        assert finish(process).code == -signal.SIGKILL
    crowd.process("run", "--from", SAMPLE, env=env).ok()
    assert_sent_once(sink.messages, repeated=len(numbers))
    assert counts(crowd)["accepted"] == READERS


def assert_sent_once(messages: Sequence[Mail], *, repeated: int) -> None:
    """Check that everybody has it, at most ``repeated`` of them twice, and then as the very same message."""
    per_person = Counter(mail.recipients for mail in messages)
    assert sorted(person for (person,) in per_person) == everybody()
    assert len(messages) - READERS <= repeated
    by_id = {message_id(mail.data): mail.data for mail in messages}
    assert len(by_id) == READERS
    for mail in messages:
        assert by_id[message_id(mail.data)] == mail.data


def message_id(message: bytes) -> bytes:
    """Return the identity of a message, quickly."""
    found = MESSAGE_ID.search(message)
    assert found is not None
    return found[1]


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_run_settles_what_is_in_flight(crowd: Command, sink: SmtpSink, how: signal.Signals) -> None:
    env = smtp_settings(sink)
    stopped = finish(stop_at(crowd, 30, lambda: len(sink.messages), how, env))
    assert stopped.code == 1
    assert len(stopped.complaints) == 1
    assert "was stopped" in stopped.complaints[0]
    sent = len(sink.messages)
    assert 30 <= sent < READERS
    assert (counts(crowd)["accepted"], counts(crowd)["waiting"]) == (sent, READERS - sent)
    crowd.process("run", "--from", SAMPLE, env=env).ok()
    assert_sent_once(sink.messages, repeated=0)


@pytest.mark.parametrize(
    ("how", "code"), [(signal.SIGTERM, -signal.SIGTERM), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
def test_a_run_that_waits_for_its_source_ends_at_once(crowd: Command, how: signal.Signals, code: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(30)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        env = {"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": url}
        process = crowd.start("run", "--day", "2024-09-12", env=env)
        with silent.accept()[0]:
            began = time.monotonic()
            process.send_signal(how)
            assert finish(process).code == code
            assert time.monotonic() - began < 5
    assert not (crowd.folder / "outbox").exists()
    assert crowd("issues", "show", "2024-09-12").code == 2


def test_two_runs_at_once_share_the_work(crowd: Command, sink: SmtpSink) -> None:
    env = smtp_settings(sink)
    both = [crowd.start("run", "--from", str(SAMPLE), env=env) for _ in range(2)]
    for process in both:
        finish(process).ok()
    assert_sent_once(sink.messages, repeated=0)
    assert counts(crowd)["accepted"] == READERS
    assert crowd("issues", "show", "2024-09-12", "--json").json["state"] == "finished"


def test_what_was_frozen_goes_out_whatever_changes_in_between(crowd: Command) -> None:
    own = crowd.folder / "own" / "email"
    own.mkdir(parents=True)
    for name in ("letter.txt.j2", "masthead.mjml.j2"):
        shutil.copy(TEMPLATES / "email" / name, own / name)
    env = {"NEWSLETTER_THEME__TEMPLATES": "own"}
    finish(stop_at(crowd, 40, out(crowd), signal.SIGKILL, env))
    for template in own.iterdir():
        with template.open("a") as text:
            text.write("EDITED IN BETWEEN")
    changed = papers_file(crowd.folder / "other.json", [entry("2601.00001", "Another paper")])
    env |= {"NEWSLETTER_THEME__NAME": "Renamed", "NEWSLETTER_SENDER__NAME": "Somebody else"}
    crowd.process("preview", "--from", changed, env=env).ok()
    for name in ("issue.txt", "issue.html"):
        assert "EDITED" in (crowd.folder / "preview" / name).read_text(encoding="utf-8")
    crowd.process("run", "--from", changed, "--day", "2024-09-12", env=env).ok()
    sent = outbox(crowd.folder)
    assert len(sent) == READERS
    bodies = {
        PLACES.sub(b"", message.partition(b"\r\n\r\n")[2].replace(b"=\r\n", b"")) for message in sent.values()
    }
    assert len(bodies) == 1
    assert {str(parse(message)["From"]) for message in sent.values()} == {
        "Daily Papers <newsletter@example.org>"
    }
    assert len({str(parse(message)["Date"]) for message in sent.values()}) == 1


def test_a_signal_in_the_last_message_leaves_a_finished_issue(command: Command) -> None:
    command("subscribers", "add", "reader@example.org").ok()
    with SmtpSink(delay=0.5) as slow:
        stopped = finish(
            stop_at(command, 1, lambda: slow.commands.count("DATA"), signal.SIGTERM, smtp_settings(slow))
        )
    assert stopped.code == 0
    assert "of a complete day is sent" in stopped.out
