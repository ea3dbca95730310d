"""What a refusal says of an address: gone for good, or anything else. One table, for replies, bounces and events.

The first row that fits decides. Only what names a mailbox or domain that is not there is hard; words of spam, policy,
quota or rate come before every code, because servers answer 5.1.1 to those too. When in doubt, nobody is given up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

_LONGEST = 4_000  # characters that are looked at; a reply is shorter
_ENHANCED = re.compile(r"(?<![\d.])[245]\.\d{1,3}\.\d{1,3}(?![\d.])")
_BASIC = re.compile(r"\s*([245]\d\d)(?![\d.])")
# What says nothing of the cause and may hold any word: links, servers that are quoted, codes within a sentence.
_NOISE = re.compile(rf"https?://\S+|\bhost \S*\.\w\S*|\b[245]\d\d[- ](?=[245]\.\d)|{_ENHANCED.pattern}")
_ADDRESS = re.compile(r"<[^<>\s]{0,320}>|[^\s<>@,;:()]{1,64}@[^\s<>@,;:()]{1,255}")
_SYNTAX_OR_LOG_IN = range(500, 540)  # RFC 5321 and RFC 4954; of these only 521 speaks of a domain
_REFUSES_MAIL = 521  # RFC 7504


class Kind(Enum):
    """What a refusal is about."""

    HARD = "hard"  # the mailbox or its domain is not there
    SOFT = "soft"  # for now
    POLICY = "policy"  # who sends, what, and how it is proven
    QUOTA = "quota"  # there is no room
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a refusal is, and why in a few words."""

    kind: Kind
    reason: str

    @property
    def hard(self) -> bool:
        """Whether nothing should be sent to the address again."""
        return self.kind is Kind.HARD


