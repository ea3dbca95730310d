"""One message after the other on a connection, and what each answer proves of the message in hand (RFC 5321).

An end of data that was never written was not taken (retry), one that was written and not answered may have been
(uncertain). Behind it may go the envelope of the next message, whose data nobody has begun to write then.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache

from newsletter.errors import one_line
from newsletter.models.deliveries import Outcome
from newsletter.providers.smtp_wire import FAULTS, Reply, Wire

GO_ON = 3  # the first digit of the answer to DATA
_CLOSING = 421  # the server closes the connection after this reply, to whatever command
_END = b".\r\n"


class Step(IntEnum):
    """The commands before the data, in order."""

    MAIL = 0
    RCPT = 1
    DATA = 2


class ConnectionLostError(Exception):
    """The connection cannot be used any more; ``outcome`` is what is proven of the message in hand."""

    def __init__(self, outcome: Outcome, reply: str) -> None:
        super().__init__(reply)
        self.outcome = outcome
        self.reply = reply


class Dialogue:
    """What is said on one connection; ``begun`` counts its messages."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.begun = 0
        self._is_ahead = (
            False  # an envelope went out behind the data before it, and its answers were not read
        )
        self._is_over = False
        self._in_transaction = False  # the server may still hold the sender of a refused message

    def ready(self) -> bool:
        """Make the server forget a message that it refused; return whether there is a server that can take another."""
        if self._in_transaction and not self._is_over:
            self._in_transaction = False
            try:
                self.wire.write(b"RSET\r\n")
                self._is_over = self.wire.read().code != 250
            except FAULTS:
                self._is_over = True
        return not (self._is_over or self._is_ahead)

    def leave(self, seconds: float) -> None:
        """Close the connection, with a goodbye within some seconds where the server would hear it."""
        if self._is_over or self._is_ahead:  # a goodbye would be data, and a dot would send it to somebody
            self.wire.close()
        else:
            self.wire.leave(seconds)

    def ask(self, commands: Sequence[bytes]) -> tuple[Step, Reply]:
        """Give the envelope and ask to write the data; return the answer that refuses, or the last one.

        All commands go out in one write where the server takes them so (RFC 2920), unless they did behind the message
        before; else each goes after the answer to the one before. Raise `ConnectionLostError` where an answer is none.
        """
        is_given, self._is_ahead = self._is_ahead, False
        self.begun += not is_given
        try:
            if self.wire.pipelining and not is_given:
                self.wire.write(b"".join(commands))
            for step in Step:
                if not self.wire.pipelining:
                    self.wire.write(commands[step])
                reply = self.wire.read()
                proceeds = GO_ON if step is Step.DATA else 2
                if reply.code == _CLOSING or reply.kind not in (proceeds, 4, 5):
                    raise ConnectionLostError(Outcome.RETRY, reply.text)
                if reply.kind != proceeds:
                    break
                self._in_transaction = True
            # Its answers lay here while the message before was settled: the server may have gone since.
            if is_given and reply.kind == GO_ON and not self.wire.is_quiet():
                raise ConnectionLostError(Outcome.RETRY, self.wire.read().text)
        except FAULTS as error:
            raise _lost(Outcome.RETRY, error) from error
        if self.wire.pipelining:
            self._pass_over(len(Step) - 1 - step)
        return step, reply

    def hand_over(self, pieces: Sequence[bytes], following: Sequence[bytes] = ()) -> Reply:
        """Write the data (with its leading dots doubled) and the end of it, and return what became of it.

        The envelope of the ``following`` message goes out in the same write: where there is one, and unless this
        raises, the next that is said is `ask` for it, or nothing.
        """
        self._in_transaction = False
        if any(map(_may_have_leading_dot, pieces)):
            pieces = [b"".join([b"\r\n", *pieces]).replace(b"\r\n.", b"\r\n..")[2:]]
        data = b"".join([*pieces, _END, *following])
        if following:
            self._is_ahead = True
            self.begun += 1
        try:
            self.wire.write(data)
        except FAULTS as error:
            # Where the last octet of the end was not written, the server cannot have taken this.
            may_be_whole = self.wire.reached >= len(data) - sum(map(len, following))
            raise _lost(Outcome.UNCERTAIN if may_be_whole else Outcome.RETRY, error) from error
        try:
            reply = self.wire.read()
        except FAULTS as error:
            raise _lost(Outcome.UNCERTAIN, error) from error
        if reply.code == _CLOSING:
            raise ConnectionLostError(Outcome.RETRY, reply.text)
        if reply.kind not in (2, 4, 5):
            raise ConnectionLostError(Outcome.UNCERTAIN, f"not an answer to the message: {reply.text}")
        return reply

    def _pass_over(self, number: int) -> None:
        """Read the answers to what went out behind a refused command, and end data that nobody is to get."""
        try:
            answers = [self.wire.read() for _ in range(number)]
            self._is_over = any(answer.code == _CLOSING or answer.code < 0 for answer in answers)
            if answers and answers[-1].kind == GO_ON:
                if answers[0].kind == 2:  # a dot would send an empty message to somebody
                    self._is_over = True
                else:
                    self.wire.write(_END)
                    self.wire.read()
        except FAULTS:
            self._is_over = True


@lru_cache(maxsize=64)
def _may_have_leading_dot(piece: bytes) -> bool:
    """Say whether a line may begin with a dot; what all messages of a letter share is looked at once."""
    return piece.startswith(b".") or b"\n." in piece


def _lost(outcome: Outcome, error: Exception) -> ConnectionLostError:
    return ConnectionLostError(outcome, f"the connection was lost: {one_line(error)}")
