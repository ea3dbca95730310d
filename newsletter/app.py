"""The one room that knows every part: it builds them from the settings and never decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.config import Config
from newsletter.database import Database
from newsletter.errors import ConfigError, InputError, SourceError
from newsletter.keys import Keys
from newsletter.models import DayKind, Selection
from newsletter.settings import DEFAULT_EDITION

if TYPE_CHECKING:
    from newsletter.ingestion.files import FileSource
    from newsletter.models import DayOfPapers
    from newsletter.protocols import Provider, Source, Summarizer
    from newsletter.publishing import Identity, Publisher
    from newsletter.templating.issue import Design
    from subscribers.subscriptions import SubscriberList

SECRET_FILE = "newsletter.secret"  # noqa: S105  # the file's name, not the secret
SECRET_FINGERPRINT = "suppression_key"  # noqa: S105  # the name it is stored under
EXAMPLE_ADDRESS = "newsletter@example.org"
EXAMPLE_POSTAL_ADDRESS = "1 Example Street, 12345 Exampletown"
EXAMPLE_URL = "https://newsletter.example.org"
LOOPBACK = ("http://localhost", "http://127.0.0.1", "http://[::1]")


def now() -> datetime:
    """Return the time: the one place that asks for it."""
    return datetime.now(UTC)


class App:
    """The parts of one command, built when asked for. `close` it at the end."""

    def __init__(self, config: Config, warn: Callable[[str], None]) -> None:
        self.config = config
        self.settings = config.settings
        self._warn = warn
        self._database: Database | None = None

    def database(self) -> Database:
        """Return the database with this program's schema; an SQLite file is created or migrated."""
        if self._database is None:
            self._database = self._open()
            self._database.ensure_schema()
            self._check_secret(self._database)
        return self._database

    def existing_database(self) -> Database | None:
        """Return the database for reading only, None if there is no such SQLite file yet."""
        database = self._open(read_only=True)
        if database.is_sqlite and (database.file is None or not database.file.is_file()):
            return None
        self._database = database
        database.ensure_schema()
        return database

    def _read_only_database(self) -> Database:
        """Return the database for reading only; an empty one in memory stands in for a missing file."""
        found = self.existing_database()
        if found is None:
            found = self._database = Database("sqlite://")
            found.ensure_schema()
        return found

    def _open(self, *, read_only: bool = False) -> Database:
        return Database(self.config.database_address(), read_only=read_only)

    def close(self) -> None:
        """Close the database."""
        if self._database is not None:
            self._database.close()

    def edition_name(self, name: str | None) -> str:
        """Return the edition that is meant: the given one, the only one, or `daily`."""
        if name is None:
            name = next(iter(self.settings.editions)) if len(self.settings.editions) == 1 else DEFAULT_EDITION
        self.settings.edition(name)
        return name

    def selection(self, edition: str, top: int | None, min_votes: int | None) -> Selection:
        """Return how many papers to take; ``--top 0`` alone means all of them, whatever their votes."""
        own = self.settings.edition(edition)
        if min_votes is None:
            min_votes = 0 if top == 0 else own.min_votes
        return Selection(top=own.top if top is None else top, min_votes=min_votes)

    def file_source(self, paths: Sequence[Path], day: date | None) -> FileSource:
        """Return the files of ``--from`` as a source; raises `InputError` for a file that cannot be used."""
        from newsletter.ingestion.files import FileSource

        return FileSource(paths, day=day, clock=now)

    def live_source(self) -> Source:
        """Return the configured source."""
        from newsletter.http_client import HttpClient
        from newsletter.ingestion.huggingface import HuggingFaceSource

        settings = self.settings.sources.huggingface
        client = HttpClient(total=settings.timeout)
        return HuggingFaceSource(client, base_url=settings.base_url, closes_at=self._closes_at(), clock=now)

    def candidate_days(self) -> list[date]:
        """Return the closed days that a run without ``--day`` looks at, newest first."""
        from newsletter.publishing import closed_days

        return closed_days(now(), self._closes_at())

    def _closes_at(self) -> time:
        return time.fromisoformat(self.settings.sources.huggingface.closes_at)

    def day_for_preview(self, paths: Sequence[Path], day: date | None) -> DayOfPapers:
        """Return the day to preview: the files, else a collected day, else the bundled one, else fetched."""
        from newsletter import store
        from newsletter.sample import SAMPLE_DAY, sample_day_path

        if paths:
            source = self.file_source(paths, day)
            return source.fetch(source.day)
        database = self.existing_database()
        if database is not None:
            with database.read() as connection:
                found = store.newest_day(connection) if day is None else store.find_day(connection, day)
            if found is not None:
                return found
        if day in {None, SAMPLE_DAY}:
            sample = self.file_source([sample_day_path()], SAMPLE_DAY)
            return sample.fetch(SAMPLE_DAY)
        assert day is not None
        collected = self.live_source().fetch(day)
        if not collected.papers:
            reason = collected.warnings[-1] if collected.warnings else f"the day is {collected.kind.value}"
            error = SourceError if collected.kind is DayKind.FAILED else InputError
            raise error(
                f"no papers could be had: {reason}",
                subject=str(day),
                remedy="choose another --day, or --from",
            )
        return collected

    def summarizer(self) -> Summarizer:
        """Return the chain of summarizers: what came with the paper, else its own sentences, else the title."""
        from newsletter.summaries.chain import SummaryChain
        from newsletter.summaries.digest import DigestSummarizer
        from newsletter.summaries.extractive import ExtractiveSummarizer

        return SummaryChain([DigestSummarizer(), ExtractiveSummarizer()])

    def design(self, edition: str) -> Design:
        """Return how the letter looks."""
        from newsletter.templating.issue import Design

        folder = self.settings.theme.templates
        return Design(
            name=self.settings.theme.name,
            full=self.settings.edition(edition).full,
            postal_address=self.settings.sender.postal_address or EXAMPLE_POSTAL_ADDRESS,
            templates=self.config.path(folder) if folder else None,
        )

    def identity(self, *, example: bool) -> Identity:
        """Return who sends. ``example`` fills what is not set by example values, with a warning; else refuse."""
        from newsletter.delivery.recipients import Links
        from newsletter.publishing import Identity

        sender, url = self.settings.sender, self.settings.web.public_url
        usable_url = url.startswith("https://") or url.startswith(LOOPBACK)
        if url and not usable_url:
            raise ConfigError(
                f"{url!r} is not an https address", subject="web.public_url", remedy="use https://..."
            )
        missing = [
            name
            for name, value in (
                ("sender.email", sender.email),
                ("sender.postal_address", sender.postal_address),
                ("web.public_url or sender.unsubscribe_mailbox", url or sender.unsubscribe_mailbox),
            )
            if not value
        ]
        if missing and not example:
            raise ConfigError(
                f"{', '.join(missing)} must be set before mail goes out by {self.settings.provider.name}",
                remedy='set it in newsletter.toml (`newsletter init` writes one), or use provider.name = "outbox"',
            )
        if missing:
            self._warn(f"example values stand in for {', '.join(missing)}")
        address = _check_sender(sender.email or EXAMPLE_ADDRESS)
        return Identity(
            newsletter=self.settings.theme.name,
            from_name=sender.name,
            from_address=address,
            postal_address=sender.postal_address or EXAMPLE_POSTAL_ADDRESS,
            links=Links(
                public_url=url or ("" if sender.unsubscribe_mailbox else EXAMPLE_URL),
                unsubscribe_mailbox=sender.unsubscribe_mailbox,
                message_domain=address.rpartition("@")[2],
            ),
        )

    def provider(self) -> Provider:
        """Return the configured provider."""
        settings = self.settings.provider
        if settings.name == "outbox":
            from newsletter.providers.outbox import OutboxProvider

            return OutboxProvider(self.config.path(settings.outbox.path))
        if settings.name == "smtp":
            from newsletter.providers.smtp import SmtpProvider, SmtpSettings

            smtp = settings.smtp
            return SmtpProvider(
                SmtpSettings(
                    host=smtp.host, port=smtp.port, username=smtp.username, password=smtp.password.reveal(),
                    tls=smtp.tls, timeout=smtp.timeout,
                    ca_file=self.config.path(smtp.ca_file) if smtp.ca_file else None,
                )
            )  # fmt: skip
        raise ConfigError(
            "this version does not speak SendGrid's API yet", subject="provider.name",
            remedy='use "smtp" with host smtp.sendgrid.net, username "apikey" and the key as password',
        )  # fmt: skip

    def publisher(
        self,
        edition: str,
        source: Source,
        *,
        report: Callable[[str], None],
        progress: Callable[[int, int], None],
        dry_run: bool = False,
    ) -> Publisher:
        """Return one edition's run with all its parts; a dry one can only read the database."""
        from newsletter.publishing import Publisher

        own = self.settings.edition(edition)
        smtp = self.settings.provider.name == "smtp"
        return Publisher(
            edition=edition,
            language=own.language,
            selection=self.selection(edition, None, None),
            provider=self.provider(),
            identity=self.identity(example=self.settings.provider.name == "outbox"),
            database=self._read_only_database() if dry_run else self.database(),
            source=source,
            summarizer=self.summarizer(),
            design=self.design(edition),
            connections=self.settings.provider.smtp.connections if smtp else 1,
            clock=now,
            report=report,
            progress=progress,
        )

    def subscriber_list(self) -> SubscriberList:
        """Return the list of subscribers; the first call makes the secret that keys its suppressions."""
        from newsletter import store
        from subscribers.subscriptions import ListSettings, SubscriberList

        database = self.database()
        secret = self._keys(database).read_or_make()
        with database.write() as connection:
            if store.get_setting(connection, SECRET_FINGERPRINT) is None:
                store.put_setting(connection, SECRET_FINGERPRINT, secret.fingerprint)
        self._check_secret(database)
        return SubscriberList(ListSettings(hash_key=secret.suppressions))

    def _check_secret(self, database: Database) -> None:
        """Refuse to work with another secret than the one that this database was made with."""
        from newsletter import store

        with database.read() as connection:
            known = store.get_setting(connection, SECRET_FINGERPRINT)
        if known is not None:
            self._keys(database).check(known)

    def _keys(self, database: Database) -> Keys:
        folder = database.file.parent if database.file is not None else self.config.folder
        return Keys(folder / SECRET_FILE, self.config.secret)


def _check_sender(address: str) -> str:
    from subscribers.addresses import parse_address
    from subscribers.errors import SubscribersError

    try:
        return parse_address(address).email
    except SubscribersError as error:
        raise ConfigError(str(error), subject="sender.email") from error
