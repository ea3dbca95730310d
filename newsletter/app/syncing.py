"""The suppressions here and those of SendGrid, put beside each other: each side learns, neither forgets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from newsletter.app import App, now
from newsletter.app.sendgrid import suppression_lists
from newsletter.errors import ProviderError, ProviderUnavailable
from subscribers.addresses import parse_address
from subscribers.errors import InvalidAddress
from subscribers.exchange import Cause, Effect, Exchange, Told

if TYPE_CHECKING:
    from newsletter.database import Database
    from newsletter.providers.sendgrid_suppressions import Entry, Kind, SuppressionLists

_Each = TypeVar("_Each")
_PROVIDER = "sendgrid"
_CHUNK = 200  # addresses of one transaction
_CAUSES = {  # the strictest last: it holds for an address that stands in several lists
    "bounces": (Cause.BOUNCED, "bounced at SendGrid"),
    "invalid_emails": (Cause.BOUNCED, "an address that SendGrid cannot write to"),
    "unsubscribes": (Cause.UNSUBSCRIBED, "unsubscribed from everything at SendGrid"),
    "spam_reports": (Cause.COMPLAINED, "complained, as SendGrid was told"),
}
_SILENT = ("unsubscribes", "spam_reports")  # lists that SendGrid does not clear by itself


@dataclass(frozen=True, slots=True, kw_only=True)
class Synced:
    """What was done, or would be. ``taken`` has the effects of each list; ``unreadable`` entries are no addresses.

    ``hashes`` are suppressions that could not be handed over, because nothing but a hash is left of their address.
    """

    taken: Mapping[str, Mapping[Effect, int]]
    unreadable: Mapping[str, int]
    handed_over: int
    hashes: int

    @property
    def changed(self) -> int:
        """How many addresses of SendGrid's are new here."""
        return sum(
            each[effect] for each in self.taken.values() for effect in (Effect.SUPPRESSED, Effect.CHANGED)
        )


def sync(app: App, *, dry_run: bool) -> Synced:
    """Read all of SendGrid's lists, take over what is new in them, hand over what they lack.

    Raises `ProviderUnavailable` that tells how far it came; nothing is changed before the lists were read whole.
    """
    lists = suppression_lists(app.settings.provider.sendgrid)
    exchange = app.people.exchange(dry_run=dry_run)
    database = app.databases.open()
    told, unreadable = _told(lists)
    digests = {name: {exchange.digest(each.address) for each in some} for name, some in told.items()}
    with database.read() as connection:
        mine = exchange.unknown_to(
            connection,
            silent=set().union(*(digests[name] for name in _SILENT)),
            listed=set().union(*digests.values()),
        )
    taken = _take(database, exchange, told, dry_run=dry_run)
    synced = Synced(
        taken=taken, unreadable=unreadable, handed_over=len(mine.addresses), hashes=mine.hashes
    )  # fmt: skip
    if not dry_run:
        _hand_over(lists, mine.addresses, synced.changed)
    return synced


def _told(lists: SuppressionLists) -> tuple[dict[str, list[Told]], dict[str, int]]:
    """Return SendGrid's word by list, each address once in each, and how many entries of each are no address."""
    from newsletter.providers.sendgrid_suppressions import Kind

    told: dict[str, list[Told]] = {}
    unreadable: dict[str, int] = {}
    for name in _CAUSES:
        found: dict[str, Told] = {}
        unreadable[name] = 0
        for entry in _read(lists, Kind(name)):
            try:
                each = _entry(name, entry)
            except InvalidAddress:
                unreadable[name] += 1
                continue
            known = found.get(each.address.key)
            if known is None or known.at < each.at:
                found[each.address.key] = each
        told[name] = list(found.values())
    return told, unreadable


def _read(lists: SuppressionLists, kind: Kind) -> list[Entry]:
    try:
        return list(lists.read(kind))
    except ProviderError as error:
        raise ProviderUnavailable(
            error.problem, subject=error.subject, remedy=f"nothing was changed; {error.remedy}"
        ) from error


def _entry(name: str, entry: Entry) -> Told:
    """Return an entry without SendGrid's free text, which quotes addresses: the reason outlives an erasure."""
    status = entry.status if entry.status.replace(".", "").isdecimal() and len(entry.status) <= 12 else ""
    said = f", {status}" if status else ""
    reason = f"{_CAUSES[name][1]}, {entry.at:%Y-%m-%d}{said}"
    return Told(address=parse_address(entry.email), at=entry.at, reason=reason)


def _take(
    database: Database, exchange: Exchange, told: Mapping[str, Sequence[Told]], *, dry_run: bool
) -> dict[str, Counter[Effect]]:
    """Take over list by list, some addresses a transaction; one that stands in a stricter list counts there."""
    at = now()
    strictest = {each.address.key: name for name, some in told.items() for each in some}
    taken: dict[str, Counter[Effect]] = {}
    for name, some in told.items():
        own = [each for each in some if strictest[each.address.key] == name]
        taken[name] = Counter({Effect.KNOWN: len(some) - len(own)})
        for chunk in _chunks(own, _CHUNK):
            transaction = database.read() if dry_run else database.write(durable=True)
            with transaction as connection:
                taken[name].update(
                    exchange.take(
                        connection, _CAUSES[name][0], chunk, provider=_PROVIDER, now=at, dry_run=dry_run
                    )
                )
    return taken


def _hand_over(lists: SuppressionLists, addresses: Sequence[str], taken: int) -> None:
    from newsletter.providers.sendgrid_suppressions import PAGE

    done = 0
    for chunk in _chunks(addresses, PAGE):
        try:
            lists.add(chunk)
        except ProviderError as error:
            told = f"{taken} were taken over, {done} of {len(addresses)} handed over"
            remedy = f"{told}; {error.remedy}, and run it again"
            raise ProviderUnavailable(error.problem, subject=error.subject, remedy=remedy) from error
        done += len(chunk)


def _chunks(rows: Sequence[_Each], size: int) -> Iterator[Sequence[_Each]]:
    return (rows[start : start + size] for start in range(0, len(rows), size))
