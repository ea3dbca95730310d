"""What keeps titles, addresses and HTML apart in the Markdown of a digest; its reader gets all of it back."""

from __future__ import annotations


def literal(text: str) -> str:
    """Return text in which nothing opens an HTML tag, for sites that allow HTML in Markdown."""
    return text.replace("<", "\\<")


def link_text(text: str) -> str:
    """Return text for the brackets of a Markdown link."""
    return literal(text).replace("[", "\\[").replace("]", "\\]")


def link_target(address: str | None) -> str:
    """Return an address for the parentheses of a Markdown link."""
    return (address or "").replace("](", "]%28")
