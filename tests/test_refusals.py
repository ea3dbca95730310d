"""Which refusals give an address up: those that say it is not there, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.refusals import TABLE, Kind, judge

HARD = [
    # The status says it.
    "550 5.1.1 <nora@example.org>: Recipient address rejected: User unknown in local recipient table",
    "550 5.1.1 <nora@example.org>... User unknown",
    "550-5.1.1 The email account you wanted does\n550-5.1.1 not exist here.\n550 5.1.1 See https://mail.example/spam-policy",
    "550 5.1.1 spam@bulk.example: no mailbox",
    "550 5.1.1 <policy.quota@example.org> unknown",
    "550 5.1.1",
    "550 5.1.2 bad destination system",
    "501 5.1.3 that is no address",
    "551 5.1.6 she went to another house",
    "550 5.1.10 RESOLVER.ADR.RecipientNotFound; looked for nora@example.org",
    "556 5.1.10 example.org takes no mail (nullMX)",
    "550 5.4.1 Recipient address rejected: Access denied. [mx7.example.net]",
    # The words say it.
    "550 No such user here",
    "550 nora: unknown user",
    "550 Unknown local part nora in <nora@example.org>",
    "550 unknown or illegal alias: nora@example.org",
    "550 Unrouteable address",
    "550 5.0.0 User unknown",
    "550 5.5.0 Requested action not taken: mailbox unavailable (S2017062302).",
    "550 <nora@example.org> not found",
    "550 Invalid recipient <nora@example.org>",
    "550 5.1.0 Unknown address",
    "551 User not local; please try <nora@example.net>",
    "552 1 Requested mail action aborted, mailbox not found",
    "553 sorry, no mailbox here by that name",
    "553 5.3.0 <nora@example.org>... Addressee unknown",
    "554 delivery error: dd This user doesn't have a mail.example account (nora@mail.example) [-5]",
    "550 that is not a valid mailbox",
    "550 the recipient's account no longer exists",
    "550 nora has no account; the person has left the company",
    "host antispam.example.net[192.0.2.7] said: 550 User unknown (in reply to RCPT TO command)",
    "5.4.4 Host or domain name not found. Name service error for name=nowhere.example type=AAAA: Host not found",
    "550 Host unknown",
    "550 5.4.310 DNS domain nowhere.example does not exist",
    "550 the message was not accepted: invalid mailbox, user nora@example.org not found",
    "521 example.org does not accept mail",
    "550 5.2.1 <nora@example.org> no such user",
    "550 5.5.1 Recipient unknown",
    "550 #5.1.0 Address rejected.",
    "550 5.1.351 Remote server returned unknown recipient or mailbox unavailable",
    "User nora (nora@example.org) not listed in Domino Directory",
    "550 recipient not in our directory",
    "550 Benutzer unbekannt",
    "Sorry, I couldn't find any host named nowhere.example. (#5.1.2)",
    "550 all relevant MX records point to non-existent hosts",
    "550 recipient no longer on server",
    "550 address nora@example.org has been replaced by ada@example.org",
    "Address not found: it couldn't be found, or is unable to receive mail",
]  # fmt: skip

NOT_HARD = [
    (Kind.QUOTA, "552 5.2.2 <nora@example.org> is over quota"),
    (Kind.QUOTA, "550 5.1.1 user nora: mailbox is full"),
    (Kind.QUOTA, "554 5.0.0 Unknown address error 550-'5.2.2 <nora@example.org>... Mailbox full'"),
    (Kind.QUOTA, "552 Requested mail action aborted: exceeded storage allocation"),
    (Kind.QUOTA, "552 5.2.2 no"),
    (Kind.QUOTA, "452 4.2.2 mailbox full"),
    (Kind.QUOTA, "550 the account is out of storage space"),
    (Kind.OTHER, "552 5.3.4 message size exceeds the fixed limit"),
    (Kind.OTHER, "552 5.2.3 message is too large for the mailbox"),
    (Kind.OTHER, "550 5.2.1 the account is disabled"),
    (Kind.OTHER, "554 30 this mailbox is disabled"),
    (Kind.OTHER, "554 5.4.6 mail for example.org loops back to myself"),
    (Kind.OTHER, "554 transaction failed"),
    (Kind.OTHER, "550 <nora@example.org>: unknown error"),
    (Kind.OTHER, "550 mailbox unavailable"),
    (Kind.OTHER, "501 unknown user command"),
    (Kind.OTHER, "535 unknown user"),
    (Kind.OTHER, "550 5.1.4 the address is ambiguous"),
    (Kind.POLICY, "550 5.7.1 policy"),
    (Kind.POLICY, "550 5.7.1 user unknown"),
    (Kind.POLICY, "550 5.1.1 user unknown, or refused by our policy"),
    (Kind.POLICY, "550 5.1.1 rejected as spam"),
    (Kind.POLICY, "550 5.7.26 the mail is not authenticated: SPF and DKIM failed"),
    (Kind.POLICY, "550 5.1.1 no DMARC record, unknown user"),
    (Kind.POLICY, "554 5.7.1 <nora@example.org>: Relay access denied"),
    (Kind.POLICY, "550 relay not permitted"),
    (Kind.POLICY, "553 sorry, that domain isn't in my list of allowed rcpthosts"),
    (Kind.POLICY, "554 5.7.1 Service unavailable; client [192.0.2.1] blocked using rbl.example"),
    (Kind.POLICY, "550 OU-001 no mail from 192.0.2.1: part of their network is on our block list"),
    (Kind.POLICY, "550 SC-001 rejected for policy reasons"),
    (Kind.POLICY, "553 5.7.1 [BL21] connections not accepted, listed by a DNSBL"),
    (Kind.POLICY, "550 <news@example.com>: Sender address rejected: User unknown in virtual mailbox table"),
    (Kind.POLICY, "550 5.1.8 bad sender: domain not found"),
    (Kind.POLICY, "550 Sender verify failed"),
    (Kind.POLICY, "550 administrative prohibition"),
    (Kind.POLICY, "550 5.4.1 access denied"),
    (Kind.POLICY, "550 message filtered: user unknown"),
    (Kind.POLICY, "550 5.7.0"),
    (Kind.SOFT, "450 4.2.1 nora gets mail too quickly"),
    (Kind.SOFT, "450 4.1.1 <nora@example.org>: Recipient address rejected: User unknown in virtual alias table"),
    (Kind.SOFT, "450 no such user"),
    (Kind.SOFT, "421 4.7.0 [TSS04] deferred: unexpected volume"),
    (Kind.SOFT, "550 5.4.5 rate exceeded"),
    (Kind.SOFT, "451 4.7.1 greylisted"),
    (Kind.SOFT, "550 5.1.1 too many unknown recipients"),
    (Kind.SOFT, "421 going down"),
]  # fmt: skip


@pytest.mark.parametrize("reply", HARD)
def test_an_address_that_is_not_there_is_given_up(reply: str) -> None:
    assert judge(reply).kind is Kind.HARD


@pytest.mark.parametrize(("kind", "reply"), NOT_HARD)
def test_anything_else_is_not(kind: Kind, reply: str) -> None:
    assert judge(reply).kind is kind


@pytest.mark.parametrize(
    ("text", "status", "code", "kind"),
    [
        ("", "5.1.1", None, Kind.HARD),
        ("no luck", "5.1.1", 550, Kind.HARD),
        ("550 5.1.1 unknown", "4.1.1", None, Kind.SOFT),
        ("user unknown", "5.1.1", 450, Kind.SOFT),
        ("user unknown", "5.7.1", 550, Kind.POLICY),
        ("user unknown", "5.0.0", None, Kind.HARD),
        ("user unknown", "not a status", None, Kind.HARD),
        ("550 5.2.2 full", "5.0.0", None, Kind.QUOTA),
        ("user unknown", None, 554, Kind.HARD),
        ("user unknown", None, 503, Kind.OTHER),
        ("from 192.5.1.1 and version 5.1.1.2", None, None, Kind.OTHER),
        ("", None, None, Kind.OTHER),
    ],
)
def test_codes_may_come_beside_the_text(text: str, status: str | None, code: int | None, kind: Kind) -> None:
    assert judge(text, status=status, code=code).kind is kind


def test_every_row_has_a_source_and_a_reason_to_tell() -> None:
    assert all(row.source and row.reason for row in TABLE)


WORDS = st.sampled_from((
    "550 ", "450-", "5.1.1", "4.2.2", "5.", "user unknown", "mailbox ", "full", "spam", "host ", "<", ">", "@", "a@b", "https://",
    "not found", ".", "\n", "\x00", "\ud800", "é", " ",
))  # fmt: skip
REPLIES = st.lists(st.one_of(st.text(max_size=30), WORDS), max_size=20).map("".join)


@given(text=REPLIES, status=st.one_of(st.none(), REPLIES), code=st.one_of(st.none(), st.integers(-1, 999)))
def test_any_text_is_judged(text: str, status: str | None, code: int | None) -> None:
    verdict = judge(text, status=status, code=code)
    assert verdict.reason
    if code is not None and code // 100 == 4:
        assert not verdict.hard


@given(
    text=REPLIES,
    noise=st.sampled_from(["quota", "SPAM", "Policy", "blocked", "DMARC", "rate", "relay not permitted"]),
)
def test_words_of_something_else_win(text: str, noise: str) -> None:
    assert not judge(f"550 5.1.1 {noise} ; {text}").hard


def test_a_long_text_takes_no_time() -> None:
    for piece in ("user ", "<a", "a@", "mailbox not ", "host a.b", "5.1.1 ", "exceed a b "):
        assert judge(f"550 {piece * 200_000}").reason
