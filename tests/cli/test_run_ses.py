"""The daily send by Amazon SES: a local server of its API."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from newsletter.database import Database
from newsletter.delivery.events import put_down
from newsletter.providers.ses_events import SesEvents
from newsletter.providers.sns import Topic
from tests.cli.command import PEOPLE, SAMPLE, SENDER, Command, assert_complains, finish, run
from tests.servers.ses import KEY_ID, REGION, SECRET, Fault, SesServer
from tests.support.issues import add_readers, address
from tests.support.mail import parse
from tests.support.sns import ARN, NOW, Amazon, body
from tests.support.torture import length, tell

READERS, KILLS, CONNECTIONS = length(60, 1_000), length(2, 25), 4


@pytest.fixture
def ses(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SesServer]:
    """Return a server of SES's API."""
    with SesServer(tmp_path_factory.mktemp("ses")) as running:
        yield running


def ses_settings(server: SesServer, **more: str) -> dict[str, str]:
    """Return the variables that make the local server the provider."""
    own = {
        "REGION": REGION, "BASE_URL": server.url, "CA_FILE": str(server.ca_file), "ACCESS_KEY_ID": KEY_ID,
        "SECRET_ACCESS_KEY": SECRET, **more,
    }  # fmt: skip
    settings = {f"NEWSLETTER_PROVIDER__SES__{name}": value for name, value in own.items()}
    return {**SENDER, "NEWSLETTER_PROVIDER__NAME": "ses", **settings}


def test_a_day_is_sent(people: Command, ses: SesServer) -> None:
    document = run(people, "--from", SAMPLE, env=ses_settings(ses, CONFIGURATION_SET="daily"))
    assert (document["state"], document["counts"]["accepted"]) == ("finished", 3)
    assert sorted(mail.recipient for mail in ses.taken) == sorted(PEOPLE)
    for mail in ses.taken:
        message = parse(mail.data)
        assert message["To"] == mail.recipient
        assert message["Message-ID"].startswith(f"<{mail.tags['delivery'].replace('_', '.')}@")
        assert mail.configuration_set == "daily"


def test_one_is_refused_and_one_in_doubt(people: Command, ses: SesServer) -> None:
    ses.faults += [
        Fault(status=400, error="BadRequestException", message="Illegal address", recipient=PEOPLE[0]),
        Fault(drops=True, taken=True, recipient=PEOPLE[1]),
    ]
    sent = run(people, "--from", SAMPLE, env=ses_settings(ses))
    counts = sent["counts"]
    assert (counts["accepted"], counts["rejected"], counts["uncertain"]) == (1, 1, 1)
    assert "1 of 3 accepted by ses, 1 rejected, 1 uncertain; `newsletter deliveries list" in sent["sentence"]
    again = run(people, "--from", SAMPLE, env=ses_settings(ses))["counts"]
    assert again == counts
    assert len(ses.taken) == 2  # what is in doubt is held


def test_an_event_settles_what_was_in_doubt(people: Command, ses: SesServer) -> None:
    ses.faults.append(Fault(drops=True, taken=True, recipient=PEOPLE[1]))
    env = ses_settings(ses)
    assert run(people, "--from", SAMPLE, env=env)["counts"]["uncertain"] == 1
    (mail,) = [mail for mail in ses.taken if mail.recipient == PEOPLE[1]]
    tags = {name: [value] for name, value in mail.tags.items()}
    told = json.dumps({"eventType": "Send", "mail": {"tags": tags}, "send": {}})
    events = SesEvents(Topic(ARN, Amazon().fetch)).read({}, body(told), NOW)
    database = Database(people.folder / "newsletter.db")
    with database.write() as connection:
        assert put_down(connection, "ses", events, NOW) == 1
    database.close()
    people("events", "work").ok()
    assert run(people, "--from", SAMPLE, env=env)["counts"]["accepted"] == 3
    assert len(ses.taken) == 3


def test_throttled_it_waits_and_goes_on(people: Command, ses: SesServer) -> None:
    ses.faults.append(Fault(status=429, error="TooManyRequestsException", times=1, skip=1))
    assert run(people, "--from", SAMPLE, env=ses_settings(ses, CONNECTIONS="1"))["counts"]["accepted"] == 3
    assert (len(ses.taken), ses.requests) == (3, 4)


