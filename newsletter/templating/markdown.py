"""What keeps a title and an address apart in the Markdown of a digest, so that its reader gets both back."""

from __future__ import annotations


def link_text(text: str) -> str:
    """Return text for the brackets of a Markdown link."""
    return text.replace("[", "\\[").replace("]", "\\]")


def link_target(address: str | None) -> str:
    """Return an address for the parentheses of a Markdown link."""
    return (address or "").replace("](", "]%28")
