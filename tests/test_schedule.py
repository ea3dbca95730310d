"""When an edition is sent, in every time zone, through every change of the clocks."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import ConfigError
from newsletter.schedule import Timetable, timetable
from tests.support.torture import length

MINUTE = timedelta(minutes=1)
DAYS = st.dates(date(1973, 1, 1), date(2037, 12, 31))
TIMES = st.times().map(lambda value: value.replace(second=0, microsecond=0, fold=0))


def made(at: str = "07:30", latest: str = "12:00", days: str = "daily", timezone: str = "UTC") -> Timetable:
    return timetable(at=at, latest=latest, days=days, timezone=timezone, subject="editions.daily.schedule")


@st.composite
def timetables(draw: st.DrawFn) -> Timetable:
    at, latest = sorted(draw(st.lists(TIMES, min_size=2, max_size=2, unique=True)))
    days = draw(st.frozensets(st.integers(0, 6), min_size=1))
    zone = ZoneInfo(draw(st.sampled_from(sorted(available_timezones()))))
    return Timetable(at=at, latest=latest, days=days, zone=zone)


def by_looking(day: date, at: time, zone: ZoneInfo) -> datetime | None:
    """Return when a local day's send begins, found minute by minute; None if no minute is of that day."""
    moment = datetime.combine(day, time(), UTC) - timedelta(hours=27)
    shown = [(moment + number * MINUTE).astimezone(zone) for number in range(3 * 24 * 60)]
    if not any(each.date() == day for each in shown):
        return None
    wanted = datetime.combine(day, at)
    return next(each.astimezone(UTC) for each in shown if each.replace(tzinfo=None) >= wanted)


@settings(max_examples=length(25, 1_000))
@given(table=timetables(), day=DAYS)
def test_a_day_is_sent_when_its_clocks_first_show_the_time_or_a_later_one(
    table: Timetable, day: date
) -> None:
    found = table.on(day)
    expected = by_looking(day, table.at, table.zone) if day.weekday() in table.days else None
    assert (found.begins if found else None) == expected
    if found is not None:
        assert found.day == day
        assert found.begins < found.latest
        assert found.local == found.begins
        assert found.local.utcoffset() == found.begins.astimezone(table.zone).utcoffset()


YEAR = [datetime(2026, 1, 1) + timedelta(days=number) for number in range(366)]  # noqa: DTZ001
CHANGES = sorted(  # the days on which the clocks of a zone change
    (name, day.date())
    for name in available_timezones()
    for day, after in pairwise(YEAR)
    if ZoneInfo(name).utcoffset(day) != ZoneInfo(name).utcoffset(after)
)


@settings(max_examples=length(25, 1_000))
@given(change=st.sampled_from(CHANGES), at=TIMES)
def test_so_it_is_on_the_days_on_which_the_clocks_change(change: tuple[str, date], at: time) -> None:
    zone, day = ZoneInfo(change[0]), change[1]
    found = Timetable(at=at, latest=time(23, 59, 59), days=frozenset(range(7)), zone=zone).on(day)
    assert found is not None
    assert found.begins == by_looking(day, at, zone)
    shown = found.local.replace(tzinfo=None)
    assert shown == datetime.combine(day, at) or not _exists(datetime.combine(day, at), zone)
    assert shown >= datetime.combine(day, at)


def _exists(local: datetime, zone: ZoneInfo) -> bool:
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) == local


@settings(max_examples=length(25, 1_000))
@given(table=timetables(), day=DAYS, seconds=st.integers(0, 86_399))
def test_the_coming_sends_are_each_day_once_in_order(table: Timetable, day: date, seconds: int) -> None:
    now = datetime.combine(day, time(), UTC) + timedelta(seconds=seconds)
    sends = list(islice(table.coming(now), 40))
    assert sends[0].begins >= now
    for one, next_one in pairwise(sends):
        assert one.day < next_one.day
        assert one.begins < next_one.begins
    first, last = now.astimezone(table.zone).date(), sends[-1].day
    between = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    of_days = [send for each in between if (send := table.on(each)) is not None and send.begins >= now]
    assert sends == of_days, "no scheduled day is left out, none is there twice"
    begun = table.begun(sends[-1].begins, sends[0].day)
    assert begun == sends


