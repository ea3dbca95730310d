"""Every error of the subscriber list, one tree.

::

    SubscribersError
    ├── InvalidValue       a name, tag, edition, language or setting cannot be used
    │   └── InvalidAddress what was given is no e-mail address that mail can be sent to
    ├── UnusableFile       a file cannot be imported, or not be written
    ├── ImportRefused      lines of a file are wrong, or an import cannot be taken back
    ├── UnknownSubscriber  nobody on the list has this address or number
    ├── Suppressed         the person left, or mail to the address failed; it is not revived by accident
    └── StoreError         the database refused or could not be reached
"""

from __future__ import annotations


def _one_line(text: str) -> str:
    return " ".join(text.split())


class SubscribersError(Exception):
    """The list could not do what was asked: says what, where and what to do, on one line.

    ``subject`` is what it is about (an address, a tag, an edition); ``remedy`` is what to do.
    """

    def __init__(self, problem: str, *, subject: str = "", remedy: str = "") -> None:
        self.problem = _one_line(problem)
        self.subject = _one_line(subject)
        self.remedy = _one_line(remedy)
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.subject}: {self.problem}" if self.subject else self.problem
        return f"{text}; {self.remedy}" if self.remedy else text


class InvalidValue(SubscribersError):
    """A name, tag, edition, language or setting cannot be used."""


class InvalidAddress(InvalidValue):
    """What was given is no e-mail address that mail can be sent to."""


class UnusableFile(SubscribersError):
    """A file cannot be read as a list of people, or cannot be written."""


class ImportRefused(SubscribersError):
    """Lines of a file are wrong and nothing was changed, or an import cannot be taken back."""


class UnknownSubscriber(SubscribersError):
    """Nobody on the list has this address or number."""


class Suppressed(SubscribersError):
    """This address must not become active again by accident."""


class StoreError(SubscribersError):
    """The database refused, or could not be reached; the cause is the driver's own error."""
