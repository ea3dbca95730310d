"""HTML as plain text, for feeds. One pass, so that no markup can make it slow."""

from __future__ import annotations

import html
import re

_BLOCKS = {
    "p",
    "br",
    "div",
    "li",
    "ul",
    "ol",
    "tr",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "hr",
}
_TAG_NAME = re.compile(r"/?([a-zA-Z][a-zA-Z0-9]*)")
_HIDDEN_END = {
    "script": re.compile("</script", re.IGNORECASE),
    "style": re.compile("</style", re.IGNORECASE),
}


def html_to_text(markup: str) -> str:
    """Return the text of an HTML fragment: tags removed, blocks on lines of their own, entities resolved."""
    parts: list[str] = []
    at = 0
    while (start := markup.find("<", at)) >= 0:
        parts.append(html.unescape(markup[at:start]))
        name = _TAG_NAME.match(markup, start + 1)
        if markup.startswith("<!--", start):
            end, width = markup.find("-->", start), 3
        elif name or markup.startswith(("<!", "<?"), start):
            end, width = markup.find(">", start), 1
        else:
            parts.append("<")
            at = start + 1
            continue
        if end < 0:  # never closed: it is text
            at = start
            break
        tag = name.group(1).lower() if name else ""
        if tag in _BLOCKS:
            parts.append("\n")
        at = end + width
        if tag in _HIDDEN_END and markup[start + 1] != "/":
            close = _HIDDEN_END[tag].search(markup, at)
            at = close.start() if close else len(markup)
    parts.append(html.unescape(markup[at:]))
    lines = (" ".join(line.split()) for line in "".join(parts).split("\n"))
    return "\n".join(line for line in lines if line)
