"""The documented rules of a mail-send request, checked by themselves: nothing of the newsletter is asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_RECIPIENTS = 1_000
MOST_OCTETS = 30 * 1024 * 1024
MOST_ARGUMENTS = 10_000  # octets of substitutions, and of custom_args
MOST_CATEGORIES = 10

_TOP = {
    "personalizations", "from", "reply_to", "reply_to_list", "subject", "content", "attachments", "template_id",
    "headers", "categories", "custom_args", "send_at", "batch_id", "asm", "ip_pool_name", "mail_settings",
    "tracking_settings",
}  # fmt: skip
_EACH = {
    "from", "to", "cc", "bcc", "subject", "headers", "substitutions", "dynamic_template_data", "custom_args",
    "send_at",
}  # fmt: skip
_PROTECTED = {
    "x-sg-id", "x-sg-eid", "received", "dkim-signature", "content-type", "content-transfer-encoding", "to", "from",
    "subject", "reply-to", "cc", "bcc",
}  # fmt: skip
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ADDRESS = re.compile(rf"(?=.{{3,254}}$)(?=[^@]{{1,64}}@){_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+{_LABEL}")
_HEADER_NAME = re.compile(r"[!-9;-~]+")
_HELP = "http://sendgrid.com/docs/API_Reference/Web_API_v3/Mail/errors.html#message."


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """A rule that a request breaks, with the field that does it."""

    message: str
    field: str | None

    def document(self) -> dict[str, str | None]:
        """Return it as the API answers it."""
        name = None if self.field is None else _HELP + re.sub(r"\.\d+", "", self.field)
        return {"message": self.message, "field": self.field, "help": name}


def broken_rules(request: Any) -> list[Broken]:
    """Return the rules that a request breaks; none means that it is taken."""
    if not isinstance(request, dict):
        return [Broken(message="Bad Request", field=None)]
    return list(_broken(request))


def _broken(request: dict[str, Any]) -> Iterator[Broken]:
    for name in request.keys() - _TOP:
        yield Broken(message=f"Additional property {name} is not allowed", field=name)
    yield from _sender(request.get("from"), "from")
    for place, each in _addresses(request, "reply_to"):
        yield from _address(each, place)
    yield from _content(request.get("content"), templated="template_id" in request)
    yield from _headers(request.get("headers"), "headers")
    yield from _categories(request.get("categories"))
    yield from _personalizations(request)


def _personalizations(request: dict[str, Any]) -> Iterator[Broken]:
    blocks = request.get("personalizations")
    if not isinstance(blocks, list) or not blocks:
        yield Broken(message="You must have at least one personalization.", field="personalizations")
        return
    if len(blocks) > MOST_RECIPIENTS:
        yield Broken(message=f"{len(blocks)} personalizations are more than 1000.", field="personalizations")
    seen: set[str] = set()
    recipients = 0
    for index, block in enumerate(blocks):
        place = f"personalizations.{index}"
        if not isinstance(block, dict):
            yield Broken(message="A personalization is an object.", field=place)
            continue
        yield from _block(request, block, place)
        for each in recipients_of(block):
            recipients += 1
            folded = each["email"].lower() if isinstance(each.get("email"), str) else ""
            if folded and folded in seen:
                yield Broken(
                    message=f"Each unique address is included once; [{folded}] is there again.", field=place
                )
            seen.add(folded)
    if recipients > MOST_RECIPIENTS:
        yield Broken(message=f"{recipients} recipients are more than 1000.", field="personalizations")


def is_address(value: Any) -> bool:
    """Return whether a value is an address that SendGrid takes: ASCII, without quotes."""
    return isinstance(value, str) and _ADDRESS.fullmatch(value) is not None


def recipients_of(block: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return whom a personalization is for: its to, cc and bcc."""
    lists = [block.get(kind) for kind in ("to", "cc", "bcc")]
    return [each for those in lists if isinstance(those, list) for each in those if isinstance(each, dict)]


