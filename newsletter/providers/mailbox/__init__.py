"""Reads what comes back by mail: bounces, complaints, mails that unsubscribe, vacation answers. Pure."""

from newsletter.providers.mailbox.reading import LONGEST_MAIL, read

__all__ = ["LONGEST_MAIL", "read"]
