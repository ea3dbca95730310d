"""Tells the operator how runs go: mail, a webhook, a dead man's ping. Whatever goes wrong here changes no send."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from newsletter import store
from newsletter.alerts import Alert, alert_of, document, ping_address, without_secrets
from newsletter.app.identity import checked_address
from newsletter.config.descriptions import describe
from newsletter.errors import ConfigError, NewsletterError, SourceError
from newsletter.settings.base import Secret

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.results import RunResult
    from newsletter.scheduling import Scheduled

_Made = TypeVar("_Made")
SECONDS = 3.0  # that a server has for its answer
AGAIN = timedelta(hours=20)  # the same alert comes once a day, also where the daily run is a little early


class Voices:
    """Tells how the runs of an edition go. Nothing is raised: what cannot be told is a warning."""

    def __init__(self, app: App, edition: str, warn: Callable[[str], None]) -> None:
        self._app, self._edition, self._warn = app, edition, warn
        self._settings = app.settings.alerts
        self._begun = False

    def begin(self) -> None:
        """Say that a run begins; the first time alone."""
        if not self._begun:
            self._begun = True
            self._ping("/start", "")

    def follow(self, send: Scheduled) -> None:
        """Say that a scheduled run begins when something is due."""
        send.publisher, send.dispatcher = self._begun_by(send.publisher), self._begun_by(send.dispatcher)

    def _begun_by(self, make: Callable[[], _Made]) -> Callable[[], _Made]:
        def made() -> _Made:
            self.begin()
            return make()

        return made

    def ended(self, result: RunResult, *, over: bool = True) -> None:
        """Say how a run ended; one that is not ``over`` is tried again, and not well until then."""
        alert = alert_of(result, self._app.settings.theme.name, self._secrets(), self._app.clock())
        sentence = without_secrets(result.sentence, self._secrets())
        if not result.ok:
            self._ping("/fail", sentence)
        elif self._begun and over:
            self._ping("", sentence)
        if alert is not None and alert.trouble.value in self._settings.on:
            if self._settings.webhook:
                self._once("webhook", alert, self._post)
            if self._settings.email:
                self._once("email", alert, self._write)
        if self._settings.email:
            self._mail_waiting()

    def _once(self, voice: str, alert: Alert, tell: Callable[[Alert], None]) -> None:
        """Tell something that was not told lately; without a database that remembers it is told each time."""
        name = f"{voice} {alert.name}"
        try:
            try:
                with self._app.databases.open().write() as connection:
                    news = store.is_news(connection, name, alert.at, again=AGAIN)
            except (ConfigError, NewsletterError):
                news = True
            if news:
                tell(alert)
        except Exception as error:  # noqa: BLE001  # an alert that fails must not make a run fail
            self._warn(f"the alert was not sent (alerts.{voice}): {self._problem(error)}")
            with suppress(ConfigError, NewsletterError), self._app.databases.open().write() as connection:
                store.was_not_told(connection, name)

    def _post(self, alert: Alert) -> None:
        told = json.dumps(document(alert, self._settings.webhook_format), ensure_ascii=False)
        self._send(self._settings.webhook, self._settings.webhook.reveal(), told, "application/json")

    def _ping(self, end: str, sentence: str) -> None:
        if not self._settings.ping:
            return
        try:
            address = ping_address(self._settings.ping.reveal(), end)
            self._send(self._settings.ping, address, sentence, "text/plain; charset=utf-8")
        except Exception as error:  # noqa: BLE001  # as above
            self._warn(f"the ping was not sent (alerts.ping): {self._problem(error)}")

    def _send(self, setting: Secret, address: str, body: str, kind: str) -> None:
        from newsletter.http_client import HttpClient

        client = HttpClient(connect=SECONDS, read=SECONDS, total=SECONDS)
        status = client.post(address, body.encode(), {"Content-Type": kind})
        if not 200 <= status < 300:
            raise SourceError(f"{urlsplit(setting.reveal()).hostname} answered {status}")

    def _write(self, alert: Alert) -> None:
        from newsletter.delivery.notices import AboutAlert, alert_operator

        address = checked_address(self._settings.email, "alerts.email")
        text = f"{alert.sentence}\n\nnewsletter status tells how everything stands."
        about = AboutAlert(subject=f"[Alert] {alert.title}", text=text, at=alert.at)
        with self._app.databases.open().write(durable=True) as connection:
            alert_operator(connection, address, about)

    def _mail_waiting(self) -> None:
        """Mail the alerts that are due, those too that could not be mailed before."""
        from newsletter.delivery import notices

        try:
            with self._app.databases.open().read() as connection:
                due = notices.is_due(connection, self._app.clock(), notices.NoticeKind.ALERT)
            fault = (
                self._app.senders.correspondence(self._warn, alerts_alone=True).drain().fault if due else ""
            )
        except Exception as error:  # noqa: BLE001  # as above
            fault = self._problem(error)
        if fault:
            self._warn(f"an alert waits to be mailed: {without_secrets(fault, self._secrets())}")

    def _problem(self, error: Exception) -> str:
        """Return what went wrong, without the address that it went wrong at: that is a secret."""
        problem = error.problem if isinstance(error, (ConfigError, NewsletterError)) else str(error)
        return without_secrets(problem, self._secrets())

    def _secrets(self) -> list[str]:
        config = self._app.config
        found = [config.value(info.path) for info in describe() if info.kind == "secret"]
        return [secret.reveal() for secret in (*found, config.secret) if isinstance(secret, Secret)]