def _block(request: Mapping[str, Any], block: dict[str, Any], place: str) -> Iterator[Broken]:
    for name in block.keys() - _EACH:
        yield Broken(message=f"Additional property {name} is not allowed", field=f"{place}.{name}")
    if not isinstance(block.get("to"), list) or not block["to"]:
        yield Broken(message="The to array is required for all personalizations.", field=f"{place}.to")
    for kind in ("cc", "bcc"):
        if not isinstance(block.get(kind, []), list):
            yield Broken(message=f"The {kind} must be an array.", field=f"{place}.{kind}")
    for kind in ("to", "cc", "bcc"):
        for where, each in _addresses(block, kind):
            yield from _address(each, f"{place}.{where}")
    if "from" in block:
        yield from _sender(block["from"], f"{place}.from")
    if not _is_text(block.get("subject", request.get("subject"))) and "template_id" not in request:
        yield Broken(message="The subject is required.", field="subject")
    yield from _headers(block.get("headers"), f"{place}.headers")
    yield from _texts(block.get("substitutions"), f"{place}.substitutions")
    arguments = [each.get("custom_args") or {} for each in (request, block)]
    if all(isinstance(each, dict) for each in arguments):
        yield from _texts(arguments[0] | arguments[1], f"{place}.custom_args")
    else:
        yield Broken(message="The custom_args are an object.", field=f"{place}.custom_args")


def _addresses(holder: Mapping[str, Any], name: str) -> Iterator[tuple[str, Any]]:
    value = holder.get(name)
    if isinstance(value, list):
        yield from ((f"{name}.{index}", each) for index, each in enumerate(value))
    elif value is not None:
        yield name, value


def _sender(value: Any, place: str) -> Iterator[Broken]:
    if value is None:
        yield Broken(message="The from object must be provided for every email send.", field=f"{place}.email")
    else:
        yield from _address(value, place)


def _address(value: Any, place: str) -> Iterator[Broken]:
    email = value.get("email") if isinstance(value, dict) else None
    if not is_address(email):
        yield Broken(message="Does not contain a valid address.", field=f"{place}.email")
    elif not isinstance(value.get("name", ""), str):
        yield Broken(message="The name must be a string.", field=f"{place}.name")


def _content(value: Any, *, templated: bool) -> Iterator[Broken]:
    if not isinstance(value, list) or not value:
        if not templated:
            yield Broken(message="The content must have at least one part.", field="content")
        return
    kinds = [each.get("type") if isinstance(each, dict) else None for each in value]
    if "text/plain" in kinds[1:] or "text/html" in kinds[2:]:
        yield Broken(message="text/plain comes first, then text/html, then others.", field="content")
    for index, each in enumerate(value):
        if not _is_text(kinds[index]):
            yield Broken(message="The type of a content is required.", field=f"content.{index}.type")
        elif not _is_text(each.get("value")):
            yield Broken(
                message="The value of a content is at least one character.", field=f"content.{index}.value"
            )


def _headers(value: Any, place: str) -> Iterator[Broken]:
    if value is None:
        return
    if not isinstance(value, dict):
        yield Broken(message="The headers are an object.", field=place)
        return
    for name, text in value.items():
        if name.lower() in _PROTECTED:
            yield Broken(message=f"{name} is a reserved header.", field=f"{place}.{name}")
        elif not _HEADER_NAME.fullmatch(name):
            yield Broken(
                message="A header's name is printable ASCII without a colon.", field=f"{place}.{name}"
            )
        elif not isinstance(text, str) or not text.isascii() or not text.isprintable():
            yield Broken(message="A header's value is one line of ASCII.", field=f"{place}.{name}")


def _texts(value: Any, place: str) -> Iterator[Broken]:
    if value is None:
        return
    if not isinstance(value, dict) or not all(isinstance(each, str) for each in value.values()):
        yield Broken(message="Every value must be a string.", field=place)
    elif sum(len(name.encode()) + len(text.encode()) for name, text in value.items()) > MOST_ARGUMENTS:
        yield Broken(message=f"More than {MOST_ARGUMENTS} bytes.", field=place)


def _categories(value: Any) -> Iterator[Broken]:
    if value is None:
        return
    if not isinstance(value, list) or not all(_is_text(each) and len(each) <= 255 for each in value):
        yield Broken(message="Categories are strings of up to 255 characters.", field="categories")
    elif len(value) > MOST_CATEGORIES:
        yield Broken(message="There is a limit of 10 categories.", field="categories")
    elif len(set(value)) < len(value):
        yield Broken(message="Each category is included once.", field="categories")


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)
