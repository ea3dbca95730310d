"""A provider without a network, whose answers a test writes; it passes the real ones' contract suite."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from newsletter.errors import MessageRejected, ProviderError
from newsletter.messages import compose
from newsletter.models.deliveries import Outcome, Receipt, Recipient
from newsletter.models.issues import Letter
from newsletter.protocols import Connection, Exposure, OnUncertain


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the provider says of one try. ``taken`` is whether the letter arrives all the same."""

    outcome: Outcome
    reply: str = ""
    taken: bool = False
    hard: bool = False


ACCEPTED = Answer(outcome=Outcome.ACCEPTED, reply="250 taken", taken=True)


@dataclass(slots=True, kw_only=True)
class FakeProvider:
    """Accepts everything but what ``script`` says otherwise, for an address, one entry a try.

    An entry is an `Answer`, or an error that `send` raises. ``connect_errors`` are raised by the next
    connects. ``delivered`` holds (subscriber id, message) in order, ``tried`` every subscriber id.
    """

    script: Mapping[str, Sequence[Answer | ProviderError]] = field(default_factory=dict)
    connect_errors: Sequence[ProviderError] = ()
    name: str = "fake"
    batch_size: int = 100
    exposure: Exposure = Exposure.FIRST
    on_uncertain: OnUncertain = OnUncertain.RESEND
    delivered: list[tuple[int, bytes]] = field(default_factory=list)
    tried: list[int] = field(default_factory=list)
    connections: int = 0
    _tries: dict[str, int] = field(default_factory=dict)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """Open a connection, unless an error is due."""
        self.connections += 1
        if self.connections <= len(self.connect_errors):
            raise self.connect_errors[self.connections - 1]
        yield self

    def send(self, letter: Letter, recipients: Sequence[Recipient]) -> Iterator[Receipt]:
        """Answer for each recipient what the script says."""
        for recipient in recipients:
            answer = self._answer(letter, recipient)
            yield Receipt(
                subscriber_id=recipient.subscriber_id, outcome=answer.outcome, reply=answer.reply, hard=answer.hard
            )  # fmt: skip

    def _answer(self, letter: Letter, recipient: Recipient) -> Answer:
        try:
            message = compose(letter, recipient)
        except MessageRejected as error:
            return Answer(outcome=Outcome.REJECTED, reply=str(error))
        self.tried.append(recipient.subscriber_id)
        number = self._tries.get(recipient.address, 0)
        self._tries[recipient.address] = number + 1
        planned = self.script.get(recipient.address, ())
        answer = planned[number] if number < len(planned) else ACCEPTED
        if isinstance(answer, ProviderError):
            raise answer
        if answer.taken:
            self.delivered.append((recipient.subscriber_id, message))
        return answer
