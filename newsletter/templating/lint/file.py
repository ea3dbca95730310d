"""A letter in a file (.eml, .html), as lint looks at it. What the file does not tell is not judged."""

from __future__ import annotations

from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

from newsletter.errors import InputError
from newsletter.templating.lint.check import Checked

MOST_BYTES = 20_000_000
_TELLING = (
    "from",
    "to",
    "subject",
    "mime-version",
    "content-type",
)  # headers of which an e-mail has one at least
# what the standard library's parser of headers and parts can raise where the input is broken
_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    MessageError,
    RecursionError,
)


def read_letter(path: Path) -> Checked:
    """Return the letter in a file; raise `InputError` for a file that cannot be used."""
    kind = path.suffix.lower()
    if kind not in {".eml", ".html", ".htm"}:
        raise InputError("is neither .eml nor .html", subject=str(path), remedy="name a letter by its ending")
    content = _content(path)
    if kind == ".eml":
        return read_message(content, name=str(path))
    try:
        return Checked(html=content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(
            "is not text in UTF-8", subject=str(path), remedy="save it as UTF-8, or lint the .eml"
        ) from error


def read_message(content: bytes, *, name: str) -> Checked:
    """Return the letter in an e-mail; raise `InputError`, which names it, for what is none."""
    try:
        message = BytesParser(policy=policy.default).parsebytes(content)
        headers = tuple((header, str(value)) for header, value in message.items())
        if not {header.lower() for header, _ in headers} & set(_TELLING):
            raise InputError("is no e-mail: it has no headers", subject=name, remedy="name an .eml file")
        html = _part(message, "html")
        return Checked(
            html=html,
            text=_part(message, "plain") or "",
            subject=str(message.get("subject", "")),
            headers=headers,
        )
    except _FAULTS as error:
        raise InputError(
            f"cannot be read as an e-mail ({' '.join(str(error).split()) or type(error).__name__})", subject=name,
            remedy="write it again with another program",
        ) from error  # fmt: skip


def _part(message: EmailMessage, kind: str) -> str | None:
    part = message.get_body((kind,))
    if part is None:
        return None
    content = part.get_content()
    assert isinstance(content, str)
    return content


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError("is a folder", subject=str(path), remedy="name an .eml or .html file")
        if not path.is_file():
            raise InputError("there is no such file", subject=str(path), remedy="check the path")
        if path.stat().st_size > MOST_BYTES:
            raise InputError(
                f"is larger than {MOST_BYTES:,} bytes", subject=str(path), remedy="no letter is that large"
            )
        content = path.read_bytes()
    except OSError as error:
        raise InputError(
            f"cannot be read ({error.strerror})", subject=str(path), remedy="check its permissions"
        ) from error
    if not content.strip():
        raise InputError("the file is empty", subject=str(path), remedy="name a letter")
    if b"\0" in content:
        raise InputError("is a binary file", subject=str(path), remedy="name an .eml or .html file")
    return content
