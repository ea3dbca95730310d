"""The use case of the scheduled send: safe to call every few minutes, by any number of processes.

What became of each local day is derived from the database: a turn's row names its issue from the transaction that
plans it, so no crash and no second process can send a day twice, or two days at once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from newsletter import store
from newsletter.database import Database
from newsletter.delivery.deadline import is_sent_elsewhere, was_begun
from newsletter.dispatch import Dispatcher
from newsletter.errors import DatabaseError
from newsletter.logs import WARNING, tell
from newsletter.models.issues import Turn
from newsletter.publishing import Publisher
from newsletter.results import RunResult, held, waits_for_a_hand
from newsletter.schedule import Send, Timetable
from newsletter.states import IssueState
from newsletter.store import IssueRecord, TurnState

MOST_MISSED = timedelta(days=31)  # how far back days of which nothing is known are counted as missed


@dataclass(kw_only=True)
class Scheduled:
    """One edition's scheduled send.

    ``dispatcher`` and ``publisher`` make what sends, when it is needed; the publisher comes with the days that it
    looks at, newest first.
    """

    edition: str
    table: Timetable
    database: Database
    clock: Callable[[], datetime]
    dispatcher: Callable[[], Dispatcher]
    publisher: Callable[[], tuple[Publisher, Sequence[date]]]

    def look(self) -> RunResult:
        """Send what is due, go on with what was begun, hold what is too late; say which, or when the next send is."""
        now = self.clock()
        ended = [*self._hold_late(now), *self._miss_late(now)]
        due = self._due(now)
        result = self._go_on(now) if due is None else self._publish(due, now)
        late = " ".join(ended) or self._unfinished()
        if not ended:
            return replace(result, late=late)
        return replace(result, ok=False, late=late, sentence=" ".join([*ended, result.sentence]))

    def rehearse(self, now: datetime) -> RunResult:
        """Do what is due at a time, with the papers of the present; nothing is planned, sent or put down."""
        if self._due(now) is None:
            return RunResult(edition=self.edition, sentence=self._nothing_due(now))
        publisher, days = self.publisher()
        return publisher.run(days, dry_run=True)

    def _unfinished(self) -> str:
        """Say of which issues something is still waiting though they should be finished by now."""
        now = self.clock()
        with self.database.read() as connection:
            late = [
                (record.name, self._turn(known.day, known.latest).latest)
                for known, record in store.unfinished_turns(connection, self.edition)
                if known.state is TurnState.PLANNED and known.latest < now
            ]
        return " ".join(
            f"Issue {name} is not finished, and it is after {latest:%H:%M %Z}." for name, latest in late
        )

    def _due(self, now: datetime) -> Send | None:
        """Return the send that is to be tried now."""
        begun = self.table.begun(now, now.astimezone(self.table.zone).date() - timedelta(days=1))
        if not begun or now > begun[-1].latest:
            return None
        with self.database.read() as connection:
            known = store.find_turn(connection, self.edition, begun[-1].day)
        return begun[-1] if known is None or known.state is TurnState.WAITING else None

    def _publish(self, send: Send, now: datetime) -> RunResult:
        """Do what `run` does, for a turn; the turn waits where that may go better the next time."""
        turn = self._turn(send.day, send.latest)
        self._put(turn, TurnState.WAITING, f"a call at {now:%H:%M} UTC did not come to its end")
        try:
            publisher, days = self.publisher()
            publisher.dispatcher.turn = turn
            result = publisher.run(days)
        except Exception as error:
            with suppress(DatabaseError):
                self._put(turn, TurnState.WAITING, str(error) or type(error).__name__)
            raise
        if result.again:
            self._put(turn, TurnState.WAITING, result.sentence)
            return replace(
                result, sentence=f"{result.sentence} It is tried again until {turn.latest:%H:%M %Z}."
            )
        self._conclude(turn, result)
        return result

    def _conclude(self, turn: Turn, result: RunResult) -> None:
        """Put down that a turn without an issue is over; it takes the day's issue where that was planned by hand."""
        now = self.clock()
        with self.database.write(durable=True) as connection:
            record = store.find_issue(connection, self.edition, result.day) if result.day else None
            known = store.find_turn(connection, self.edition, turn.day)
            if known is not None and known.state is not TurnState.WAITING:
                return
            if record is None or store.turn_of(connection, record.id) is not None:
                store.put_turn(connection, self.edition, turn, TurnState.NOTHING, result.sentence, now)
            else:
                store.take_turn(connection, self.edition, turn, record.id, now)

    def _go_on(self, now: datetime) -> RunResult:
        """Go on with the issues that turns have; say when the next send is where there is none."""
        with self.database.read() as connection:
            unfinished = [
                (known, record, is_sent_elsewhere(connection, record.id, now))
                for known, record in store.unfinished_turns(connection, self.edition)
            ]
        results, waiting = [], ""
        for known, record, elsewhere in unfinished:
            if elsewhere or waits_for_a_hand(record):
                why = f"{record.state.value}: {record.reason}"
                if elsewhere:
                    why = "being sent by another process"
                elif record.state is IssueState.DRAFT:
                    why = f"a draft, and waits for a word until {self._turn(known.day, known.latest).latest:%H:%M %Z}"
                waiting += f" Issue {record.name} is {why}."
                continue
            dispatcher = self.dispatcher()
            dispatcher.turn = self._turn(known.day, known.latest)
            results.append(dispatcher.go_on(record, dry_run=False))
        if not results:
            return RunResult(edition=self.edition, sentence=self._nothing_due(now) + waiting)
        sentence = " ".join(result.sentence for result in results) + waiting
        return replace(results[-1], sentence=sentence, ok=all(result.ok for result in results))

    def _nothing_due(self, now: datetime) -> str:
        send = next(self.table.coming(now + datetime.resolution))
        return (
            f"Nothing is due for {self.edition}: the next send is on {send.local:%a %Y-%m-%d at %H:%M} {send.zone}"
            f" ({send.begins:%Y-%m-%d %H:%M} UTC)."
        )

    def _hold_late(self, now: datetime) -> list[str]:
        """Hold the issues that were planned, and not begun before it was too late; say so."""
        with self.database.read() as connection:
            late = [
                (self._turn(known.day, known.latest), record)
                for known, record in store.unfinished_turns(connection, self.edition)
                if known.state is TurnState.PLANNED and known.latest < now
                if record.state is IssueState.DRAFT or not waits_for_a_hand(record)
                if not was_begun(connection, record.id)
            ]
        return [told for turn, record in late if (told := self._hold(turn, record))]

    def _hold(self, turn: Turn, seen: IssueRecord) -> str:
        with self.database.write(durable=True) as connection:
            record = store.find_issue(connection, seen.edition, seen.day, lock=True) or seen
            if record.state is not seen.state or was_begun(connection, record.id):
                return ""  # another process sends it, or holds it
            missing = "no word came" if record.state is IssueState.DRAFT else "nothing of it was sent"
            why = f"{missing} by {turn.deadline}"
            why += f" ({record.reason})" if record.reason else ""
            record = store.hold_issue(connection, record, why, self.clock())
        return held(record)

    def _miss_late(self, now: datetime) -> list[str]:
        """Put down the turns that nothing was planned for in time; say each once, with the reason."""
        today = now.astimezone(self.table.zone).date()
        with self.database.read() as connection:
            last = store.last_turn(connection, self.edition)
            waiting = {known.day: known for known in store.waiting_turns(connection, self.edition)}
        late = {
            day: (self._turn(day, known.latest), known.reason)
            for day, known in waiting.items()
            if known.latest < now
        }
        since = today if last is None else max(last + timedelta(days=1), today - MOST_MISSED)
        for send in self.table.begun(now, since):
            if send.latest < now:
                why = f"nobody looked from {send.local:%H:%M} to {send.local_latest:%H:%M %Z}"
                late[send.day] = (self._turn(send.day, send.latest), why)
        return [
            self._missed(turn, why) for turn, why in late.values() if self._put(turn, TurnState.MISSED, why)
        ]

    def _missed(self, turn: Turn, why: str) -> str:
        tell(WARNING, "send missed", edition=self.edition, day=turn.day.isoformat(), reason=why)
        return (
            f"The send of {self.edition} on {turn.day} was missed, it is after {turn.latest:%H:%M %Z}:"
            f" {why.rstrip('.')}; `newsletter run` sends all the same."
        )

    def _put(self, turn: Turn, state: TurnState, reason: str) -> bool:
        with self.database.write(durable=True) as connection:
            return store.put_turn(connection, self.edition, turn, state, reason, self.clock())

    def _turn(self, day: date, latest: datetime) -> Turn:
        return Turn(day=day, latest=latest.astimezone(self.table.zone))
