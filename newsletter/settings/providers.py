"""Who takes the mails: a table for each provider, and which of them is chosen."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta

from newsletter.settings.base import BASE_URL, Secret, Table

_Connections = Annotated[int, Meta(description="Connections that send at the same time.", ge=1, le=64)]
_Seconds = Annotated[float, Meta(description="Seconds that one request may take.", gt=0, le=600)]
_Authority = Annotated[
    str, Meta(description="Certificate authority of the server, if it is one of your own.")
]
_InDoubt = Annotated[
    Literal["resend", "hold"],
    Meta(
        description="What becomes of letters whose answer was lost: kept until an event or `deliveries resolve` tells, "
        "or sent once more."
    ),
]


class ProviderTable(Table, frozen=True):
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
    host: Annotated[
        str,
        Meta(description="Name of the mail server alone, such as smtp.example.org.", pattern=r"^[^\s/@]*$"),
    ] = "localhost"
    port: Annotated[
        int, Meta(description="Its port (587 for STARTTLS, 465 for implicit TLS).", ge=1, le=65535)
    ] = 587
    username: Annotated[str, Meta(description="User to log in with; empty means no log-in.")] = ""
    password: Annotated[Secret, Meta(description="Its password; better set by the environment.")] = Secret("")
    tls: Annotated[
        Literal["starttls", "implicit", "none"],
        Meta(description="Encryption. With starttls a server that does not offer it is refused."),
    ] = "starttls"
    ca_file: _Authority = ""
    connections: _Connections = 1
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
            pattern=BASE_URL,
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
    connections: _Connections = 8
    timeout: _Seconds = 30.0
    ca_file: _Authority = ""
    on_uncertain: _InDoubt = "hold"
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
            description="Configuration set to send with (letters, digits, - and _): it says which events go to SNS.",
            pattern=r"^[A-Za-z0-9_-]{0,64}$",
        ),
    ] = ""
    topic: Annotated[
        str,
        Meta(
            description="ARN of the SNS topic that its events go to, as arn:aws:sns:REGION:ACCOUNT:NAME; only from "
            "there they are taken.",
            pattern=r"^$|^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_.-]{1,256}$",
        ),
    ] = ""
    base_url: Annotated[
        str,
        Meta(
            description="Where its API is, as https://HOST; empty means that of the region.",
            pattern=rf"^$|{BASE_URL}",
        ),
    ] = ""
    connections: _Connections = 8
    timeout: _Seconds = 30.0
    ca_file: _Authority = ""
    on_uncertain: _InDoubt = "hold"


class PostmarkTable(ProviderTable, frozen=True):
    token: Annotated[Secret, Meta(description="Server API token; better set by the environment.")] = Secret(
        ""
    )
    stream: Annotated[
        str, Meta(description="Message stream of your server, one for broadcasts.", min_length=1)
    ] = "broadcast"
    webhook_secret: Annotated[
        Secret,
        Meta(
            description="Password in the address of the webhook, 16 letters at least; without it no events are taken."
        ),
    ] = Secret("")
    base_url: Annotated[str, Meta(description="Where its API is, as https://HOST.", pattern=BASE_URL)] = (
        "https://api.postmarkapp.com"
    )
    connections: _Connections = 4
    timeout: _Seconds = 60.0
    ca_file: _Authority = ""
    on_uncertain: _InDoubt = "hold"


class _Choice(Table, frozen=True):
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
