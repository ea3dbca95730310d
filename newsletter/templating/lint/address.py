"""Which addresses a finished letter may hold, and why not where it may not."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from newsletter.models.issues import PLACEHOLDER_CLOSE, PLACEHOLDER_OPEN
from newsletter.templating.text import cut, one_line

_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]{0,30}):")
# controls, and the marks that turn the reading direction, with which an address shows another one
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
_PLACE = re.compile(r"#[\w.-]+")  # in the letter itself
_LINE_END = re.compile("%0[ad]", re.IGNORECASE)


def link_fault(address: str) -> str:
    """Return why a link's address is not safe, empty if it is. One with a placeholder is another rule's."""
    address = address.strip(" ")
    if _PLACE.fullmatch(address):
        return ""
    if _scheme(address) == "mailto" and not _marked(address):
        return _fault(address) or _mail_fault(address.partition(":")[2])
    return _web_fault(address, "http, https or mailto")


def image_fault(address: str) -> str:
    """Return why a picture's address cannot be used, empty if it can; a part of the mail itself (cid:) can."""
    address = address.strip(" ")
    if _scheme(address) == "cid":
        return "" if _marked(address) else _fault(address)
    return _web_fault(address, "http or https")


def _web_fault(address: str, allowed: str) -> str:
    """Return why an address is none of the web, empty if it is one or has a placeholder."""
    if _marked(address):
        return ""
    fault = _fault(address)
    if fault:
        return fault
    scheme = _scheme(address)
    return _host_fault(address) if scheme in {"http", "https"} else f"is {shown(scheme)}:, not {allowed}"


def shown(text: str, limit: int = 60) -> str:
    """Return text as a finding quotes it: one line, short, without what would disturb a terminal."""
    return cut(one_line(_CONTROL.sub(" ", text)), limit)


def _marked(address: str) -> bool:
    return PLACEHOLDER_OPEN in address or PLACEHOLDER_CLOSE in address


def _scheme(address: str) -> str:
    found = _SCHEME.match(address)
    return found[1].lower() if found else ""


def _fault(address: str) -> str:
    if not address:
        return "is empty"
    if _CONTROL.search(address):
        return "has a control character"
    return "" if _scheme(address) else "is not a full address"


def _mail_fault(target: str) -> str:
    reader, _, query = target.partition("?")
    if "@" not in reader and (reader or not query):  # without a reader it is for forwarding
        return "names nobody to write to"
    for each in ["to=" + reader, *query.split("&")]:
        name = each.partition("=")[0].lower()
        if name in {"cc", "bcc"} or (name != "body" and _LINE_END.search(each)):
            return "adds a reader or a header to the mail"
    return ""


def _host_fault(address: str) -> str:
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "has no host that can be read"
    if "@" in parts.netloc:
        return "shows another host than it opens"
    if "\\" in parts.netloc or not host or any(character.isspace() for character in host):
        return "has no host that can be read"
    return ""
