"""What a paper is called: its arXiv id without version, or an id made from its address."""

from __future__ import annotations

import hashlib
import re
from urllib.parse import urlsplit

_BARE = re.compile(
    r"(?:([0-9]{4}\.[0-9]{4,5})|([a-z]+(?:-[a-z]+)?)(?:\.[A-Za-z]{2})?/([0-9]{7}))(?:v[0-9]+)?"
)
_PREFIX = re.compile(r"(?:oai:arxiv\.org:|arxiv:)\s*", re.IGNORECASE)
_FOLDERS = ("abs", "pdf", "html")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_LONGEST = 2048


def normalize_arxiv_id(text: str) -> str | None:
    """Return the id without version (``2409.06820``, ``cs/0112017``), None if the text names no arXiv paper.

    Takes a bare id, ``arXiv:ID``, ``oai:arXiv.org:ID`` and the addresses of arxiv.org and
    huggingface.co/papers. A subject class is dropped: ``math.GT/0309136`` is ``math/0309136``.
    """
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    if "://" in text:
        text = _from_address(text)
    elif prefix := _PREFIX.match(text):
        text = text[prefix.end() :]
    match = _BARE.fullmatch(text)
    if match is None:
        return None
    number, archive, old_number = match.groups()
    return number or f"{archive}/{old_number}"


def _from_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return ""
    folder, _, rest = parts.path.lstrip("/").partition("/")
    rest = rest.rstrip("/").removesuffix(".pdf")
    if host == "arxiv.org" or host.endswith(".arxiv.org"):
        return rest if folder in _FOLDERS else ""
    if host in {"huggingface.co", "www.huggingface.co", "hf.co"}:
        return rest if folder == "papers" else ""
    return ""


def arxiv_url(paper_id: str) -> str | None:
    """Return the address of an arXiv paper's page, None if the id is not an arXiv id."""
    known = normalize_arxiv_id(paper_id)
    return f"https://arxiv.org/abs/{known}" if known else None


def paper_id(*references: str) -> str:
    """Return the arXiv id that the first fitting reference names, else an id made from the first reference.

    A made id is the reference itself where that is short and plain, else its words and a hash of it,
    so that it can stand in a command, an address and a file name.
    """
    for reference in references:
        if known := normalize_arxiv_id(reference):
            return known
    reference = next((text.strip() for text in references if text.strip()), "")
    if _SAFE.fullmatch(reference):
        return reference
    words = re.sub(r"[^a-z0-9]+", "-", reference[:_LONGEST].lower().split("://", 1)[-1])
    digest = hashlib.sha256(reference.encode("utf-8", "surrogatepass")).hexdigest()[:10]
    return f"{words[:48].strip('-')}-{digest}".lstrip("-")
