"""Every error of the newsletter, one tree.

::

    ConfigError                  settings or secrets are wrong (exit 2); outside the tree on purpose,
                                 so that nothing that skips failures can hide it
    NewsletterError
    ├── InputError               what the user handed over cannot be used (exit 2)
    ├── SourceError              a source of papers did not give a readable day
    ├── SummaryError             a paper could not be summarised
    ├── RenderError              a letter could not be made
    ├── DatabaseError            the database is missing, locked, or of another version
    ├── BackupError              a backup could not be made or put back
    ├── IssueError               an issue is not in the state that was asked of it
    ├── InvalidLink              a link was not made here, or for something else
    │   └── ExpiredLink          a link was right and is too old
    ├── WebhookRefused           what was posted as a provider's events is not proven to be its own
    ├── BreakerTripped           a send was stopped, because too much of it was refused or failed
    └── ProviderError            mail could not be handed over
        ├── ProviderUnavailable  nothing was taken, the next try may succeed; rejects nobody
        │   └── ProviderBusy     the same, and when it takes something again
        └── MessageRejected      this one message will never be taken

The subscriber list has its own tree under ``subscribers.errors.SubscribersError``.
Only ``newsletter.cli`` turns errors into exit codes.
"""

from __future__ import annotations


def one_line(words: object) -> str:
    """Return words of somebody else on one line, without what steers a terminal or stands in no database."""
    said = str(words)
    if not said.isprintable():
        said = "".join(c if c.isprintable() else " " for c in said)
    return " ".join(said.split())


class _Explained(Exception):
    """An error that says where, what, and what to do, on one line.

    ``subject`` is what it is about (a file and line, a paper, a setting); ``remedy`` is what to do.
    """

    def __init__(self, problem: str, *, subject: str = "", remedy: str = "") -> None:
        self.problem = one_line(problem)
        self.subject = one_line(subject)
        self.remedy = one_line(remedy)
        super().__init__(str(self))

    def __str__(self) -> str:
        text = f"{self.subject}: {self.problem}" if self.subject else self.problem
        return f"{text.rstrip('.')}; {self.remedy}" if self.remedy else text


class ConfigError(_Explained):
    """Settings, environment or secrets cannot be used."""


class NewsletterError(_Explained):
    """The work could not be done."""


class InputError(NewsletterError):
    """What the user handed over (a file, an option) cannot be used."""


class SourceError(NewsletterError):
    """A source of papers gave no readable answer."""


class SummaryError(NewsletterError):
    """A paper could not be summarised."""


class RenderError(NewsletterError):
    """A letter could not be rendered."""


class DatabaseError(NewsletterError):
    """The database cannot be used as it is."""


class BackupError(NewsletterError):
    """A backup could not be made, or put back."""


class IssueError(NewsletterError):
    """An issue is not in the state that was asked of it, or does not exist."""


class InvalidLink(NewsletterError):
    """A link was not made by this installation, or for something else."""


class ExpiredLink(InvalidLink):
    """A link was right and is too old."""


class WebhookRefused(NewsletterError):
    """Events that were posted carry no proof, or an old one; nothing of them is taken."""


class BreakerTripped(NewsletterError):
    """Too much of a send was refused or failed; it is paused until a person has looked."""


class ProviderError(NewsletterError):
    """A mail provider could not do its work."""


class ProviderUnavailable(ProviderError):
    """Nothing was taken and nobody is rejected; a later try may succeed."""


class ProviderBusy(ProviderUnavailable):
    """Nothing was taken, and nothing will be for ``seconds``."""

    def __init__(self, problem: str, *, seconds: float, subject: str = "", remedy: str = "") -> None:
        super().__init__(problem, subject=subject, remedy=remedy)
        self.seconds = seconds


class MessageRejected(ProviderError):
    """This message will never be taken."""