FOR_NOW = Verdict(kind=Kind.SOFT, reason="refused for now")
UNKNOWN = Verdict(kind=Kind.OTHER, reason="no reason that is known")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table: it fits if both its words (in lower case) and its status do. ``source`` says so."""

    kind: Kind
    reason: str
    source: str
    words: re.Pattern[str]
    status: re.Pattern[str]


def _row(kind: Kind, reason: str, source: str, *, words: str = "", status: str = ".*") -> Row:
    return Row(kind=kind, reason=reason, source=source, words=re.compile(words), status=re.compile(status))


# No status, or one that says only that something failed (X.Y.0 of RFC 3463). X.7.0 says that it was policy.
_GENERIC = r"|[45]\.0\.\d+|[45]\.[1-6]\.0"
_MAILBOX = (
    r"(?:users?|recipients?|mail ?box(?:es)?|e-?mail|accounts?|address(?:es|ee)?|alias|person|customer"
    r"|local[- ]?part)"
)

TABLE: tuple[Row, ...] = (
    _row(
        Kind.HARD, "the directory does not know the recipient",
        "Microsoft, non-delivery reports in Exchange Online: 5.4.1 of directory-based edge blocking",
        status=r"5\.4\.1", words=r"recipient address rejected: access denied",
    ),
    _row(
        Kind.HARD, "the directory does not know the recipient",
        "HCL Domino and Lotus Notes, delivery failure reports: User not listed in Domino Directory",
        words=r"\bnot listed in (?:the )?(?:public |domino )?(?:name ?& ?address book|directory|address book)",
    ),
    # Words about something else than a mailbox that is not there, whatever the code beside them.
    _row(
        Kind.OTHER, "the message is too large",
        "RFC 1870; RFC 3463 X.2.3 and X.3.4; Google 552 5.3.4; Postfix message_size_limit; Exchange RecipSizeLimit",
        words=r"(?:message|mail|content|data)s?(?: file)?(?: size)? (?:is |was )?(?:too (?:large|big)|exceed)"
        r"|message size|size ?limit|size of (?:the |this |your )?message|too (?:large|big)",
    ),
    _row(
        Kind.QUOTA, "there is no room for it",
        "RFC 3463 X.2.2; RFC 5321 552; Google 452 4.2.2; Yahoo 552 and 554 over quota; Exchange 5.2.2",
        words=r"quota|mail ?(?:box|folder)[^.;]{0,40} full|full mail ?box"
        r"|(?:inbox|account|storage|disk|user|recipient) (?:is |are )?full"
        r"|(?:out of|no|not enough|insufficient)(?: \w+){0,2} (?:space|storage)"
        r"|exceed\w*(?: \w+){0,3} (?:storage|space|allocation)|mailbox size|mailbox (?:has )?exceed"
        r"|(?:storage|space)[^.;]{0,30}(?:exceed|limit|used up)",
    ),
    _row(
        Kind.SOFT, "too much or too fast",
        "Google 421 4.7.0 and 450 4.2.1; Yahoo 421 and 451 TSS04; Microsoft RP-001 to RP-003; Postfix postscreen",
        words=r"\brate\b|too (?:many|much|quick|fast|frequent)|throttl|gr[ae]y-?list|excessive|unusual"
        r"|unexpected volume|try (?:again |it )?later|temporar|\bdefer|\bbusy\b"
        r"|limits? (?:is |was |has been )?(?:exceed|reach)|exceed\w*[^.;]{0,40}limit",
    ),
    _row(
        Kind.POLICY, "spam, or a list of those who send it",
        "Google 550 5.7.1; Yahoo 553 5.7.1 BL; Microsoft 550 SC-001, OU-001 and 5.7.606; Postfix reject_rbl_client",
        words=r"\bspam|\bjunk\b|unsolicited|\bu[cb]e\b|\bbulk\b|phish|virus|malware|suspicious|reputation|abus"
        r"|\b[a-z]*bl\b|(?:black|block|deny|reject) ?-?list|\bblock(?:ed|ing)?\b|\bbann?ed\b|spamhaus|spamcop"
        r"|barracuda|proofpoint|cloudmark|\blisted (?:in|on|at|by)\b",
    ),
    _row(
        Kind.POLICY, "the sender is not authenticated",
        "Google 550 5.7.26; Yahoo 554 5.7.9; Microsoft 550 5.7.515; RFC 7372; RFC 3207",
        words=r"\bspf\b|\bdkim\b|\bdmarc\b|authenticat|\bptr\b|reverse[- ](?:dns|name)|rdns|\bhelo\b|\behlo\b"
        r"|\btls\b|starttls",
    ),
    _row(
        Kind.POLICY, "the server does not relay",
        "Postfix 554 5.7.1 Relay access denied; Exim relay not permitted; Exchange 5.7.54; qmail rcpthosts",
        words=r"relay\w* (?:access |is |has been )?(?:denied|not|prohibited|forbidden|disallowed)"
        r"|(?:\bnot|n't|unable to|cannot|denied to|\bno|open) relay|permitted to relay|rcpthosts",
    ),
    _row(
        Kind.POLICY, "the sender is refused",
        "RFC 3463 X.1.7 and X.1.8; Postfix reject_unlisted_sender, reject_unknown_client_hostname; Exim Sender verify",
        words=r"\bsender(?:'s)?(?: (?:e-?mail|envelope))? (?:address|domain|id|verif|reject|denied|refus|not|is)"
        r"|(?:reject|refus|invalid|bad|unknown|unverif)\w* (?:the |envelope )?sender|mail from|return[- ]path"
        r"|from address|client host|your (?:ip|host|domain|server|mail ?server|address|network)|cannot find your",
    ),
    _row(
        Kind.POLICY, "policy or a filter",
        "RFC 3463 X.7.1; Google Workspace custom policies; Microsoft 550 SC-001; Mimecast administrative prohibition",
        words=r"\bpolic(?:y|ies)\b|filter|prohibit|forbidden|violat|administrativ|unauthori[sz]ed|not authori[sz]ed"
        r"|restrict|access (?:is |was )?denied|permission|user rules|preferences|refuses? to (?:receive|accept)"
        r"|only accept|(?:messages?|mail|sender|delivery|connections?) (?:is |are |was )?not (?:allowed|permitted)"
        r"|(?:mail|connections?) (?:is |are )?not accepted|not (?:allowed|permitted) to|\bcontent\b|\bheaders?\b",
    ),
    _row(
        Kind.OTHER, "a fault of a server",
        "RFC 3463 X.4.6, X.3.5 and X.4.2; Postfix mail for a domain loops back to myself",
        words=r"loops? back|mail loop|too many hops|hop count|(?:configuration|internal|system|local) (?:error|problem)"
        r"|timed? ?out|lost connection|connection (?:refused|reset)",
    ),
    _row(
        Kind.HARD, "the mailbox does not exist", "RFC 5321 550, in the plainest words there are, whatever the detail",
        status=r"5\.[1-6]\.\d+",
        words=r"\b(?:no such|unknown) (?:user|recipient|mailbox)\b"
        r"|\b(?:user|recipient|mailbox) (?:is )?(?:unknown|not found)\b",
    ),
    # The status, where no words say otherwise.
    _row(Kind.QUOTA, "there is no room for it", "RFC 3463 X.2.2", status=r"[45]\.2\.2"),
    _row(Kind.POLICY, "policy", "RFC 3463 X.7; RFC 7372; RFC 7505 X.7.27", status=r"[45]\.7\.\d+"),
    _row(Kind.POLICY, "the sender is refused", "RFC 3463 X.1.7 and X.1.8", status=r"[45]\.1\.[78]"),
    _row(Kind.OTHER, "the mailbox is disabled", "RFC 3463 X.2.1", status=r"[45]\.2\.1"),
    _row(Kind.HARD, "the mailbox does not exist", "RFC 3463 X.1.1", status=r"5\.1\.1"),
    _row(Kind.HARD, "the domain does not exist", "RFC 3463 X.1.2", status=r"5\.1\.2"),
    _row(Kind.HARD, "this is no address", "RFC 3463 X.1.3", status=r"5\.1\.3"),
    _row(Kind.HARD, "the mailbox has moved", "RFC 3463 X.1.6", status=r"5\.1\.6"),
    _row(
        Kind.HARD, "the domain takes no mail, or does not know the recipient",
        "RFC 7505 X.1.10 (null MX); Microsoft 5.1.10 RecipientNotFound", status=r"5\.1\.10",
    ),
    _row(
        Kind.HARD, "the mailbox does not exist",
        "Microsoft, non-delivery reports in Exchange Online: 5.1.351, the other server knows no such recipient",
        status=r"5\.1\.351",
    ),
    # Words, where the status is missing or says nothing. "@" stands where an address stood.
    _row(
        Kind.OTHER, "the mailbox is disabled", "RFC 3463 X.2.1; Google 550 5.2.1; Yahoo 554 mailbox is disabled",
        status=_GENERIC, words=r"disabled|suspend|inactive|not active|deactivat|\block(?:ed|out)\b|on hold|expired",
    ),
    _row(
        Kind.HARD, "the mailbox does not exist",
        "RFC 3463 X.1.1; qmail, Sendmail and Exim: no such user, unknown user, bad destination mailbox address",
        status=_GENERIC,
        words=r"(?:no such|unknown|invalid|non-?exist[ae]nt|unrecogni[sz]ed|undefined|\bbad(?: destination)?|illegal)"
        rf"(?: or \w+)?(?: (?:local|virtual|e-?mail|mailbox|destination|recipient))? {_MAILBOX}\b",
    ),
    _row(
        Kind.HARD, "the mailbox does not exist",
        "Google 550 5.1.1; Postfix User unknown in a table; Sendmail User unknown; Yahoo 552 mailbox not found",
        status=_GENERIC,
        words=rf"(?:\b{_MAILBOX}\b|@)[^.;!]{{0,60}}"
        r"(?:\bunknown\b(?! (?:error|reason|problem|cause|command|status))|\binvalid\b(?! \w)"
        r"|\bnot (?:be )?(?:found|known|exist|valid|recogni[sz]ed|present)|n't (?:be )?(?:found|exist|known|valid)"
        r"|no longer (?:exists?|valid|in use|here|accepts mail))",
    ),
    _row(
        Kind.HARD, "the mailbox does not exist",
        "RFC 5321 550 and 553; Microsoft 550 5.5.0; Exchange RecipNotFound; Exim Unrouteable address; Yahoo 554 dd; "
        "Cisco 550 #5.1.0 Address rejected",
        status=_GENERIC,
        words=r"requested (?:mail )?action (?:not taken|aborted)[:,] mailbox (?:unavailable|name not allowed)"
        r"|recip(?:ient)?notfound|unrouteable address|# address rejected|(?:n't|not) have an? (?:\S+ )?account"
        r"|\bno (?:mailbox|account|one|user)(?: \w+)? (?:here|by|with|at) th"
        rf"|(?:\bnot|n't) (?:an?|our|one of our)(?: (?:valid|known|local|existing))? {_MAILBOX}\b",
    ),
    _row(
        Kind.HARD, "the mailbox does not exist",
        "RFC 5321 550, as directories say it (Exchange, Groupwise, LDAP gateways), and in German, French and Spanish",
        status=_GENERIC,
        words=rf"\b{_MAILBOX}\b(?: is)? not (?:in|on) (?:the |our |this )?(?:directory|database|server|system)"
        rf"|(?:unable to|cannot|couldn't|could not) find (?:the |this |any )?{_MAILBOX}\b"
        rf"|not have such (?:an? )?{_MAILBOX}\b"
        r"|(?:benutzer|empf\S{1,2}nger) unbekannt|unbekannter (?:benutzer|empf)|(?:utilisateur|destinataire) inconnu"
        r"|(?:usuario|destinatario) (?:desconocido|inexistente)",
    ),
    _row(
        Kind.HARD, "the domain does not exist, or takes no mail",
        "RFC 3463 X.1.2; RFC 7504; RFC 7505; Sendmail Host unknown; Postfix 5.4.4 Host not found; Microsoft 5.4.310; "
        "qmail couldn't find any host; Exim all relevant MX records, no SMTP service; Gmail domain couldn't be found",
        status=_GENERIC + r"|5\.4\.(?:4|310)",
        words=r"(?:no such|unknown|non-?exist[ae]nt|invalid|bad)(?: destination)? (?:host|domain|system)s?\b"
        r"|(?:host|domain)(?: name)?(?: \S+)? "
        r"(?:unknown|(?:could(?:n't| not) be|(?:was |is )?not) found|does(?:n't| not) exist)"
        r"|couldn't find any host|host address lookups failed permanently|indicated no smtp service"
        r"|(?:does not|doesn't) accept (?:any )?mail|null ?mx|nxdomain|\bno (?:mx|mail hosts)\b"
        r"|unrouteable mail domain",
    ),
    _row(
        Kind.HARD, "the mailbox has moved", "RFC 5321 551; RFC 3463 X.1.6", status=_GENERIC,
        words=rf"\b{_MAILBOX}\b[^.;!]{{0,30}}(?:has|have) (?:moved|left)|user not local"
        r"|no longer (?:works|employed|with|at|on server)\b"
        r"|address @ has been replaced by",
    ),
)  # fmt: skip


def judge(text: str, *, status: str | None = None, code: int | None = None) -> Verdict:
    """Say what a refusal is. ``text`` is the reply; those of its codes that are not given are read from it.

    A code or a status that is for now is never hard.
    """
    text = text[:_LONGEST]
    told = [each for each in (status, *_ENHANCED.findall(text)) if each and _ENHANCED.fullmatch(each)]
    detail = next((each for each in told if not re.fullmatch(_GENERIC, each)), told[0] if told else "")
    if code is None and (found := _BASIC.match(text)):
        code = int(found[1])
    may_be_hard = not detail.startswith("4") and (code is None or _is_for_good(code, detail))
    words = " ".join(_ADDRESS.sub("@", _NOISE.sub(" ", text.lower())).split())
    for row in TABLE:
        if (
            (row.kind is not Kind.HARD or may_be_hard)
            and row.status.fullmatch(detail)
            and row.words.search(words)
        ):
            return Verdict(kind=row.kind, reason=row.reason)
    if detail.startswith("4") or (code is not None and code < 500):
        return FOR_NOW
    return UNKNOWN


def _is_for_good(code: int, detail: str) -> bool:
    """Say whether a basic code may go with an address that is not there."""
    about_a_command = code in _SYNTAX_OR_LOG_IN and code != _REFUSES_MAIL
    return code >= 500 and not (about_a_command and re.fullmatch(_GENERIC, detail))
