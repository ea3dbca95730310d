"""When an edition is sent: local times and days in, moments out; pure, right through every change of the clocks."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from newsletter.errors import ConfigError

WEEK = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
EXAMPLE = 'schedule = { at = "07:30", days = "mon-fri", timezone = "Asia/Seoul", latest = "12:00" }'
_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Send:
    """One send: the local day that it is for, when it begins, and after what moment it is too late (both UTC)."""

    day: date
    begins: datetime
    latest: datetime
    zone: ZoneInfo

    @property
    def local(self) -> datetime:
        """When it begins, as the clocks there show it."""
        return self.begins.astimezone(self.zone)

    @property
    def local_latest(self) -> datetime:
        """After what it is too late, as the clocks there show it."""
        return self.latest.astimezone(self.zone)


@dataclass(frozen=True, slots=True, kw_only=True)
class Timetable:
    """The sends of an edition: ``at`` this local time on these days of the week (0 is Monday), until ``latest``."""

    at: time
    latest: time
    days: frozenset[int]
    zone: ZoneInfo

    def on(self, day: date) -> Send | None:
        """Return the send of a local day; None on a day without one, and on one that the zone leaves out.

        A time that the clocks skip is the first moment after the gap, one that they show twice is the first.
        """
        if day.weekday() not in self.days or self._moment(day, time()).astimezone(self.zone).date() != day:
            return None
        begins = self._moment(day, self.at)
        latest = datetime.combine(day, self.latest, self.zone).astimezone(UTC)
        if latest <= begins:  # the clocks skip both, and the gap's end is both
            latest = begins + (datetime.combine(day, self.latest) - datetime.combine(day, self.at))
        return Send(day=day, begins=begins, latest=latest, zone=self.zone)

    def coming(self, now: datetime) -> Iterator[Send]:
        """Yield the sends that begin at ``now`` or later, without end."""
        day = now.astimezone(self.zone).date() - _DAY
        while True:
            send = self.on(day)
            if send is not None and send.begins >= now:
                yield send
            day += _DAY

    def begun(self, now: datetime, since: date) -> list[Send]:
        """Return the sends of local days from ``since`` on that begin at ``now`` or earlier, the oldest first."""
        last = now.astimezone(self.zone).date()
        days = (since + timedelta(days=number) for number in range((last - since).days + 1))
        return [send for day in days if (send := self.on(day)) is not None and send.begins <= now]

    def _moment(self, day: date, local: time) -> datetime:
        """Return the first moment (UTC) at which the clocks show a local time or a later one."""
        wanted = datetime.combine(day, local)
        found = wanted.replace(tzinfo=self.zone).astimezone(UTC)
        if self._shown(found) == wanted:
            return found
        low = wanted.replace(tzinfo=self.zone, fold=1).astimezone(
            UTC
        )  # before the gap, as `found` is after it
        while found - low > _SECOND:
            middle = low + (found - low) // _SECOND // 2 * _SECOND
            low, found = (low, middle) if self._shown(middle) > wanted else (middle, found)
        return found

    def _shown(self, moment: datetime) -> datetime:
        return moment.astimezone(self.zone).replace(tzinfo=None)


def timetable(*, at: str, latest: str, days: str, timezone: str, subject: str) -> Timetable:
    """Read a schedule; raise `ConfigError`, naming the setting below ``subject``, for one that cannot be kept."""
    first, last = time.fromisoformat(at), time.fromisoformat(latest)
    if last <= first:
        raise ConfigError(
            f"{latest} is not after at = {at}, so nothing could ever be sent in time",
            subject=f"{subject}.latest", remedy="name a later time of the same day, 23:59 at most",
        )  # fmt: skip
    return Timetable(
        at=first,
        latest=last,
        days=_days(days, f"{subject}.days"),
        zone=_zone(timezone, f"{subject}.timezone"),
    )


def _days(text: str, subject: str) -> frozenset[int]:
    found: set[int] = set()
    for part in text.lower().replace(" ", "").split(","):
        if part == "daily":
            found.update(range(7))
            continue
        match = re.fullmatch(r"([a-z]+)(?:-([a-z]+))?", part)
        names = [name for name in match.groups() if name is not None] if match else []
        if not names or not set(names) <= set(WEEK):
            raise ConfigError(
                f"{part!r} is no day of the week" if part else f"{text!r} leaves out a day", subject=subject,
                remedy="write mon-fri, mon,wed,fri or daily, with mon tue wed thu fri sat sun",
            )  # fmt: skip
        begin, end = WEEK.index(names[0]), WEEK.index(names[-1])
        found.update((begin + step) % 7 for step in range((end - begin) % 7 + 1))
    return frozenset(found)


def _zone(name: str, subject: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        known = available_timezones()
        if not known:
            raise ConfigError(
                "this machine has no time zones", subject=subject, remedy="install the package tzdata"
            ) from error
        raise ConfigError(
            f"there is no time zone {name!r}", subject=subject, remedy=_nearest(name, known)
        ) from error


def _nearest(name: str, known: set[str]) -> str:
    """Name the zone that was probably meant: by its whole name, else by its city."""
    lower = {zone.lower(): zone for zone in sorted(known)}
    cities = {zone.rpartition("/")[2].lower(): zone for zone in sorted(known, reverse=True) if "/" in zone}
    for names, wanted in ((lower, name), (cities, name.rpartition("/")[2])):
        close = difflib.get_close_matches(wanted.lower().replace(" ", "_"), names, n=1, cutoff=0.7)
        if close:
            return f"did you mean {names[close[0]]!r}?"
    return "write an IANA name such as Europe/Berlin or Asia/Seoul"
