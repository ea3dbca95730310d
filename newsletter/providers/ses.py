"""Sends by Amazon SES (its API v2): a signed request for each recipient, with the message as it was composed.

https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from newsletter.composer import Composer
from newsletter.errors import ConfigError, MessageRejected, ProviderBusy, ProviderUnavailable
from newsletter.http_line import Answer, Line, NoAnswer, NotSent, Place, retry_after
from newsletter.messages import mail_address
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.protocols import Connection, Exposure, OnUncertain
from newsletter.providers.answers import Backoff, Means, opened
from newsletter.providers.kept import OfLetter
from newsletter.providers.ses_answers import read
from newsletter.refusals import judge

PATH = "/v2/email/outbound-emails"
DELIVERY, READER = "delivery", "reader"  # the tags that events give back
_MOST_REFUSED = 3  # messages refused one after the other, for no address: it is about the letter
_Signing = Callable[[bytes], Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class SesSettings:
    """Account and place. Where region or keys are empty, they come from where AWS's own tools look for them."""

    region: str = ""
    base_url: str = ""
    access_key_id: str = ""
    secret_access_key: str = field(default="", repr=False)
    configuration_set: str = ""
    timeout: float = 30.0
    ca_file: Path | None = None


class SesProvider:
    """Hands every message to Amazon SES, which signs it for DKIM and gives it another Message-ID and Date.

    SES has no key that would make a request safe to repeat: what was not answered is held until events tell.
    """

    name = "ses"
    batch_size = 500
    exposure = Exposure.FIRST

    def __init__(self, settings: SesSettings, on_uncertain: OnUncertain = OnUncertain.HOLD) -> None:
        self._settings = settings
        self._place, self._sign = _reached(settings)
        self.on_uncertain = on_uncertain

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Connect; raise `ProviderUnavailable` if that fails."""
        with opened(self._place, "provider.ses.region, base_url") as line:
            yield _SesConnection(self._place.base_url, self._settings.configuration_set, line, self._sign)


class _SesConnection:
    def __init__(self, place: str, configuration_set: str, line: Line, sign: _Signing) -> None:
        self._place = place
        self._configured = {"ConfigurationSetName": configuration_set} if configuration_set else {}
        self._line = line
        self._sign = sign
        self._composer = OfLetter(Composer)
        self._refused = 0
        self._backoff = Backoff()

    def send(self, letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        composer = self._composer(letter)
        for recipient in recipients:
            yield self._deliver(composer, recipient)

    def _deliver(self, composer: Composer, recipient: Recipient) -> Receipt:
        try:
            address = mail_address(recipient.address)
            message = composer.compose(recipient)
        except MessageRejected as error:
            return _receipt(recipient, Outcome.REJECTED, str(error))
        if not address.isascii():
            return _receipt(
                recipient, Outcome.REJECTED,
                "Amazon SES takes no address with letters beyond ASCII before the @",
            )  # fmt: skip
        body = msgspec.json.encode(self._request(composer.letter, recipient, address, message))
        try:
            answer = self._line.call("POST", PATH, body, self._sign(body))
        except NotSent as error:
            raise self._not_now(str(error), None) from error
        except NoAnswer as error:
            return _receipt(recipient, Outcome.UNCERTAIN, str(error))
        return self._judged(recipient, answer)

    def _request(
        self, letter: Letter, recipient: Recipient, address: str, message: bytes
    ) -> dict[str, object]:
        return {
            "FromEmailAddress": mail_address(letter.from_address),
            "Destination": {"ToAddresses": [address]},
            "Content": {"Raw": {"Data": base64.b64encode(message).decode()}},
            "EmailTags": [
                {"Name": DELIVERY, "Value": tag(recipient.delivery_id)},
                {"Name": READER, "Value": str(recipient.subscriber_id)},
            ],
            **self._configured,
        }

    def _judged(self, recipient: Recipient, answer: Answer) -> Receipt:
        found = read(answer)
        means, told = found.row.means, found.told
        if means is Means.TAKEN:
            self._refused = 0
            self._backoff.over()
            return _receipt(recipient, Outcome.ACCEPTED, told, found.message_id)
        if means is Means.BUSY:
            raise self._not_now(told, retry_after(answer.headers))
        if means is Means.NOBODY:
            raise self._nobody(told, found.row.remedy)
        if means is Means.DOUBT:
            return _receipt(recipient, Outcome.UNCERTAIN, told)
        self._refused = 0 if found.is_about_address else self._refused + 1
        if self._refused >= _MOST_REFUSED:
            self._refused = 0
            raise self._nobody(f"{_MOST_REFUSED} messages were refused, one after the other: {told}", "")
        return _receipt(recipient, Outcome.REJECTED, told, hard=judge(found.words).hard)

    def _not_now(self, problem: str, seconds: float | None) -> ProviderBusy:
        return self._backoff.busy(problem, seconds, self._place)

    def _nobody(self, problem: str, remedy: str) -> ProviderUnavailable:
        return ProviderUnavailable(
            problem, subject=self._place, remedy=f"nobody was rejected; {remedy or 'look at the letter'}"
        )


def tag(delivery_id: str) -> str:
    """Return a delivery's name as the value of a tag, which holds letters, digits, "-" and "_" alone."""
    return delivery_id.replace(".", "_")  # no name of ours has a "_"


def delivery_of(value: str) -> str:
    """Return the delivery that a tag's value names."""
    return value.replace("_", ".")


def _receipt(
    recipient: Recipient, outcome: Outcome, reply: str, provider_id: str = "", *, hard: bool = False
) -> Receipt:
    return Receipt(
        subscriber_id=recipient.subscriber_id,
        outcome=outcome,
        reply=reply,
        provider_id=provider_id,
        hard=hard,
    )


def _reached(settings: SesSettings) -> tuple[Place, _Signing]:
    """Return where SES is and what signs a body for it; raise `ConfigError` where region or credentials are missing."""
    session = Session()
    try:
        region = settings.region or session.get_config_variable("region")
        if settings.access_key_id:
            credentials = Credentials(settings.access_key_id, settings.secret_access_key)
        else:
            credentials = session.get_credentials()
    except BotoCoreError as error:
        raise ConfigError(
            f"the settings of AWS cannot be used: {error}", subject="provider.ses", remedy="correct them"
        ) from error
    if not region:
        raise ConfigError("is not set", subject="provider.ses.region", remedy="name it, as in eu-west-1")
    if credentials is None:
        raise ConfigError(
            "there are no credentials", subject="provider.ses",
            remedy="set NEWSLETTER_PROVIDER__SES__ACCESS_KEY_ID and ..._SECRET_ACCESS_KEY, or what AWS's own tools use",
        )  # fmt: skip
    base_url = (settings.base_url or f"https://email.{region}.amazonaws.com").rstrip("/")

    def sign(body: bytes) -> Mapping[str, str]:
        request = AWSRequest("POST", base_url + PATH, {"Content-Type": "application/json"}, body)
        try:
            SigV4Auth(credentials.get_frozen_credentials(), "ses", region).add_auth(request)
        except BotoCoreError as error:
            raise ProviderUnavailable(
                f"the credentials cannot be renewed: {error}", subject="provider.ses",
                remedy="nobody was rejected; look at where they come from",
            ) from error  # fmt: skip
        return dict(request.headers.items())

    return Place(base_url=base_url, timeout=settings.timeout, ca_file=settings.ca_file), sign
