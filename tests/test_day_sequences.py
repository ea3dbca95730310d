"""Any sequence of days: no paper is sent twice, and whoever led a day is sent, or it is known why not."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter import store
from newsletter.collecting import Collector, candidates
from newsletter.database import Database
from newsletter.delivery.recipients import Links
from newsletter.dispatch import Dispatcher
from newsletter.letters import Identity
from newsletter.models.issues import Selection
from newsletter.models.papers import DayKind, DayOfPapers, Paper
from newsletter.publishing import OnQuiet, Policy, Publisher
from newsletter.ranker import Reason, choose
from newsletter.states import IssueState
from newsletter.summaries.chain import SummaryChain
from newsletter.templating.issue import Design
from tests.support.fake_provider import FakeProvider
from tests.support.issues import add_readers
from tests.support.torture import length

FIRST = date(2026, 1, 5)
IDS = [f"2601.{number:05}" for number in range(12)]
DAYS = st.lists(
    st.dictionaries(st.sampled_from(IDS), st.none() | st.integers(0, 9), max_size=6), min_size=1, max_size=7
)
POLICIES = st.builds(
    Policy,
    selection=st.builds(
        Selection, top=st.integers(0, 4), min_votes=st.integers(0, 4), fill=st.integers(0, 3)
    ),
    carry_days=st.integers(0, 4),
    quiet=st.sampled_from(OnQuiet),
)


class Days:
    """A source that has what it is given."""

    name = "days"

    def __init__(self) -> None:
        self.papers: dict[date, tuple[Paper, ...]] = {}

    def fetch(self, day: date) -> DayOfPapers:
        papers = self.papers.get(day, ())
        kind = DayKind.COMPLETE if papers else DayKind.QUIET
        taken_at = datetime.combine(day, time(18), tzinfo=UTC)
        return DayOfPapers(source=self.name, day=day, kind=kind, papers=papers, taken_at=taken_at)


def publisher(database: Database, source: Days, policy: Policy, now: datetime) -> Publisher:
    identity = Identity(
        newsletter="Daily Papers", from_name="Daily Papers", from_address="news@example.org",
        links=Links(public_url="https://news.example.org", unsubscribe_mailbox=""),
    )  # fmt: skip
    dispatcher = Dispatcher(
        edition="daily", database=database, provider=FakeProvider(),
        design=Design(name="Daily Papers", postal_address="5 Paper Lane, 1234 Sampletown"),
        identity=identity, connections=1, clock=lambda: now, report=lambda _line: None,
    )  # fmt: skip
    collector = Collector(database=database, source=source, clock=lambda: now, history=source)
    return Publisher(
        language="en", policy=policy, collector=collector, history_days=3, summarizer=lambda _papers: SummaryChain([]),
        dispatcher=dispatcher,
    )  # fmt: skip


@pytest.mark.timeout(180)
@settings(max_examples=length(12, 100))
@given(days=DAYS, policy=POLICIES)
def test_no_paper_twice_and_no_leader_lost(
    migrated_file: Path, days: list[dict[str, int | None]], policy: Policy
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(shutil.copy(migrated_file, Path(folder) / "newsletter.db"))
        database = Database(path)
        add_readers(database, 1)
        source = Days()
        for number, votes in enumerate(days):
            day = FIRST + timedelta(days=number)
            source.papers[day] = tuple(
                Paper(id=key, title=key, url=f"https://arxiv.org/abs/{key}", votes=count, sources=("days",))
                for key, count in votes.items()
            )
            now = datetime.combine(day, time(18), tzinfo=UTC)
            before = sent(database, days)
            result = publisher(database, source, policy, now).run([day])
            assert result.ok
            assert (result.state is IssueState.FINISHED) == bool(result.counts.accepted)
            check_leader(database, source, policy, day, now, before)
            assert publisher(database, source, policy, now).run([day]).counts == result.counts, (
                "and once only"
            )
        assert not [key for key, times in sent(database, days).items() if times > 1]
        database.close()


def sent(database: Database, days: list[dict[str, int | None]]) -> Counter[str]:
    """Count in how many issues each paper stands."""
    found: Counter[str] = Counter()
    with database.read() as connection:
        for number in range(len(days)):
            record = store.find_issue(connection, "daily", FIRST + timedelta(days=number))
            found.update(entry["id"] for entry in record.document["entries"]) if record else None
    return found


def check_leader(
    database: Database, source: Days, policy: Policy, day: date, now: datetime, before: Counter[str]
) -> None:
    """The day's first paper is in the day's issue, was sent before, or has a recorded reason that says why not."""
    papers = source.papers[day]
    if not papers:
        return
    leader = max(papers, key=lambda paper: -1 if paper.votes is None else paper.votes).id
    with database.read() as connection:
        record = store.find_issue(connection, "daily", day)
        people = candidates(connection, "daily", source.fetch(day), carry_days=policy.carry_days, as_of=now)
    if record is None:  # nothing was left to send that day
        reasons = {each.candidate.paper.id: each.reason for each in choose(people, policy.selection)}
        assert reasons[leader] in {Reason.SENT, Reason.TOO_FEW_VOTES}
        return
    if leader in {entry["id"] for entry in record.document["entries"]}:
        return
    assert (
        record.left_out[leader].startswith(("sent on", "too few votes", "no votes"))
        or "after the first" in (record.left_out[leader])
    )
    assert record.left_out[leader].startswith("sent on") == (before[leader] > 0)


def test_what_is_sent_stays_sent_when_a_day_is_collected_again(migrated_file: Path, tmp_path: Path) -> None:
    database = Database(Path(shutil.copy(migrated_file, tmp_path / "newsletter.db")))
    add_readers(database, 1)
    source, policy = Days(), Policy(selection=Selection())
    source.papers[FIRST] = (Paper(id=IDS[0], title="One", url="https://arxiv.org/abs/1", votes=9),)
    now = datetime.combine(FIRST, time(18), tzinfo=UTC)
    assert publisher(database, source, policy, now).run([FIRST]).counts.accepted == 1
    source.papers[FIRST] = (
        *source.papers[FIRST],
        Paper(id=IDS[1], title="Late", url="https://arxiv.org/abs/2", votes=50),
    )
    later = FIRST + timedelta(days=1)
    source.papers[later] = (replace(source.papers[FIRST][0], votes=10),)
    result = publisher(database, source, policy, now + timedelta(days=1)).run([later])
    assert result.counts.accepted == 1
    with database.read() as connection:
        record = store.find_issue(connection, "daily", later)
    assert record is not None
    assert [entry["id"] for entry in record.document["entries"]] == [IDS[1]], (
        "the late one is carried, the sent one is not"
    )
    database.close()


REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "papers" / "papers.jsonl"


@pytest.mark.skipif(not REAL.exists(), reason="the recorded papers are not beside this checkout")
def test_every_recorded_day(migrated_file: Path, tmp_path: Path) -> None:
    database = Database(Path(shutil.copy(migrated_file, tmp_path / "newsletter.db")))
    add_readers(database, 1)
    source, policy = Days(), Policy(selection=Selection())
    for line in REAL.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        paper = Paper(
            id=row["id"], title=" ".join(row["title"].split()), url=f"https://arxiv.org/abs/{row['id']}",
            abstract=row["abstract"], authors=tuple(row["authors"]), votes=row["votes"], sources=("days",),
        )  # fmt: skip
        day = date.fromisoformat(row["day"])
        source.papers[day] = (*source.papers.get(day, ()), paper)
    issues: Counter[str] = Counter()
    for day in sorted(source.papers):
        now = datetime.combine(day, time(18), tzinfo=UTC)
        result = publisher(database, source, policy, now).run([day])
        assert (result.state, result.counts.accepted) == (IssueState.FINISHED, 1), result
        with database.read() as connection:
            record = store.find_issue(connection, "daily", day)
        assert record is not None
        ids = [entry["id"] for entry in record.document["entries"]]
        leader = max(source.papers[day], key=lambda paper: paper.votes or 0)
        assert leader.id in ids or record.left_out[leader.id].startswith("sent on")
        everybody = {paper.id for paper in source.papers[day]}
        assert everybody <= {*ids, *record.left_out}, "whoever is not in it has a recorded reason"
        issues.update(ids)
    database.close()
    assert set(issues.values()) == {1}
    assert len(source.papers) == 79
