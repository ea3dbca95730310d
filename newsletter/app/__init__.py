"""The one room that knows every part: it builds them from the settings and never decides."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from newsletter.app.identity import EXAMPLE_POSTAL_ADDRESS
from newsletter.app.network import Network
from newsletter.config import Config
from newsletter.database import Database
from newsletter.errors import ConfigError, InputError, SourceError
from newsletter.keys import Keys
from newsletter.models.issues import Selection
from newsletter.models.papers import DayKind
from newsletter.settings.base import duration
from newsletter.settings.editions import DEFAULT_EDITION

if TYPE_CHECKING:
    from newsletter.collecting import Collector
    from newsletter.correspondence import Correspondence
    from newsletter.delivery.ledger import Patience
    from newsletter.delivery.standing import Standing
    from newsletter.delivery.tokens import LinkKeys
    from newsletter.dispatch import Dispatcher
    from newsletter.dkim import Signer
    from newsletter.ingestion.files import FileSource
    from newsletter.letters import Identity
    from newsletter.models.issues import Letter
    from newsletter.models.papers import DayOfPapers, Paper
    from newsletter.protocols import Provider, Source, Summarizer
    from newsletter.publishing import Policy, Publisher
    from newsletter.ranker import Candidate
    from newsletter.summaries.audit import Audited
    from newsletter.templating.issue import Design
    from subscribers.book import ListSettings
    from subscribers.exchange import Exchange
    from subscribers.requests import Requests
    from subscribers.subscriptions import SubscriberList
    from subscribers.suppressions import Suppressions
    from subscribers.transfer.importing import Importer

SECRET_FILE = "newsletter.secret"  # noqa: S105  # the file's name, not the secret
SECRET_FINGERPRINT = "suppression_key"  # noqa: S105  # the name it is stored under


def now() -> datetime:
    """Return the time: the one place that asks for it."""
    return datetime.now(UTC)


class App:
    """The parts of one command, built when asked for. `close` it at the end.

    ``clock`` is the time that its runs go by.
    """

    def __init__(self, config: Config, warn: Callable[[str], None]) -> None:
        self.config = config
        self.clock = now
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

    def existing_database(self, *, looking: bool = False) -> Database | None:
        """Return the database for reading only, None if there is no such SQLite file yet (said when ``looking``)."""
        database = self._open(read_only=True)
        if database.is_sqlite and (database.file is None or not database.file.is_file()):
            if looking:
                self._say_none_yet()
            return None
        self._database = database
        database.ensure_schema()
        return database

    def looking_database(self) -> Database:
        """Return the database for a command that looks: none is made, an empty one in memory stands in for it."""
        if self._database is None and (file := self._open().file) is not None and not file.is_file():
            self._say_none_yet()
            self._database = _empty()
        return self.database()

    def _say_none_yet(self) -> None:
        """Warn where there is no newsletter at all: the command may have been given in another folder."""
        if self.config.file is None:
            self._warn(
                "there is no newsletter in this folder yet; `newsletter init` begins one, and one that is elsewhere "
                "is named by --config FILE"
            )

    def standing(self, now: datetime) -> Standing | None:
        """Return how everything stands; None if there is no database yet."""
        from newsletter.delivery.overview import overview

        database = self.existing_database()
        if database is None:
            return None
        with database.read() as connection:
            return overview(connection, now)

    def read_only_database(self) -> Database:
        """Return the database for reading only; an empty one in memory stands in for a missing file."""
        if self._database is not None:
            return self._database
        found = self.existing_database()
        if found is None:
            found = self._database = _empty()
        return found

    def _sending_database(self) -> Database:
        """Return the database; refuse one that was restored from a backup and that nobody has looked at."""
        from newsletter.delivery import restored

        database = self.database()
        with database.read() as connection:
            restored.check(connection)
        return database

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

        return FileSource(paths, day=day, clock=self.clock)

    def live_source(self) -> Source:
        """Return the configured sources as one that remembers nothing (for a preview)."""
        return Network(self.settings.sources, clock=now).source()

    def collector(self, source: Source | None = None, *, dry_run: bool = False) -> Collector:
        """Return what collects days: from the configured sources, or from ``source`` (files) alone."""
        from newsletter.collecting import Collector

        database = self.read_only_database() if dry_run else self.database()
        if source is not None:
            return Collector(database=database, source=source, clock=self.clock)
        network = Network(self.settings.sources, clock=self.clock, database=None if dry_run else database)
        return Collector(
            database=database, source=network.source(), clock=self.clock, history=network.history(),
            taken=network.taken, keep_days=self.settings.sources.keep_raw_days,
        )  # fmt: skip

    def stored_day(self, day: date | None, *, looking: bool = False) -> DayOfPapers | None:
        """Return a collected day that has papers, the newest without ``day``."""
        from newsletter import store

        database = self._database or self.existing_database(looking=looking)
        if database is None:
            return None
        with database.read() as connection:
            return store.newest_day(connection) if day is None else store.find_day(connection, day)

    def candidates(self, edition: str, collected: DayOfPapers) -> list[Candidate]:
        """Return who may stand in an edition's issue of a collected day, as things are now."""
        from newsletter.collecting import candidates

        database = self._database or self.read_only_database()
        carry_days = self.settings.edition(edition).carry_days
        with database.read() as connection:
            return candidates(connection, edition, collected, carry_days=carry_days, as_of=now())

    def replay(self, edition: str, day: date) -> tuple[Letter, Letter]:
        """Return an issue's letter as it was frozen, and made again from the answers that were kept."""
        from newsletter.app.replay import replay

        return replay(self, edition, day)

    def candidate_days(self) -> list[date]:
        """Return the closed days that a run without ``--day`` looks at, newest first."""
        from newsletter.collecting import closed_days

        return closed_days(self.clock(), self._closes_at())

    def _closes_at(self) -> time:
        return time.fromisoformat(self.settings.sources.huggingface.closes_at)

    def day_for_preview(self, paths: Sequence[Path], day: date | None) -> DayOfPapers:
        """Return the day to preview: the files, else a collected day, else the bundled one, else fetched."""
        from newsletter.sample import SAMPLE_DAY, sample_day_path

        if paths:
            source = self.file_source(paths, day)
            return source.fetch(source.day)
        found = self.stored_day(day)
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
                remedy="choose another day, or look at papers of a file: `newsletter preview --from FILE`",
            )
        return collected

    def summarizer(self, papers: Sequence[Paper]) -> Summarizer:
        """Return the chain of summarizers for papers of a day, of which a summary may turn out to fit another.

        It asks for what came with the paper, else its own sentences, else the title.
        """
        from newsletter.summaries.chain import SummaryChain
        from newsletter.summaries.digest import DigestSummarizer
        from newsletter.summaries.extractive import ExtractiveSummarizer
        from newsletter.summaries.gate import Gate

        return SummaryChain([DigestSummarizer(), ExtractiveSummarizer()], Gate(papers))

    def audit_file(self, path: Path, sources: Sequence[Path]) -> tuple[list[Audited], tuple[str, ...]]:
        """Return a digest's entries with what is wrong with them, and the warnings of the files that were read."""
        from newsletter.app.auditing import audit_file

        return audit_file(path, sources)

    def audit_stored(self, day: date | None) -> list[tuple[date, Audited]] | None:
        """Return the summaries of a stored day (the newest without ``day``), checked; None if there are none."""
        from newsletter.app.auditing import audit_days

        database = self.existing_database()
        return audit_days(database, day, newest=day is None) or None if database is not None else None

    def audit_stored_days(self) -> list[tuple[date, Audited]]:
        """Return the summaries of all stored days, checked."""
        from newsletter.app.auditing import audit_days

        database = self.existing_database()
        return audit_days(database, None, newest=False) if database is not None else []

    def design(self, edition: str) -> Design:
        """Return how the letter looks."""
        from newsletter.app.theming import inbox_templates, override_folder, theme
        from newsletter.templating.issue import Design
        from newsletter.templating.theme import Layout

        own = self.settings.edition(edition)
        subject, preheader = inbox_templates(self.config, edition)
        return Design(
            name=self.settings.theme.name,
            theme=theme(self.config),
            full=own.full,
            layout=Layout(self.settings.theme.layout),
            pictures=own.images == "remote",
            subject=subject,
            preheader=preheader,
            postal_address=self.settings.sender.postal_address or EXAMPLE_POSTAL_ADDRESS,
            templates=override_folder(self.config),
            value_bytes=max(320, len(self.settings.web.public_url) + 64),
        )

    def identity(self, *, example: bool) -> Identity:
        """Return who sends. ``example`` fills what is not set by example values, with a warning; else refuse."""
        from newsletter.app.identity import identity

        return identity(self.settings, example=example, warn=self._warn)

    def provider(self) -> Provider:
        """Return the configured provider."""
        from newsletter.app.providers import make_provider

        return make_provider(self.config, self.settings.provider)

    def operator_provider(self) -> Provider:
        """Return the provider of mails to the operator, which may be one of its own."""
        from newsletter.app.providers import make_provider

        own = self.settings.alerts.provider
        return make_provider(self.config, own) if own.name else self.provider()

    def signers(self) -> tuple[Signer, ...]:
        """Return who signs every message (DKIM), none where that is not set."""
        from newsletter.app.signing import signers

        return signers(self.config)

    def policy(self, edition: str) -> Policy:
        """Return what an edition takes, and what it does with odd days."""
        from newsletter.publishing import OnNotReady, OnQuiet, Policy

        own = self.settings.edition(edition)
        return Policy(
            selection=self.selection(edition, None, None), carry_days=own.carry_days, quiet=OnQuiet(own.quiet),
            not_ready=OnNotReady(own.not_ready),
        )  # fmt: skip

    def patience(self) -> Patience:
        """Return how long a temporary refusal is tried again."""
        from newsletter.delivery.ledger import Patience

        own = self.settings.delivery
        return Patience(first=duration(own.retry), give_up=duration(own.give_up))

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
        from newsletter.publishing import Publisher

        dispatcher = self.dispatcher(edition, report=report, progress=progress, dry_run=dry_run)
        return Publisher(
            language=self.settings.edition(edition).language,
            policy=self.policy(edition),
            collector=self.collector(source, dry_run=dry_run),
            history_days=self.settings.sources.history_days,
            summarizer=self.summarizer,
            dispatcher=dispatcher,
        )

    def dispatcher(
        self, edition: str, *, report: Callable[[str], None], progress: Callable[[int, int], None],
        dry_run: bool = False,
    ) -> Dispatcher:  # fmt: skip
        """Return what sends an edition's issues; a sender that cannot send is refused before a database is made."""
        from newsletter.app.deciding import asked_of
        from newsletter.app.limiting import limits, threshold
        from newsletter.app.receiving import work
        from newsletter.dispatch import Dispatcher

        own = self.settings.provider.own
        design, provider = self.design(edition), self.provider()
        identity = self.identity(example=not own.real_mail)
        if own.remark:
            self._warn(own.remark)
        return Dispatcher(
            edition=edition,
            database=self.read_only_database() if dry_run else self._sending_database(),
            provider=provider,
            design=design,
            identity=identity,
            connections=own.connections,
            real_mail=own.real_mail,
            patience=self.patience(),
            wait=duration(self.settings.delivery.wait),
            limits=limits(self.settings.delivery),
            threshold=threshold(self.settings.delivery),
            ask=asked_of(self.settings, edition),
            hold_at_cap=self.settings.delivery.at_cap == "hold",
            catch_up=lambda: work(self).through(),
            clock=self.clock,
            report=report,
            progress=progress,
        )

    def correspondence(self, report: Callable[[str], None], *, alerts_alone: bool = False) -> Correspondence:
        """Return what sends the newsletter's own mail; refuse where its links would lead nowhere."""
        from newsletter.correspondence import Correspondence, Welcome
        from newsletter.delivery.notices import NoticeKind

        provider = self.provider()
        identity = self.identity(example=not self.settings.provider.own.real_mail)
        if not identity.links.public_url and not alerts_alone:
            raise ConfigError(
                "must be set before a confirmation can be mailed: its link leads to a page",
                subject="web.public_url",
                remedy="set it to the https address at which people reach `newsletter serve`",
            )
        return Correspondence(
            database=self.database(), people=self.requests(), provider=provider, identity=identity,
            operator_provider=self.operator_provider(), keys=self.link_keys(),
            editions=frozenset(self.settings.editions), design=self.design,
            welcome=lambda edition: Welcome(self.settings.edition(edition).welcome), clock=self.clock, report=report,
            only=NoticeKind.ALERT if alerts_alone else None,
        )  # fmt: skip

    def recent_notices(self) -> list[dict[str, object]]:
        """Return the newsletter's own mails of the last weeks, the newest first."""
        from newsletter.delivery import notices

        with self.looking_database().read() as connection:
            return [
                {
                    "id": each.id, "kind": each.kind.value, "state": each.state.name.lower(), "attempt": each.attempt,
                    "due": each.due.isoformat(timespec="seconds"), "address": each.address,
                }
                for each in notices.listing(connection)
            ]  # fmt: skip

    def link_keys(self) -> LinkKeys:
        """Return what makes and reads the tokens of mailed links."""
        from newsletter.delivery.tokens import LinkKeys

        return LinkKeys(self._keys(self.database()).read_or_make().links)

    def form_key(self) -> bytes:
        """Return the key that the tokens of the pages' forms are made with."""
        return self._keys(self.database()).read_or_make().links

    def subscriber_list(self, *, looking: bool = False) -> SubscriberList:
        """Return the list of subscribers, for the operator; one who is ``looking`` makes none."""
        from subscribers.subscriptions import SubscriberList

        if looking:
            self.looking_database()
        return SubscriberList(self._list_settings(dry_run=looking))

    def requests(self) -> Requests:
        """Return the list of subscribers, for what people ask themselves."""
        from subscribers.requests import Requests

        return Requests(self._list_settings())

    def suppressions(self, *, looking: bool = False) -> Suppressions:
        """Return the list of those whom nothing is sent to; one who is ``looking`` makes none."""
        from subscribers.suppressions import Suppressions

        if looking:
            self.looking_database()
        return Suppressions(self._list_settings(dry_run=looking))

    def exchange(self, *, dry_run: bool = False) -> Exchange:
        """Return the list beside a provider's own; a dry one can only read the database, and makes none."""
        from subscribers.exchange import Exchange

        if dry_run:
            self.read_only_database()
        return Exchange(self._list_settings(dry_run=dry_run))

    def importer(self, *, dry_run: bool = False) -> Importer:
        """Return what takes files into the list; a dry one can only read the database, and makes none."""
        from subscribers.transfer.importing import Importer

        if dry_run:
            self.read_only_database()
        return Importer(self._list_settings(dry_run=dry_run))

    def _list_settings(self, *, dry_run: bool = False) -> ListSettings:
        """Return what the list needs; the first call makes the secret that keys its suppressions.

        A dry run makes none: where there is no secret yet, nobody is suppressed under it either.
        """
        from newsletter import store
        from subscribers.book import ListSettings

        database = self.database()
        if dry_run:
            with database.read() as connection:
                known = store.get_setting(connection, SECRET_FINGERPRINT)
            if known is None:
                return ListSettings(hash_key=bytes(32))
            self._check_secret(database)
        secret = self._keys(database).read_or_make()
        with database.read() as connection:
            known = store.get_setting(connection, SECRET_FINGERPRINT)
        if known is None:
            with database.write() as connection:
                store.put_setting(connection, SECRET_FINGERPRINT, secret.fingerprint)
            self._check_secret(database)
        return ListSettings(hash_key=secret.suppressions)

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


def _empty() -> Database:
    database = Database("sqlite://")
    database.ensure_schema()
    return database
