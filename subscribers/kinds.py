"""Kinds of addresses that a newsletter may not want: those of a role, and those of services for throw-away mail.

Both lists are short on purpose: what everybody knows, and nothing that a person's own mailbox could be. A list that
wants to hold every such service is out of date the day it is made, and refuses people.
"""

from __future__ import annotations

from subscribers.models import Address

_ROLES = frozenset({
    "abuse", "accounting", "accounts", "admin", "administrator", "all", "billing", "careers", "contact",
    "customerservice", "dmarc", "enquiries", "everyone", "feedback", "finance", "ftp", "hello", "help",
    "helpdesk", "hostmaster", "hr", "info", "inquiries", "invoices", "jobs", "legal", "list", "mail",
    "mailer-daemon", "marketing", "media", "news", "newsletter", "no-reply", "nobody", "noc", "noreply",
    "office", "orders", "postmaster", "press", "privacy", "recruiting", "root", "sales", "security", "spam",
    "staff", "subscribe", "support", "sysadmin", "team", "unsubscribe", "usenet", "uucp", "webmaster", "www",
})  # fmt: skip
_DISPOSABLE = frozenset({
    "10minutemail.com", "10minutemail.net", "33mail.com", "burnermail.io", "discard.email", "dispostable.com",
    "emailondeck.com", "fakeinbox.com", "fakemail.net", "getairmail.com", "getnada.com", "grr.la",
    "guerrillamail.biz", "guerrillamail.com", "guerrillamail.de", "guerrillamail.info", "guerrillamail.net",
    "guerrillamail.org", "guerrillamailblock.com", "incognitomail.org", "inboxkitten.com", "jetable.org",
    "mail-temp.com", "mailcatch.com", "maildrop.cc", "mailexpire.com", "mailinator.com", "mailinator.net",
    "mailnesia.com", "mailnull.com", "mailsac.com", "mintemail.com", "moakt.com", "mohmal.com", "mytemp.email",
    "mytrashmail.com", "nada.email", "sharklasers.com", "spam4.me", "spambog.com", "spamex.com",
    "spamgourmet.com", "spamgourmet.net", "temp-mail.io", "temp-mail.org", "tempail.com", "tempinbox.com",
    "tempmail.net", "tempmailo.com", "tempr.email", "throwawaymail.com", "tmail.ws", "trash-mail.com",
    "trashmail.com", "trashmail.de", "trashmail.net", "trbvm.com", "wegwerfmail.de", "yopmail.com",
    "yopmail.fr", "yopmail.net",
})  # fmt: skip


def is_role(address: Address) -> bool:
    """Tell whether an address belongs to a role and not to a person: ``info@``, also ``info+news@``."""
    local = address.key.rpartition("@")[0]
    return local.partition("+")[0] in _ROLES


def is_disposable(address: Address) -> bool:
    """Tell whether an address is one of a well-known service for throw-away mail, or of a domain below it."""
    labels = address.key.rpartition("@")[2].split(".")
    return any(".".join(labels[at:]) in _DISPOSABLE for at in range(len(labels)))