@pytest.mark.parametrize(
    ("zone", "day", "at", "local"),
    [
        ("America/New_York", date(2026, 3, 8), "02:30", "2026-03-08T03:00:00-04:00"),
        ("America/New_York", date(2026, 11, 1), "01:30", "2026-11-01T01:30:00-04:00"),
        ("Europe/Berlin", date(2026, 3, 29), "02:30", "2026-03-29T03:00:00+02:00"),
        ("Europe/Berlin", date(2026, 10, 25), "02:30", "2026-10-25T02:30:00+02:00"),
        ("Australia/Lord_Howe", date(2026, 10, 4), "02:15", "2026-10-04T02:30:00+11:00"),
        ("America/Havana", date(2026, 3, 8), "00:30", "2026-03-08T01:00:00-04:00"),
        ("Asia/Kathmandu", date(2026, 3, 8), "07:30", "2026-03-08T07:30:00+05:45"),
        ("Asia/Seoul", date(2026, 3, 9), "07:30", "2026-03-09T07:30:00+09:00"),
    ],
)  # fmt: skip
def test_times_that_are_skipped_or_there_twice(zone: str, day: date, at: str, local: str) -> None:
    send = made(at=at, timezone=zone).on(day)
    assert send is not None
    assert send.local.isoformat() == local


@pytest.mark.parametrize(
    ("zone", "day"), [("Pacific/Apia", date(2011, 12, 30)), ("Pacific/Kwajalein", date(1993, 8, 21))]
)
def test_a_day_that_a_zone_leaves_out_has_no_send(zone: str, day: date) -> None:
    table = made(timezone=zone)
    assert table.on(day) is None
    before, after = table.on(day - timedelta(days=1)), table.on(day + timedelta(days=1))
    assert before is not None
    assert after is not None
    assert after.begins - before.begins == timedelta(days=1), "no more than a day passes"


def test_where_the_clocks_skip_both_there_is_time_left() -> None:
    send = made(at="02:10", latest="03:00", timezone="Europe/Berlin").on(date(2026, 3, 29))
    assert send is not None
    assert send.latest - send.begins == timedelta(minutes=50)
    assert send.local_latest.isoformat() == "2026-03-29T03:50:00+02:00"


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("mon-fri", {0, 1, 2, 3, 4}), ("mon,wed,fri", {0, 2, 4}), ("daily", set(range(7))), ("sat-mon", {5, 6, 0}),
        ("mon-sun", set(range(7))), (" Mon - Wed, SUN ", {0, 1, 2, 6}), ("tue", {1}), ("sun-sat", set(range(7))),
    ],
)  # fmt: skip
def test_days_of_the_week(text: str, days: set[int]) -> None:
    assert made(days=text).days == days


@pytest.mark.parametrize("text", ["", "mon,,fri", "mon-", "feb", "mon-fri-sun", "1-5", "2026-01-05", "never"])
def test_days_that_never_come_are_refused(text: str) -> None:
    with pytest.raises(ConfigError, match=r"editions\.daily\.schedule\.days: .*write mon-fri"):
        made(days=text)


@pytest.mark.parametrize(
    ("name", "nearest"),
    [
        ("Asia/Soul", "'Asia/Seoul'"), ("Seoul", "'Asia/Seoul'"), ("europe/berlin", "'Europe/Berlin'"),
        ("New York", "'America/New_York'"), ("UCT+1", "'UCT'"), ("Mars/Base", "Europe/Berlin"),
        ("", "Europe/Berlin"), ("../etc/passwd", "Europe/Berlin"), ("Asia\0", "timezone"), ("Asia", "timezone"),
    ],
)  # fmt: skip
def test_a_zone_that_does_not_exist_names_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(
        ConfigError, match=r"editions\.daily\.schedule\.timezone: there is no time zone"
    ) as caught:
        made(timezone=name)
    assert nearest in str(caught.value)


@pytest.mark.parametrize(("at", "latest"), [("12:00", "07:30"), ("07:30", "07:30"), ("23:00", "02:00")])
def test_a_latest_that_is_not_after_at_is_refused(at: str, latest: str) -> None:
    with pytest.raises(ConfigError, match=rf"schedule\.latest: {latest} is not after at = {at}"):
        made(at=at, latest=latest)
