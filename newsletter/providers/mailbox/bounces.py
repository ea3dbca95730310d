"""Finds in a mail which address failed, and what the server said: fields of RFC 3464 first, then free text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from newsletter.delivery.feedback import DELAYED
from newsletter.providers.mailbox.notifications import Fields
from newsletter.providers.mailbox.parts import Parts, address_in
from newsletter.refusals import FOR_NOW, UNKNOWN, Verdict, judge

_STATUS = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_REPLY = re.compile(r"(?<![\w.-])(?:421|4[3-7]\d|5[0-7]\d)(?=[ -]{1,3}[\w<\"'#(\[*])")
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w.-]{1,255}")
_XTEXT = re.compile(r"\+([0-9A-F]{2})")
_KIND_OF_DIAGNOSTIC = re.compile(r"\s*[A-Za-z][\w-]{0,30}\s?;\s*")
_NEAR = 25  # lines behind an address that may say why it failed
_LONGEST_NEAR = 2_500

_BEFORE = 4  # lines before it, where some put the cause
_SAYS_NOTHING = (UNKNOWN, FOR_NOW)

SUCCEEDED = frozenset({"delivered", "relayed", "expanded"})  # RFC 3464

_DAEMON = re.compile(
    r"mailer.?daemon|post.?master|mail.?daemon|mdaemon|^bounces?[@+-]|mail delivery|delivery (?:sub)?system"
    r"|^mail system|mail administrator|system administrator"
)
_SUBJECT = re.compile(
    r"undeliver|non.?deliver|not delivered|returned mail|returned to sender|returning message|failure notice"
    r"|deliver\w*(?: \w+){0,2} (?:fail|status|error|problem|delay|notif|report|unsuccessful)"
    r"|fail\w*(?: \w+){0,3} deliver|mail (?:system )?(?:error|failure)"
    r"|(?:message|mail)(?: \w+){0,2} (?:delay|reject|bounced|blocked|not sent)"
    r"|could(?: not|n't) (?:be )?(?:send|sent|deliver)|cannot (?:send|deliver)|user unknown|unknown user|\bndn\b"
    r"|unzustellbar|nicht zugestellt|non remis|non distribu|no se ha podido entregar|no entregado"
    r"|配信不能|配信エラー|送信できません|退信|系统退信|반송|전송 실패|недоставлен|تعذر التسليم"
)
_ANSWERED = re.compile(r"(?:re|fwd?|aw|sv|antw|wg|tr|rv)\s?:", re.IGNORECASE)
_FAILED = re.compile(
    r"(?:not|n't|unable to|cannot|failed to|impossible to)(?: \w+){0,3} (?:deliver|sent\b|send\b|reach|forward)"
    r"|undeliver|not deliver|(?:delivery|delivering)(?: \S+){0,8} (?:fail|not possible)"
    r"|(?:permanent|fatal)\w*(?: \w+)? error"
    r"|failed (?:permanently|recipient|address)|fail\w* (?:to|for) (?:the )?(?:following|these)"
    r"|rejected|returned (?:to|mail)"
    r"|user unknown|unknown user|no such user|mailbox (?:is )?full|quota|does not exist|bounced|detected as failure"
    r"|could ?not be|can ?not be|(?:have|has) failed|error message|transcript of session|still (?:be )?try|delayed"
    r"|不能|未能|失败|できません|存在し|エラー|없습니다|실패"
)
_RUNS_LATE = re.compile(
    r"warning only|not need to resend|will (?:be retried|retry|keep trying|continue)|still trying|will try again"
    r"|has(?: not yet|n't yet) been delivered|delivery (?:\w+ ){0,3}delayed|not yet been delivered"
    r"|will be (?:re)?tried|delivery attempts will continue"
)
# What may stand before the address that a line is about.
_ABOUT = re.compile(
    r"(?:[\W_\d]{0,12}|.{0,60}\b(?:to|recipients?|address(?:es)?|users?|account|mailbox|addressee|for|failed|deliver\w*)"
    r"\b[^@\w]{0,8})",
    re.IGNORECASE,
)
_NEVER_ABOUT = re.compile(
    r"\b(?:from|sender|message-id|by|reply-to|return-path|contact|postmaster|helpdesk|support)\b[^@]{0,20}$"
    r"|[\w-]*(?:from|id)\s?:",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What a mail says became of one address."""

    recipient: str
    status: str
    verdict: Verdict
    action: str = ""


def failure(parts: Parts) -> Failure | None:
    """Return what failed, or waits, of the first address that failed; None where the mail is no report at all."""
    block, bounce = _block(parts.report), _is_bounce(parts)
    if block is None and bounce:
        block = _block(parts.loose_report)
    if block is not None:
        return _reported(parts, block)
    return _told(parts) if bounce else None


def _block(report: Sequence[Fields]) -> Fields | None:
    """Return the block of the report that counts: what failed, before what waits, before what went well."""
    blocks = [
        each for each in report if {"final-recipient", "original-recipient", "status", "action"} & each.keys()
    ]

    def rank(block: Fields) -> int:
        action = _action(block)
        if action in SUCCEEDED:
            return 3
        return 2 if action == DELAYED else 0 if action else 1

    return min(blocks, key=rank, default=None)


def _action(block: Fields) -> str:
    return block.get("action", "").strip().lower().partition(" ")[0].rstrip(";,")


