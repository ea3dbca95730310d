"""The list of subscribers, for each who works on it: the operator, people themselves, a provider's lists, files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from newsletter.app.databases import Databases
from newsletter.app.secret import SecretKeys

if TYPE_CHECKING:
    from subscribers.book import ListSettings
    from subscribers.exchange import Exchange
    from subscribers.requests import Requests
    from subscribers.subscriptions import SubscriberList
    from subscribers.suppressions import Suppressions
    from subscribers.transfer.importing import Importer


class People:
    """Opens the list of subscribers."""

    def __init__(self, databases: Databases, keys: SecretKeys) -> None:
        self._databases = databases
        self._keys = keys

    def subscribers(self, *, looking: bool = False) -> SubscriberList:
        """Return the list of subscribers, for the operator; one who is ``looking`` makes none."""
        from subscribers.subscriptions import SubscriberList

        if looking:
            self._databases.open_to_look()
        return SubscriberList(self._settings(dry_run=looking))

    def requests(self) -> Requests:
        """Return the list of subscribers, for what people ask themselves."""
        from subscribers.requests import Requests

        return Requests(self._settings(dry_run=False))

    def suppressions(self, *, looking: bool = False) -> Suppressions:
        """Return the list of those whom nothing is sent to; one who is ``looking`` makes none."""
        from subscribers.suppressions import Suppressions

        if looking:
            self._databases.open_to_look()
        return Suppressions(self._settings(dry_run=looking))

    def exchange(self, *, dry_run: bool = False) -> Exchange:
        """Return the list beside a provider's own; a dry one can only read the database, and makes none."""
        from subscribers.exchange import Exchange

        if dry_run:
            self._databases.open_read_only()
        return Exchange(self._settings(dry_run=dry_run))

    def importer(self, *, dry_run: bool = False) -> Importer:
        """Return what takes files into the list; a dry one can only read the database, and makes none."""
        from subscribers.transfer.importing import Importer

        if dry_run:
            self._databases.open_read_only()
        return Importer(self._settings(dry_run=dry_run))

    def _settings(self, *, dry_run: bool) -> ListSettings:
        from subscribers.book import ListSettings

        return ListSettings(hash_key=self._keys.suppressions(dry_run=dry_run))
