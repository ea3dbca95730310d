"""A whole turn with a local server of SendGrid's: sent by its API, and what it posts comes back to `newsletter serve`."""

from __future__ import annotations

import time
from collections import Counter

from newsletter.database import Database
from newsletter.states import DeliveryOutcome, DeliveryState
from subscribers.models import AddressState, SubscriptionState
from tests.cli.command import SAMPLE, SENDER, Command, run
from tests.servers.sendgrid import Cut, Fate, Fault, SendGridApi, Webhook
from tests.servers.sendgrid.server import KEY
from tests.support.issues import add_readers
from tests.support.sendgrid_posts import SendGridSigner
from tests.support.serving import SETTINGS, serving
from tests.support.stored import stored

FATES = list(Fate)
READERS = 3 * len(FATES)
DELIVERED = (DeliveryOutcome.DELIVERED, AddressState.ACTIVE, SubscriptionState.ACTIVE)
ENDS = {
    Fate.DELIVERED: DELIVERED,
    Fate.DEFERRED: DELIVERED,
    Fate.OPENED: DELIVERED,
    Fate.PROCESSED: (DeliveryOutcome.UNKNOWN, AddressState.ACTIVE, SubscriptionState.ACTIVE),
    Fate.BOUNCED: (DeliveryOutcome.BOUNCED, AddressState.BOUNCED, SubscriptionState.ACTIVE),
    Fate.DROPPED: (DeliveryOutcome.BOUNCED, AddressState.BOUNCED, SubscriptionState.ACTIVE),
    Fate.BLOCKED: (DeliveryOutcome.BOUNCED, AddressState.ACTIVE, SubscriptionState.ACTIVE),
    Fate.COMPLAINED: (DeliveryOutcome.COMPLAINED, AddressState.COMPLAINED, SubscriptionState.ACTIVE),
    Fate.UNSUBSCRIBED: (DeliveryOutcome.DELIVERED, AddressState.ACTIVE, SubscriptionState.UNSUBSCRIBED),
}


def fate(address: str) -> Fate:
    return FATES[int(address.partition("@")[0].removeprefix("reader")) % len(FATES)]


def settings(api: SendGridApi) -> dict[str, str]:
    own = {"API_KEY": KEY, "BASE_URL": api.url, "TIMEOUT": "5", "CONNECTIONS": "1"}
    table = {f"NEWSLETTER_PROVIDER__SENDGRID__{name}": value for name, value in own.items()}
    return {**SENDER, "NEWSLETTER_PROVIDER__NAME": "sendgrid", **table}


def test_lost_answers_are_settled_by_events_that_come_late_three_times_and_mixed(command: Command) -> None:
    signer = SendGridSigner()
    with serving(
        command.folder, settings=f'{SETTINGS}[provider.sendgrid]\nwebhook_key = "{signer.verification_key}"\n'
    ) as served:
        database = Database(command.folder / "newsletter.db")
        add_readers(database, READERS)
        database.close()
        webhook = Webhook(
            url=f"{served.address}/events/sendgrid",
            signer=signer,
            fate=fate,
            late=1,
            copies=3,
            shuffled=True,
            batch=25,
        )
        with SendGridApi(faults=[Fault(cut=Cut.AFTER, taken=True)], webhook=webhook) as api:
            counts = run(command, "--from", SAMPLE, env=settings(api))["counts"]
            assert stored(command.folder, "SELECT 1 FROM delivery_problem WHERE cause = 'uncertain'")
            assert counts["uncertain"] + counts["accepted"] == READERS
            assert api.poster is not None
            assert api.poster.settle()
            end = time.monotonic() + 30
            while stored(command.folder, "SELECT 1 FROM event WHERE state = 0"):
                assert time.monotonic() < end
                time.sleep(0.05)
            assert "already sent" in run(command, "--from", SAMPLE, env=settings(api))["sentence"]

            assert set(api.counts.values()) == {1}, "nobody got it twice"
            assert len(api.counts) == READERS, "nobody is lost"
            assert set(api.poster.posts) == {200}
    sql = (
        "SELECT p.email, d.state, d.outcome, p.state, s.state FROM subscriber p JOIN delivery d ON d.subscriber_id = p.id"
        " JOIN subscription s ON s.subscriber_id = p.id"
    )
    ended = {
        address: (state, (outcome, *own)) for address, state, outcome, *own in stored(command.folder, sql)
    }
    assert ended == {address: (DeliveryState.ACCEPTED, ENDS[fate(address)]) for address in api.counts}
    kinds = Counter(kind for (kind,) in stored(command.folder, "SELECT kind FROM event"))
    assert kinds.total() == 3 * sum(len(each.value) for each in FATES), "each event once"
    assert stored(command.folder, "SELECT DISTINCT state FROM event") == [(1,)]
