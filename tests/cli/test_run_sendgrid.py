"""`newsletter run` by SendGrid's API: who got it, who did not, and what happens when the API has troubles."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from tests.cli.command import PEOPLE, SAMPLE, SENDER, Command, run
from tests.servers.sendgrid import Cut, Fault, SendGridApi
from tests.servers.sendgrid.answers import errors
from tests.servers.sendgrid.rules import Broken
from tests.servers.sendgrid.server import KEY

ISSUE = "2024-09-12"


def settings(api: SendGridApi, **more: str) -> dict[str, str]:
    own = {"API_KEY": KEY, "BASE_URL": api.url, "TIMEOUT": "2", "CONNECTIONS": "2", **more}
    table = {f"NEWSLETTER_PROVIDER__SENDGRID__{name}": value for name, value in own.items()}
    return {**SENDER, "NEWSLETTER_PROVIDER__NAME": "sendgrid", **table}


def test_everybody_in_one_request_and_once(people: Command) -> None:
    with SendGridApi() as api:
        document = run(people, "--from", SAMPLE, env=settings(api))
        assert (document["state"], document["counts"]["accepted"]) == ("finished", 3)
        assert sorted(mail.address for mail in api.delivered) == sorted(PEOPLE)
        assert len(api.payloads) == 1
        run(people, "--from", SAMPLE, env=settings(api))
        assert len(api.delivered) == 3
    mail = api.delivered[0]
    assert mail.headers["List-Unsubscribe"].startswith("<https://")
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail.headers["List-Unsubscribe"].partition(">")[0][1:]
    assert link in mail.text
    assert link in mail.html
    assert mail.address not in str(mail.custom_args)


def test_a_key_that_is_refused_pauses_and_rejects_nobody(people: Command) -> None:
    with SendGridApi() as api:
        document = run(people, "--from", SAMPLE, env=settings(api, API_KEY="SG.wrong"), code=1)
        assert (document["state"], document["counts"]["waiting"]) == ("paused", 3)
        assert "api_key" in document["sentence"]
        assert run(people, "--from", SAMPLE, env=settings(api))["counts"]["accepted"] == 3


def test_an_answer_that_was_lost_is_held_until_somebody_decides(people: Command) -> None:
    with SendGridApi(faults=[Fault(cut=Cut.AFTER, taken=True)]) as api:
        document = run(people, "--from", SAMPLE, env=settings(api), code=1)
        assert (document["state"], document["counts"]["uncertain"]) == ("finished", 3)
        assert document["counts"]["waiting"] == 0
        run(people, "--from", SAMPLE, env=settings(api))
        assert set(api.counts.values()) == {1}
        people("deliveries", "resolve", ISSUE, "--assume-sent").ok()
        shown = people("issues", "show", ISSUE, "--json").ok().json
    assert shown["counts"]["accepted"] == 3


def test_an_answer_that_was_lost_can_be_sent_again(people: Command) -> None:
    with SendGridApi(faults=[Fault(cut=Cut.AFTER)]) as api:
        env = settings(api, ON_UNCERTAIN="resend") | {"NEWSLETTER_DELIVERY__RETRY": "1 s"}
        assert run(people, "--from", SAMPLE, env=env)["counts"]["accepted"] == 3
        assert set(api.counts.values()) == {1}


def test_a_limit_is_waited_for(people: Command) -> None:
    with SendGridApi(faults=[Fault(status=429, reset=1), Fault(status=429, reset=1)]) as api:
        document = run(people, "--from", SAMPLE, env=settings(api))
    assert (document["state"], document["counts"]["accepted"]) == ("finished", 3)


def test_a_limit_for_longer_than_a_run_waits_pauses_it(people: Command) -> None:
    with SendGridApi(faults=[Fault(status=429, reset=600)]) as api:
        env = settings(api) | {"NEWSLETTER_DELIVERY__WAIT": "5 s"}
        document = run(people, "--from", SAMPLE, env=env, code=1)
        assert (document["state"], document["counts"]["waiting"]) == ("paused", 3)
        assert "429" in document["sentence"]
        assert run(people, "--from", SAMPLE, env=env)["counts"]["accepted"] == 3


def refusing(number: int) -> Fault:
    fault = Broken(message="Does not contain a valid address.", field=f"personalizations.{number}.to.0.email")
    return Fault(status=400, body=errors(fault))


def test_one_address_that_is_none_concerns_nobody_else_and_is_given_up(people: Command) -> None:
    with SendGridApi(faults=[refusing(1), None, refusing(0), None]) as api:
        document = run(people, "--from", SAMPLE, env=settings(api))
        assert (document["counts"]["accepted"], document["counts"]["rejected"]) == (2, 1)
        assert PEOPLE[1] not in api.counts
    shown = people("subscribers", "show", PEOPLE[1], "--json").ok().json
    assert "2 of 3 accepted by sendgrid, 1 rejected;" in document["sentence"]
    assert shown["state"] == "bounced"
    assert "valid address" in shown["suppression"]["reason"]


def test_the_sandbox_sends_nothing(people: Command) -> None:
    with SendGridApi() as api:
        ran = people("run", "--json", "--from", SAMPLE, env=settings(api, SANDBOX="true")).ok()
        assert ran.json["counts"]["accepted"] == 3
        assert "provider.sendgrid.sandbox is on: SendGrid delivers nothing" in ran.err
        assert api.delivered == []


def test_an_issue_that_another_process_brought_to_its_end_is_not_paused(people: Command) -> None:
    def meanwhile(_number: int) -> Fault:
        """Let another process settle everybody while ours waits for the answer that would pause it."""
        with closing(sqlite3.connect(people.folder / "newsletter.db")) as driver, driver:
            driver.execute("UPDATE delivery SET state = 2, claim_id = NULL")
        return Fault(status=401)

    with SendGridApi(faults=meanwhile) as api:
        document = run(people, "--from", SAMPLE, env=settings(api))
    assert (document["state"], document["counts"]["accepted"]) == ("finished", 3)