def _reported(parts: Parts, block: Fields) -> Failure:
    recipient = (
        _typed_address(block.get("original-recipient", ""))
        or _typed_address(block.get("final-recipient", ""))
        or _typed_address(block.get("x-actual-recipient", ""))
        or recipient_in(parts)
    )
    status = _status(block.get("status", ""))
    said = _KIND_OF_DIAGNOSTIC.sub("", block.get("diagnostic-code", ""), count=1)
    near = _near(parts.told, recipient)
    verdict = _first_that_says(status, said, near, *_elsewhere(parts.told, recipient))
    action = _action(block)
    if action == DELAYED and verdict.hard:
        verdict = FOR_NOW
    return Failure(recipient=recipient, status=_detailed(status, said, near), verdict=verdict, action=action)


def _told(parts: Parts) -> Failure:
    recipient = recipient_in(parts)
    near = _near(parts.told, recipient)
    elsewhere = _elsewhere(parts.told, recipient)
    status = _status("\n".join([near, *elsewhere]))
    verdict = _first_that_says("", near, *elsewhere)
    late = _RUNS_LATE.search(f"{parts.subject}\n{parts.told}".lower()[:_LONGEST_NEAR]) is not None
    if late and verdict.hard:
        verdict = FOR_NOW
    return Failure(recipient=recipient, status=status, verdict=verdict, action=DELAYED if late else "failed")


def _verdict(text: str, status: str) -> Verdict:
    """Judge a server's reply where there is one in a text, else the whole text."""
    reply = _REPLY.search(text)
    if reply is not None:
        said = text[reply.start() :].partition("\n\n")[0]
        verdict = judge(said, status=status or None, code=int(reply[0]))
        if verdict not in _SAYS_NOTHING:
            return verdict
    return judge(text, status=status or None, code=int(reply[0]) if reply is not None else None)


def _first_that_says(status: str, *texts: str) -> Verdict:
    """Return the first verdict that names a cause; else the first."""
    verdicts = [_verdict(text, status) for text in texts if text.strip()] or [
        judge("", status=status or None)
    ]
    found = next((each for each in verdicts if each not in _SAYS_NOTHING), verdicts[0])
    return FOR_NOW if found.hard and FOR_NOW in verdicts else found


def _status(text: str) -> str:
    found = _STATUS.search(text)
    return found[0] if found else ""


def _detailed(status: str, *texts: str) -> str:
    """Return the status, or a better one where it says only that something failed."""
    if status and not status.endswith(".0"):
        return status
    return next((found for text in texts if (found := _status(text)) and not found.endswith(".0")), status)


def _typed_address(value: str) -> str:
    """Return the address of a field such as `rfc822; ada@example.org`; what is none, or no mail address, is empty."""
    typed, _, bare = value.rpartition(";")
    if "x400" in typed.lower():
        return ""
    bare = _XTEXT.sub(lambda found: chr(int(found[1], 16)), bare) if "+40" in bare else bare
    found = _ADDRESS.search(bare)
    return _trimmed(found[0]) if found else ""


def _trimmed(address: str) -> str:
    return address.strip(".'`*").lower()


def _is_bounce(parts: Parts) -> bool:
    """Say whether free text is a bounce: it names what failed, or comes from a mail system and says that it failed."""
    if "x-failed-recipients" in parts.head or parts.report_type == "delivery-status":
        return True
    subject, sender = parts.subject.lower(), parts.head.get("from", "").lower()
    if _ANSWERED.match(subject):
        return False
    machine = _DAEMON.search(sender) is not None or _DAEMON.search(parts.sender) is not None
    nobody = parts.head.get("return-path", "").strip() == "<>"
    named = _SUBJECT.search(subject) is not None
    says = _FAILED.search(parts.told.lower()[:8_000]) is not None
    return (
        (machine and (named or says))
        or (named and says)
        or (nobody and says and (bool(parts.returned) or _REPLY.search(parts.told) is not None))
    )


def recipient_in(parts: Parts) -> str:
    """Return the address that a report in free text is about; empty if it names none."""
    named = _ADDRESS.search(parts.head.get("x-failed-recipients", ""))
    if named is not None:
        return _trimmed(named[0])
    own = {parts.sender, address_in(parts.returned.get("from", "")), *map(address_in, parts.came_to)}
    others: list[str] = []
    for address, about in _addresses(parts.told):
        if address in own or _DAEMON.search(address):
            continue
        if about:
            return address
        others.append(address)
    sent_to = address_in(parts.returned.get("to", ""))
    return sent_to if sent_to in others or not others else others[0]


def _addresses(told: str) -> Iterator[tuple[str, bool]]:
    """Yield the addresses of a text, and whether their line is about them."""
    for line in told.split("\n"):
        for found in _ADDRESS.finditer(line[:1_000]):
            before = line[: found.start()]
            if _NEVER_ABOUT.search(before):
                continue
            yield _trimmed(found[0]), _ABOUT.fullmatch(before[-100:]) is not None


def _near(told: str, recipient: str) -> str:
    """Return what a text says behind an address; all of it where the address is not in it."""
    lines = told.split("\n")
    at = [number for number, line in enumerate(lines) if recipient and recipient in line.lower()]
    if not at:
        return told[:_LONGEST_NEAR]
    near = lines[at[0] : at[0] + _NEAR]
    return "\n".join(near)[:_LONGEST_NEAR]


def _elsewhere(told: str, recipient: str) -> tuple[str, ...]:
    """Return where else a cause may stand: at the first reply of a server, or just before the address."""
    reply = _REPLY.search(told)
    lines = told.split("\n")
    at = next((number for number, line in enumerate(lines) if recipient and recipient in line.lower()), 0)
    before = "\n".join(lines[max(0, at - _BEFORE) : at])
    return (told[reply.start() :][:_LONGEST_NEAR] if reply else "", before[:_LONGEST_NEAR])
