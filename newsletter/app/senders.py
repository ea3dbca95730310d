"""What sends: providers, the run of an edition's day, the newsletter's own mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from newsletter.errors import ConfigError
from newsletter.settings.base import duration

if TYPE_CHECKING:
    from newsletter.app import App
    from newsletter.correspondence import Correspondence
    from newsletter.dispatch import Dispatcher
    from newsletter.protocols import Provider, Source
    from newsletter.publishing import Publisher


class Senders:
    """Puts together what sends, from the other parts."""

    def __init__(self, app: App) -> None:
        self._app = app

    def provider(self) -> Provider:
        """Return the configured provider."""
        from newsletter.app.providers import make_provider

        return make_provider(self._app.config, self._app.settings.provider)

    def operator_provider(self) -> Provider:
        """Return the provider of mails to the operator, which may be one of its own."""
        from newsletter.app.providers import make_provider

        own = self._app.settings.alerts.provider
        return make_provider(self._app.config, own) if own.name else self.provider()

    def publisher(
        self,
        edition: str,
        source: Source | None,
        *,
        report: Callable[[str], None],
        progress: Callable[[int, int], None],
        dry_run: bool = False,
    ) -> Publisher:
        """Return one edition's run with all its parts; a dry one can only read the database.

        ``source`` (files) stands in for the configured sources.
        """
        from newsletter.app.summarizing import summarizer
        from newsletter.publishing import Publisher

        settings = self._app.settings
        dispatcher = self.dispatcher(edition, report=report, progress=progress, dry_run=dry_run)
        return Publisher(
            language=settings.edition(edition).language,
            policy=self._app.editions.policy(edition),
            collector=self._app.days.collector(source, dry_run=dry_run),
            history_days=settings.sources.history_days,
            summarizer=summarizer,
            dispatcher=dispatcher,
        )

    def dispatcher(
        self, edition: str, *, report: Callable[[str], None], progress: Callable[[int, int], None],
        dry_run: bool = False,
    ) -> Dispatcher:  # fmt: skip
        """Return what sends an edition's issues; a sender that cannot send is refused before a database is made."""
        from newsletter.app.deciding import asked_of
        from newsletter.app.limiting import limits, patience, threshold
        from newsletter.app.receiving import work
        from newsletter.dispatch import Dispatcher

        app, settings = self._app, self._app.settings
        own = settings.provider.own
        design, provider = app.letters.design(edition), self.provider()
        identity = app.letters.identity(example=not own.real_mail)
        if own.remark:
            app.warn(own.remark)
        return Dispatcher(
            edition=edition,
            database=app.databases.open_read_only() if dry_run else app.databases.open_to_send(),
            provider=provider,
            design=design,
            identity=identity,
            connections=own.connections,
            real_mail=own.real_mail,
            patience=patience(settings.delivery),
            wait=duration(settings.delivery.wait),
            limits=limits(settings.delivery),
            threshold=threshold(settings.delivery),
            ask=asked_of(settings, edition),
            hold_at_cap=settings.delivery.at_cap == "hold",
            catch_up=lambda: work(app).through(),
            clock=app.clock,
            report=report,
            progress=progress,
        )

    def correspondence(self, report: Callable[[str], None], *, alerts_alone: bool = False) -> Correspondence:
        """Return what sends the newsletter's own mail; refuse where its links would lead nowhere."""
        from newsletter.correspondence import Correspondence, Welcome
        from newsletter.delivery.notices import NoticeKind

        app, settings = self._app, self._app.settings
        provider = self.provider()
        identity = app.letters.identity(example=not settings.provider.own.real_mail)
        if not identity.links.public_url and not alerts_alone:
            raise ConfigError(
                "must be set before a confirmation can be mailed: its link leads to a page",
                subject="web.public_url",
                remedy="set it to the https address at which people reach `newsletter serve`",
            )
        return Correspondence(
            database=app.databases.open(), people=app.people.requests(), provider=provider, identity=identity,
            operator_provider=self.operator_provider(), keys=app.keys.links(), editions=frozenset(settings.editions),
            design=app.letters.design, welcome=lambda edition: Welcome(settings.edition(edition).welcome),
            clock=app.clock, report=report, only=NoticeKind.ALERT if alerts_alone else None,
        )  # fmt: skip
