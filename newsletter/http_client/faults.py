"""What may go wrong with a request: what another try may mend, and what it does not."""

from __future__ import annotations

from urllib3.exceptions import HTTPError

from newsletter.errors import SourceError
from newsletter.public_address import shown


class TryAgainError(Exception):
    """A fault that may be gone at the next try. ``wait`` is what the server asks for, in seconds."""

    def __init__(self, problem: str, wait: float | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.wait = wait


def reason(error: HTTPError) -> str:
    """Return the words of the fault itself: urllib3 puts a connection's name or a tuple around them."""
    inner = error.args[-1] if error.args else error
    return str(inner).partition("): ")[2] or str(inner) or type(error).__name__


def no_answer(problem: str, url: str, remedy: str) -> SourceError:
    """Return the error of a request that is given up."""
    return SourceError(problem, subject=shown(url), remedy=remedy)
