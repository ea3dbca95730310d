"""Every setting, as the tables of ``newsletter.toml``, with its help, default and bounds.

`newsletter config`, `newsletter init` and docs/settings.md are made from what stands here.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from newsletter.errors import ConfigError
from newsletter.languages import shipped

DEFAULT_EDITION = "daily"


class Secret:
    """A value that never shows in a log or a repr."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return "Secret('***')" if self._value else "Secret('')"


def without_password(url: str) -> str:
    """Return a database's URL without its password, wherever in it that stands."""
    hidden = re.sub(r"(://[^:/@]*:).*@", r"\1***@", url)
    return re.sub(r"(?i)(password=)[^&]*", r"\1***", hidden)


class _Table(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the file."""


class Database(_Table, frozen=True):
    url: Annotated[
        str,
        Meta(description="SQLAlchemy URL; sqlite:///FILE is relative to the file, postgresql:// works too."),
    ] = "sqlite:///newsletter.db"


class HuggingFace(_Table, frozen=True):
    base_url: Annotated[str, Meta(description="Where the daily papers API is.", pattern=r"^https?://")] = (
        "https://huggingface.co"
    )
    closes_at: Annotated[
        str,
        Meta(description="UTC time at which a day has all its papers.", pattern=r"^([01]\d|2[0-3]):[0-5]\d$"),
    ] = "16:00"
    token: Annotated[
        Secret, Meta(description="Access token, for a higher rate limit; better set by the environment.")
    ] = Secret("")
    timeout: Annotated[
        float, Meta(description="Seconds that fetching one page may take in all.", gt=0, le=600)
    ] = 60.0


class Arxiv(_Table, frozen=True):
    categories: Annotated[
        list[str], Meta(description="Categories whose feed is read, all in one request.", min_length=1)
    ] = msgspec.field(default_factory=lambda: ["cs.AI", "cs.CL", "cs.LG"])
    announce: Annotated[
        list[Literal["new", "cross", "replace"]],
        Meta(description="Announcements that count: new papers, cross-lists, replacements.", min_length=1),
    ] = msgspec.field(default_factory=lambda: ["new"])
    feed_url: Annotated[str, Meta(description="Where arXiv's feeds are.", pattern=r"^https?://")] = (
        "https://rss.arxiv.org"
    )
    api_url: Annotated[
        str,
        Meta(description="Where arXiv's API is; it is asked for what a feed lacks.", pattern=r"^https?://"),
    ] = "https://export.arxiv.org"
    pause: Annotated[
        float, Meta(description="Seconds between two requests to arXiv, over all processes.", ge=0, le=60)
    ] = 3.0


class Feed(_Table, frozen=True):
    url: Annotated[str, Meta(description="Address of an RSS, Atom or JSON feed.", pattern=r"^https?://")]


class Sources(_Table, frozen=True):
    use: Annotated[
        list[str],
        Meta(description="Sources of a day, merged: huggingface, arxiv, or names of feeds.", min_length=1),
    ] = msgspec.field(default_factory=lambda: ["huggingface"])
    history_days: Annotated[
        int, Meta(description="Earlier days whose votes a run observes again.", ge=0, le=60)
    ] = 14
    keep_raw_days: Annotated[
        int, Meta(description="Days that the sources' answers are kept for `newsletter replay`.", ge=0)
    ] = 30
    huggingface: HuggingFace = HuggingFace()
    arxiv: Arxiv = Arxiv()
    feeds: dict[str, Feed] = msgspec.field(default_factory=dict)


class ProviderTable(_Table, frozen=True):
    """What a provider is told. Its field in `Provider` has the name that chooses it."""

    @property
    def real_mail(self) -> bool:
        """Whether what it takes goes to people: then the sender's example values do not do."""
        return True

    @property
    def connections(self) -> int:
        """How many of its connections send at the same time."""
        return 1

    @property
    def remark(self) -> str:
        """What a run says of it first; empty for nothing."""
        return ""


class LocalTable(ProviderTable, frozen=True):
    """A provider whose mails stay on this machine."""

    @property
    def real_mail(self) -> bool:
        return False


class OutboxTable(LocalTable, frozen=True):
    path: Annotated[str, Meta(description="Maildir that mails are written to; any mail client opens it.")] = (
        "outbox"
    )


class ConsoleTable(LocalTable, frozen=True):
    pass


class FileTable(LocalTable, frozen=True):
    path: Annotated[
        str, Meta(description="Folder that mails are written to, an .eml file each, to look at.")
    ] = "mails"


class SmtpTable(ProviderTable, frozen=True):
    host: Annotated[str, Meta(description="Name of the mail server.")] = "localhost"
    port: Annotated[
        int, Meta(description="Its port (587 for STARTTLS, 465 for implicit TLS).", ge=1, le=65535)
    ] = 587
    username: Annotated[str, Meta(description="User to log in with; empty means no log-in.")] = ""
    password: Annotated[Secret, Meta(description="Its password; better set by the environment.")] = Secret("")
    tls: Annotated[
        Literal["starttls", "implicit", "none"],
        Meta(description="Encryption. With starttls a server that does not offer it is refused."),
    ] = "starttls"
    ca_file: Annotated[
        str, Meta(description="Certificate authority of the server, if it is one of your own.")
    ] = ""
    connections: Annotated[int, Meta(description="Connections that send at the same time.", ge=1, le=64)] = 1
    messages_per_connection: Annotated[
        int,
        Meta(
            description="Messages after which a connection is renewed; some servers stop at 100. 0 means never.",
            ge=0,
        ),
    ] = 100
    timeout: Annotated[float, Meta(description="Seconds to wait for any one answer.", gt=0, le=600)] = 30.0
    on_uncertain: Annotated[
        Literal["resend", "hold"],
        Meta(
            description="What becomes of a letter whose answer was lost: sent once more with the same Message-ID, or "
            "kept until `deliveries resolve`."
        ),
    ] = "resend"


class SendgridTable(ProviderTable, frozen=True):
    api_key: Annotated[
        Secret, Meta(description='API key with the permission "Mail Send"; better set by the environment.')
    ] = Secret("")
    base_url: Annotated[
        str,
        Meta(
            description="Where the API is; accounts in the EU have https://api.eu.sendgrid.com.",
            pattern=r"^https?://",
        ),
    ] = "https://api.sendgrid.com"
    sandbox: Annotated[bool, Meta(description="Have SendGrid check every request and deliver nothing.")] = (
        False
    )
    track_opens: Annotated[
        bool, Meta(description="Let SendGrid put a picture into letters that tells who opens them.")
    ] = False
    track_clicks: Annotated[
        bool, Meta(description="Let SendGrid lead every link through a server of its own, to count clicks.")
    ] = False
    connections: Annotated[int, Meta(description="Connections that send at the same time.", ge=1, le=64)] = 8
    timeout: Annotated[float, Meta(description="Seconds that one request may take.", gt=0, le=600)] = 30.0
    ca_file: Annotated[
        str, Meta(description="Certificate authority of the server, if it is one of your own.")
    ] = ""
    on_uncertain: Annotated[
        Literal["resend", "hold"],
        Meta(
            description="What becomes of letters whose answer was lost: kept until an event or `deliveries resolve` "
            "tells, or sent once more."
        ),
    ] = "hold"
    webhook_key: Annotated[
        str,
        Meta(
            description="Verification key of the event webhook, as SendGrid shows it; without it no events are taken."
        ),
    ] = ""
    events_max_age: Annotated[
        str,
        Meta(
            description="How long ago, or ahead, events may have been signed (10 min, 24 h).",
            pattern=r"^(\d{1,4} ?(s|min)|\d{1,2} ?h)$",
        ),
    ] = "10 min"

    @property
    def remark(self) -> str:
        return "provider.sendgrid.sandbox is on: SendGrid delivers nothing" if self.sandbox else ""


class SesTable(ProviderTable, frozen=True):
    region: Annotated[
        str,
        Meta(
            description="Region of your Amazon SES, such as eu-west-1; empty takes that of AWS's own settings.",
            pattern=r"^$|^[a-z]{2,}(-[a-z]+)+-\d+$",
        ),
    ] = ""
    access_key_id: Annotated[
        str,
        Meta(description="Key to sign requests with; empty takes the credentials that AWS's own tools find."),
    ] = ""
    secret_access_key: Annotated[Secret, Meta(description="Its secret; better set by the environment.")] = (
        Secret("")
    )
    configuration_set: Annotated[
        str,
        Meta(
            description="Configuration set to send with: it says which events go to SNS.",
            pattern=r"^[A-Za-z0-9_-]{0,64}$",
        ),
    ] = ""
    topic: Annotated[
        str,
        Meta(
            description="ARN of the SNS topic that its events go to; only from there they are taken.",
            pattern=r"^$|^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}$",
        ),
    ] = ""
    base_url: Annotated[
        str,
        Meta(description="Where its API is; empty means that of the region.", pattern=r"^$|^https?://"),
    ] = ""
    connections: Annotated[int, Meta(description="Connections that send at the same time.", ge=1, le=64)] = 8
    timeout: Annotated[float, Meta(description="Seconds that one request may take.", gt=0, le=600)] = 30.0
    ca_file: Annotated[
        str, Meta(description="Certificate authority of the server, if it is one of your own.")
    ] = ""
    on_uncertain: Annotated[
        Literal["resend", "hold"],
        Meta(
            description="What becomes of a letter whose answer was lost: kept until an event or `deliveries resolve` "
            "tells, or sent once more."
        ),
    ] = "hold"


class PostmarkTable(ProviderTable, frozen=True):
    token: Annotated[Secret, Meta(description="Server API token; better set by the environment.")] = Secret(
        ""
    )
    stream: Annotated[
        str, Meta(description="Message stream of your server, one for broadcasts.", min_length=1)
    ] = "broadcast"
    webhook_secret: Annotated[
        Secret,
        Meta(description="Password in the address of the webhook; without it no events are taken."),
    ] = Secret("")
    base_url: Annotated[str, Meta(description="Where its API is.", pattern=r"^https?://")] = (
        "https://api.postmarkapp.com"
    )
    connections: Annotated[int, Meta(description="Connections that send at the same time.", ge=1, le=64)] = 4
    timeout: Annotated[float, Meta(description="Seconds that one request may take.", gt=0, le=600)] = 60.0
    ca_file: Annotated[
        str, Meta(description="Certificate authority of the server, if it is one of your own.")
    ] = ""
    on_uncertain: Annotated[
        Literal["resend", "hold"],
        Meta(
            description="What becomes of letters whose answer was lost: kept until an event or `deliveries resolve` "
            "tells, or sent once more."
        ),
    ] = "hold"


class _Choice(_Table, frozen=True):
    """Tables of providers, of which ``name`` chooses one."""

    @property
    def own(self) -> ProviderTable:
        """The table of the chosen one."""
        chosen: ProviderTable = getattr(self, getattr(self, "name"))  # noqa: B009  # the field is below this class
        return chosen


class Provider(_Choice, frozen=True):
    name: Annotated[
        Literal["outbox", "console", "file", "smtp", "sendgrid", "ses", "postmark"],
        Meta(
            description="Who takes the mails: smtp, sendgrid, ses (Amazon) or postmark; or nobody, to try things out: "
            "outbox (a Maildir), console (standard error) or file."
        ),
    ] = "outbox"
    outbox: OutboxTable = OutboxTable()
    console: ConsoleTable = ConsoleTable()
    file: FileTable = FileTable()
    smtp: SmtpTable = SmtpTable()
    sendgrid: SendgridTable = SendgridTable()
    ses: SesTable = SesTable()
    postmark: PostmarkTable = PostmarkTable()


_DURATION = r"^(\d{1,6} ?(s|min|h)|\d{1,5} ?d)$"  # at most some hundred years: a time so long ago exists
_UNITS = {"s": "seconds", "min": "minutes", "h": "hours", "d": "days"}


def duration(text: str) -> timedelta:
    """Return how long ``30 s``, ``30 min``, ``12 h`` or ``2 d`` is."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz ")
    return timedelta(**{_UNITS[text[len(number) :].strip()]: int(number)})


_RATE = r"^$|^[1-9]\d{0,6} ?/ ?(s|min)$"


def interval(rate: str) -> timedelta | None:
    """Return the time between two messages at a rate such as ``600/min``; None for no rate."""
    number, _, unit = rate.partition("/")
    return duration(f"1{unit.strip()}") / int(number) if rate else None


class WarmUp(_Table, frozen=True):
    begins: Annotated[
        str,
        Meta(
            description="First day (UTC) of the plan of a new sender, as YYYY-MM-DD; empty means no plan.",
            pattern=r"^$|^\d{4}-\d{2}-\d{2}$",
        ),
    ] = ""
    first: Annotated[int, Meta(description="Messages on that day, over all processes.", ge=1)] = 200
    growth: Annotated[
        float, Meta(description="How many times as many each day has as the day before.", gt=1, le=10)
    ] = 2.0
    until: Annotated[int, Meta(description="Messages a day at which the plan is through.", ge=1)] = 100_000


class Breaker(_Table, frozen=True):
    rejected: Annotated[
        float,
        Meta(
            description="Share of the last 200 recipients that may be refused before the issue is paused; 1 for all.",
            gt=0,
            le=1,
        ),
    ] = 0.2
    failed: Annotated[
        float,
        Meta(description="Share that may fail for a while, or without an answer.", gt=0, le=1),
    ] = 0.5  # fmt: skip
    bounced: Annotated[
        float,
        Meta(
            description="Share of the accepted letters that may bounce for good; fewer than 200 count as 200.",
            gt=0,
            le=1,
        ),
    ] = 0.05
    complained: Annotated[
        float,
        Meta(description="Share of them that may be complained about, from 5 complaints on.", gt=0, le=1),
    ] = 0.003


class Delivery(_Table, frozen=True):
    rate: Annotated[
        str,
        Meta(
            description="Most messages in a time, over all processes, such as 600/min or 20/s; empty means no bound.",
            pattern=_RATE,
        ),
    ] = ""
    domains: Annotated[
        dict[str, Annotated[str, Meta(pattern=_RATE)]],
        Meta(description="Such a bound for the recipients at a domain (gmail.com: 120/min), by domain."),
    ] = msgspec.field(default_factory=dict)
    per_day: Annotated[
        int, Meta(description="Most messages a day (UTC), over all processes; 0 means no bound.", ge=0)
    ] = 0
    at_cap: Annotated[
        Literal["carry", "hold"],
        Meta(
            description="What becomes of an issue that does not fit into its day: the next day's runs carry it on, or "
            "it is held until `issues resume`."
        ),
    ] = "carry"
    wait: Annotated[
        str,
        Meta(
            description="How far away the next try may be for `run` to wait for it (30 s, 30 min, 12 h, 2 d).",
            pattern=_DURATION,
        ),
    ] = "30 min"
    retry: Annotated[
        str,
        Meta(
            description="Pause after a first temporary refusal, a second at least; it doubles up to an hour.",
            pattern=rf"(?=[1-9]){_DURATION}",
        ),
    ] = "1 min"
    give_up: Annotated[
        str,
        Meta(
            description="How long a temporary refusal is tried again before it counts as refused.",
            pattern=_DURATION,
        ),
    ] = "12 h"
    keep: Annotated[
        str,
        Meta(
            description="How long it is kept what became of each delivery of an issue; then only their counts are. "
            "Empty: for good.",
            pattern=rf"^$|{_DURATION}",
        ),
    ] = "365 d"
    warm_up: WarmUp = WarmUp()
    breaker: Breaker = Breaker()


class Sender(_Table, frozen=True):
    email: Annotated[str, Meta(description="Address that the letter comes from.")] = ""
    name: Annotated[str, Meta(description="Name beside that address.")] = "Daily Papers"
    postal_address: Annotated[
        str, Meta(description="Your postal address, printed in the foot; mail law asks for it.")
    ] = ""
    unsubscribe_mailbox: Annotated[
        str, Meta(description="Mailbox that takes unsubscribe mails, for newsletters without a web server.")
    ] = ""


class Dkim(_Table, frozen=True):
    domain: Annotated[
        str,
        Meta(
            description="Domain to sign for: that of sender.email, or one above it. Empty: nothing is signed."
        ),
    ] = ""
    keys: Annotated[
        dict[str, str],
        Meta(
            description="PEM files of the keys that sign, by selector (k2026: dkim-k2026.pem); each of several signs."
        ),
    ] = msgspec.field(default_factory=dict)


class Web(_Table, frozen=True):
    public_url: Annotated[
        str, Meta(description="Public https address of this newsletter's pages (unsubscribe links).")
    ] = ""
    host: Annotated[str, Meta(description="Address that `newsletter serve` listens on.")] = "127.0.0.1"
    port: Annotated[int, Meta(description="Its port; 0 takes any that is free.", ge=0, le=65535)] = 8000
    trusted_proxies: Annotated[
        list[str],
        Meta(description="Networks of your proxies; X-Forwarded-For is believed from these alone."),
    ] = msgspec.field(default_factory=lambda: ["127.0.0.0/8", "::1/128"])
    metrics: Annotated[
        list[str],
        Meta(
            description="Networks that may read the numbers at /metrics; for everybody else they are not there."
        ),
    ] = msgspec.field(default_factory=lambda: ["127.0.0.0/8", "::1/128"])
    signups_per_network: Annotated[
        int, Meta(description="Sign-ups an hour from one network (/24, IPv6 /48).", ge=1)
    ] = 20
    signups_per_minute: Annotated[int, Meta(description="Sign-ups a minute in all.", ge=1)] = 60
    role_addresses: Annotated[
        Literal["accept", "refuse"],
        Meta(description="Sign-ups of addresses that belong to a role, such as info@."),
    ] = "accept"
    disposable: Annotated[
        Literal["accept", "refuse"],
        Meta(description="Sign-ups of addresses of well-known services for throw-away mail."),
    ] = "accept"
    keep_network: Annotated[
        bool, Meta(description="Whether the record of a consent holds the network that it came from.")
    ] = False


class Inbox(_Table, frozen=True):
    host: Annotated[
        str, Meta(description="Name of the IMAP server (TLS) that bounces come to; empty means none.")
    ] = ""
    port: Annotated[int, Meta(description="Its port.", ge=1, le=65535)] = 993
    username: Annotated[str, Meta(description="User to log in with.")] = ""
    password: Annotated[Secret, Meta(description="Its password; better set by the environment.")] = Secret("")
    folder: Annotated[str, Meta(description="Folder to read.", min_length=1)] = "INBOX"
    ca_file: Annotated[
        str, Meta(description="Certificate authority of the server, if it is one of your own.")
    ] = ""
    timeout: Annotated[float, Meta(description="Seconds to wait for any one answer.", gt=0, le=600)] = 30.0
    return_path: Annotated[
        str,
        Meta(
            description="Address that letters by SMTP come back to (the envelope's sender); empty means sender.email."
        ),
    ] = ""
    verp: Annotated[
        bool,
        Meta(
            description="Whether each reader's letters come back to an address of their own, such as "
            "bounces+KEY-1@example.org: a proof where a bounce quotes nothing. The mailbox must take such addresses."
        ),
    ] = False
    soft_bounces: Annotated[
        int,
        Meta(
            description="Soft bounces, of as many letters, after which an address is suppressed.",
            ge=1,
            le=100,
        ),
    ] = 5
    soft_days: Annotated[int, Meta(description="Days within which they count.", ge=1, le=365)] = 30


class Log(_Table, frozen=True):
    level: Annotated[
        Literal["off", "error", "warning", "info", "debug"],
        Meta(description="What of a send is logged: off is nothing, debug each message that is accepted."),
    ] = "off"
    format: Annotated[
        Literal["text", "json"], Meta(description="Lines of the log: text, or a JSON object each.")
    ] = "text"
    file: Annotated[
        str, Meta(description="File that the log is appended to; empty means standard error.")
    ] = ""
    addresses: Annotated[
        bool, Meta(description="Whether the log may hold people's addresses; without it they are masked.")
    ] = False


class Backup(_Table, frozen=True):
    folder: Annotated[str, Meta(description="Folder that `newsletter backup create` writes to.")] = "backups"
    keep: Annotated[
        int,
        Meta(description="How many backups it keeps there; older ones of its own naming are removed.", ge=1),
    ] = 7


class Theme(_Table, frozen=True):
    name: Annotated[
        str,
        Meta(description="The newsletter's name, at the top of the letter.", pattern=r"\S", max_length=80),
    ] = "Daily Papers"
    logo: Annotated[
        str,
        Meta(
            description="Address (https) of a PNG, JPEG, GIF or WebP in place of the name, drawn 32 pixels high."
        ),
    ] = ""
    accent: Annotated[
        str, Meta(description="Colour of the marker, as #RRGGBB; the text on it is chosen for contrast.")
    ] = "#FFE24A"
    font: Annotated[
        str,
        Meta(
            description="Fonts of our own words, in order, such as Inter, Arial, sans-serif; empty means the system's."
        ),
    ] = ""
    title_font: Annotated[
        str, Meta(description="Fonts of the papers' titles, in order; empty means a serif.")
    ] = ""
    layout: Annotated[
        Literal["digest", "brief"],
        Meta(description="How much is told: a digest of the papers, or a brief list of their titles."),
    ] = "digest"
    templates: Annotated[
        str, Meta(description="Folder of your own templates; a file there replaces ours of the same name.")
    ] = ""


class Schedule(_Table, frozen=True):
    at: Annotated[str, Meta(description="Local time of sending.", pattern=r"^([01]\d|2[0-3]):[0-5]\d$")] = (
        "07:30"
    )
    days: Annotated[str, Meta(description="Days of sending, such as mon-fri, mon,wed,fri or daily.")] = (
        "mon-fri"
    )
    timezone: Annotated[str, Meta(description="IANA time zone of these times, such as Asia/Seoul.")] = "UTC"
    approve: Annotated[
        bool,
        Meta(
            description="Whether each issue waits for your word: a draft is mailed to alerts.email, with a link."
        ),
    ] = False
    latest: Annotated[
        str,
        Meta(
            description="Local time of that day after which nothing is begun; the issue is held.",
            pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        ),
    ] = "12:00"


class AlertProvider(_Choice, frozen=True):
    name: Annotated[
        Literal["", "outbox", "file", "smtp", "sendgrid", "ses", "postmark"],
        Meta(
            description="Who takes the mails to you, if not the newsletter's own: outbox, file, smtp, sendgrid, ses or "
            "postmark."
        ),
    ] = ""
    outbox: OutboxTable = OutboxTable()
    file: FileTable = FileTable()
    smtp: SmtpTable = SmtpTable()
    sendgrid: SendgridTable = SendgridTable()
    ses: SesTable = SesTable()
    postmark: PostmarkTable = PostmarkTable()


class Alerts(_Table, frozen=True):
    email: Annotated[
        str,
        Meta(description="Your own address: alerts are mailed to it, and drafts that wait for your word."),
    ] = ""
    webhook: Annotated[
        Secret,
        Meta(description="Address (https) that alerts are posted to; better set by the environment."),
    ] = Secret("")
    webhook_format: Annotated[
        Literal["json", "slack", "discord"],
        Meta(description="What is posted: an object of ours, or a message."),
    ] = "json"
    ping: Annotated[
        Secret,
        Meta(
            description="Address that is told that runs happen: /start before one, it itself after, /fail if it failed."
        ),
    ] = Secret("")
    on: Annotated[
        list[Literal["failed", "held", "missed", "quiet"]],
        Meta(
            description="What there is an alert for: a run that failed, an issue that waits for a hand, one that was"
            " not finished by the schedule's latest, a day without papers."
        ),
    ] = msgspec.field(default_factory=lambda: ["failed", "held", "missed", "quiet"])
    provider: AlertProvider = AlertProvider()


class Edition(_Table, frozen=True):
    language: Annotated[
        str, Meta(description=f"Language of the letter's own words: {', '.join(shipped())}.")
    ] = "en"
    top: Annotated[int, Meta(description="Papers in an issue; 0 means all.", ge=0)] = 15
    full: Annotated[
        int, Meta(description="Entries with their sections, from the top; 0 means every entry.", ge=0)
    ] = 4
    images: Annotated[
        Literal["remote", "none"],
        Meta(
            description="The lead's picture: remote loads it from its source, whose host learns who opened the letter;"
            " none leaves it out."
        ),
    ] = "remote"
    subject: Annotated[
        str,
        Meta(
            description="The subject; {title}, {name}, {second}, {third}, {n} (papers that it does not name), {votes},"
            " {date} and {newsletter} in it are filled. Empty, or for a day of fewer papers: one made from the first."
        ),
    ] = ""
    preheader: Annotated[
        str,
        Meta(
            description="The line after the subject in an inbox, with the same names; empty means one that is made."
        ),
    ] = ""
    min_votes: Annotated[
        int, Meta(description="Votes a paper needs (filled up to 5 papers by others).", ge=0)
    ] = 2
    carry_days: Annotated[
        int, Meta(description="Days that a paper which was not sent stays a candidate.", ge=0, le=30)
    ] = 3
    quiet: Annotated[
        Literal["skip", "note", "roll-up"],
        Meta(
            description="A day without papers: skip it, send a note that says so, or the best that was not sent yet."
        ),
    ] = "skip"
    not_ready: Annotated[
        Literal["wait", "send-what-is-there", "skip"],
        Meta(
            description="A day that is not complete: wait for the next run, send what is there, or skip the day."
        ),
    ] = "wait"
    welcome: Annotated[
        Literal["none", "short", "newest-issue"],
        Meta(
            description="Mail to somebody who confirmed: none, a short welcome, or that and the newest issue."
        ),
    ] = "short"
    schedule: Annotated[
        Schedule | None,
        Meta(description="When the edition is sent by `run --if-due`; `run` alone sends at once."),
    ] = None


class Settings(_Table, frozen=True):
    """Everything that can be set."""

    database: Database = Database()
    sources: Sources = Sources()
    provider: Provider = Provider()
    delivery: Delivery = Delivery()
    sender: Sender = Sender()
    dkim: Dkim = Dkim()
    alerts: Alerts = Alerts()
    web: Web = Web()
    inbox: Inbox = Inbox()
    log: Log = Log()
    backup: Backup = Backup()
    theme: Theme = Theme()
    editions: dict[str, Edition] = msgspec.field(default_factory=lambda: {DEFAULT_EDITION: Edition()})

    def edition(self, name: str) -> Edition:
        """Return an edition's settings; raise `ConfigError` for a name that is not configured."""
        if name not in self.editions:
            known = ", ".join(sorted(self.editions))
            raise ConfigError(f"there is no edition {name!r}", remedy=f"configured are: {known}")
        return self.editions[name]
