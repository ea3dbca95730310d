"""The daily send by Postmark: a local server of its API."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.command import PEOPLE, SAMPLE, SENDER, Command, assert_complains, run
from tests.servers.postmark import TOKEN, Fault, PostmarkServer


@pytest.fixture
def server() -> Iterator[PostmarkServer]:
    """Return a server of Postmark's API."""
    with PostmarkServer() as running:
        yield running


def postmark_settings(server: PostmarkServer, **more: str) -> dict[str, str]:
    """Return the variables that make the local server the provider."""
    own = {"TOKEN": TOKEN, "BASE_URL": server.url, **more}
    settings = {f"NEWSLETTER_PROVIDER__POSTMARK__{name}": value for name, value in own.items()}
    return {**SENDER, "NEWSLETTER_PROVIDER__NAME": "postmark", **settings}


def test_a_day_is_sent_in_one_request(people: Command, server: PostmarkServer) -> None:
    document = run(people, "--from", SAMPLE, env=postmark_settings(server))
    assert (document["state"], document["counts"]["accepted"]) == ("finished", 3)
    assert server.requests == [3]
    assert sorted(mail["Address"] for mail in server.taken) == sorted(PEOPLE)
    headers = {each["Name"]: each["Value"] for each in server.taken[0]["Headers"]}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["List-Unsubscribe"].startswith("<https://news.example.org/u/")


def test_one_is_refused_and_what_is_in_doubt_is_held(people: Command, server: PostmarkServer) -> None:
    server.codes[PEOPLE[0]] = (406, "Found inactive addresses")
    assert run(people, "--from", SAMPLE, env=postmark_settings(server))["counts"]["rejected"] == 1
    server.faults = [Fault(drops=True, taken=True)]
    env = postmark_settings(server)
    counts = run(people, "--from", SAMPLE, "--day", "2024-09-13", env=env, code=1)["counts"]
    assert (counts["uncertain"], counts["waiting"]) == (3, 0)
    assert len(server.taken) == 4


def test_an_account_that_may_not_send_pauses(people: Command, server: PostmarkServer) -> None:
    server.codes[PEOPLE[1]] = (412, "Your account is pending approval")
    env = {**postmark_settings(server), "NEWSLETTER_DELIVERY__RETRY": "1 s"}
    document = run(people, "--from", SAMPLE, env=env, code=1)
    assert (document["state"], document["counts"]["accepted"], document["counts"]["waiting"]) == (
        "paused",
        2,
        1,
    )
    assert "412 Your account is pending approval" in document["sentence"]
    server.codes.clear()
    assert run(people, "--from", SAMPLE, env=env)["counts"]["accepted"] == 3
    assert sorted(mail["Address"] for mail in server.taken) == sorted(PEOPLE)


@pytest.mark.parametrize(("token", "words"), [("", "is not set"), ("a b", "white space")])
def test_a_token_that_is_none(command: Command, server: PostmarkServer, token: str, words: str) -> None:
    result = command("run", "--from", SAMPLE, env=postmark_settings(server, TOKEN=token))
    assert_complains(result, "provider.postmark.token", words)
    assert list(command.folder.iterdir()) == []