@pytest.mark.parametrize("as_json", [False, True])
def test_a_test_tells_what_was_answered_before_a_fault(
    command: Command, ses: SesServer, *, as_json: bool
) -> None:
    ses.faults.append(Fault(status=429, error="TooManyRequestsException", times=1, skip=1))
    words = ["send", "2024-09-12", "--test", "me@example.org", "--test", "you@example.org"]
    result = command(*words, *["--json"] * as_json, env=ses_settings(ses))
    assert result.code == 1
    told = (
        [f"{row['address']}: {row['outcome']}" for row in result.json] if as_json else result.out.splitlines()
    )
    assert len(told) == 1
    assert told[0].startswith("me@example.org: accepted")
    assert "nobody was rejected; send the test again later" in result.err


def test_an_account_that_may_not_send_pauses(people: Command, ses: SesServer) -> None:
    ses.faults.append(
        Fault(status=400, error="AccountSuspendedException", message="The account is suspended.")
    )
    document = run(people, "--from", SAMPLE, env=ses_settings(ses), code=1)
    assert (document["state"], document["counts"]["waiting"]) == ("paused", 3)
    assert "AccountSuspendedException: The account is suspended; nobody" in document["sentence"]
    ses.faults.clear()
    assert run(people, "--from", SAMPLE, env=ses_settings(ses))["counts"]["accepted"] == 3


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"SECRET_ACCESS_KEY": ""}, "one is set without the other"),
        ({"REGION": "Frankfurt"}, "provider.ses.region"),
        ({"TOPIC": "my-topic"}, "provider.ses.topic"),
    ],
)
def test_settings_that_cannot_be(command: Command, ses: SesServer, more: dict[str, str], words: str) -> None:
    assert_complains(command("run", "--from", SAMPLE, env=ses_settings(ses, **more)), words)
    assert list(command.folder.iterdir()) == []


@pytest.mark.timeout(600)
def test_killed_nobody_is_lost_and_one_a_connection_is_in_doubt(
    command: Command, migrated_file: Path, ses: SesServer
) -> None:
    shutil.copy(migrated_file, command.folder / "newsletter.db")
    database = Database(command.folder / "newsletter.db")
    add_readers(database, READERS)
    database.close()
    ses.delay = 0.02
    env = ses_settings(ses, CONNECTIONS=str(CONNECTIONS))
    for number in sorted(random.Random(8058).sample(range(1, READERS * 3 // 4), KILLS)):
        process = command.start("run", "--from", str(SAMPLE), env=env)
        deadline = time.monotonic() + 30
        while len(ses.taken) < number and time.monotonic() < deadline:
            time.sleep(0.001)
        process.send_signal(signal.SIGKILL)
        assert finish(process).code == -signal.SIGKILL
    ses.delay = 0.0
    counts = run(command, "--from", SAMPLE, env=env)["counts"]
    assert counts["accepted"] + counts["uncertain"] == READERS
    assert counts["uncertain"] <= KILLS * CONNECTIONS
    taken = [mail.recipient for mail in ses.taken]
    assert len(taken) == len(set(taken))  # nobody twice
    listed = command("deliveries", "list", "2024-09-12", "--state", "uncertain", "--json").ok().json
    doubtful = {row["email"] for row in listed}
    assert {address(number) for number in range(1, READERS + 1)} - set(taken) <= doubtful  # nobody lost
    tell(
        f"ses: {KILLS} kills of {READERS}: {counts['uncertain']} in doubt, of whom {len(doubtful & set(taken))} have it"
    )


def test_without_its_package_it_says_which(command: Command) -> None:
    script = (
        "import sys; sys.modules['botocore'] = None\n"
        f"from newsletter.cli import main; main(['run', '--from', {str(SAMPLE)!r}])"
    )
    environ = {**os.environ, **SENDER, "NEWSLETTER_PROVIDER__NAME": "ses"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=command.folder, env=environ, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install 'daily-papers-newsletter[ses]'" in done.stderr
    assert not list(command.folder.iterdir())
