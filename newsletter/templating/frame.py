"""Our letter as one template of HTML: MJML reads the templates, once a theme, instead of every letter.

MJML passes whatever stands in running text and most of what stands in attributes, so each piece of Jinja goes through
it as a word of its own and is put back into the HTML: statements between components as `mj-raw`, the inside of a
component as a whole. What a value decides about MJML's own layout (a column's width, whether an attribute is there)
cannot be made this way; our templates have nothing of the kind, and the tests hold both ways against each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from newsletter.errors import RenderError

try:
    from mjml import mjml2html
except ImportError as error:
    raise RenderError(
        "mjml-python is missing, or hidden by the package `mjml`, which has the same import name",
        remedy="run: pip uninstall -y mjml && pip install --force-reinstall mjml-python",
    ) from error

_COMMENT = re.compile(r"\{#.*?#\}\n?", re.DOTALL)
_JINJA = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_INCLUDE = re.compile(r'\{%-? include "(email/[^"]*\.mjml\.j2)" -?%\}\n?')
_INSIDE = re.compile(r"(<(mj-(?:text|button|raw|style|title))\b[^>]*(?<!/)>)(.*?)(?=</\2>)", re.DOTALL)
_BETWEEN = re.compile(r"(?<=>)[^<]*q\d+z[^<]*(?=<)")
_WORD = re.compile(r"[qi](\d+)z")
_LINE_END = re.compile(r"\s*\n\s*")
_ARTICLE = re.compile('<div [^>]*role="article"[^>]*>')
_FLUID = re.compile(
    r"<style[^>]*>[^<]*table\.mj-full-width-mobile[^<]*</style>"
)  # for images of a kind we have none
_END = "</div></body>"

Source = Callable[[str], str]


def frame(name: str, source: Source) -> str:
    """Return the Jinja source of a letter's HTML; ``source`` gives the Jinja and MJML of a template by name."""
    kept: list[str] = []

    def keep(text: str, sign: str = "q") -> str:
        kept.append(text)
        return f"{sign}{len(kept) - 1}z"

    def inside(found: re.Match[str]) -> str:
        opening, component, text = found.groups()
        text = text.strip() if component == "mj-style" else _LINE_END.sub("", text)
        return opening + keep(text, "i")

    flat = _JINJA.sub(lambda found: keep(found[0]), _COMMENT.sub("", _joined(name, source)))
    before, start, mjml = flat.partition("<mjml ")
    mjml = _INSIDE.sub(inside, start + mjml)
    mjml = _BETWEEN.sub(lambda found: f"<mj-raw>{found[0].strip()}</mj-raw>", mjml)
    html = before + _FLUID.sub("", to_html(mjml))
    while _WORD.search(html):
        html = _WORD.sub(lambda found: kept[int(found[1])], html)
    return html


def to_html(mjml: str) -> str:
    """Return a letter's HTML; raise `ValueError` for MJML that cannot be read.

    Everything stands in a landmark, `main`, inside the article that MJML makes of a letter.
    """
    html: str = mjml2html(mjml, fonts={})
    article, end = _ARTICLE.search(html), html.rfind(_END)
    if not article or end < 0:
        return html
    return f'{html[: article.end()]}<div role="main">{html[article.end() : end]}</div>{html[end:]}'


def _joined(name: str, source: Source) -> str:
    """Return a template with its partials in place."""
    return _INCLUDE.sub(lambda found: _joined(found[1], source), source(name).removesuffix("\n"))
