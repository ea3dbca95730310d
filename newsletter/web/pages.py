"""How the pages look: the letter's colours and fonts, in one style block that the policy names by its hash."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from newsletter.languages import shipped_as
from newsletter.templating.i18n import words
from newsletter.templating.partials import FOLDERS
from newsletter.templating.theme import Theme
from newsletter.templating.view import setting_of

ENDONYMS = {
    "en": "English",
    "ko": "한국어",
    "ja": "日本語",
    "zh-Hans": "简体中文",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "ar": "العربية",
}
_LONGEST_HEADER = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What every page shows, whatever it is about. ``editions`` gives the language of each."""

    newsletter: str
    postal_address: str
    theme: Theme
    public_url: str
    editions: Mapping[str, str]

    @property
    def prefix(self) -> str:
        """The path of the public address, without a slash at its end."""
        return urlsplit(self.public_url).path.rstrip("/")


class Pages:
    """Makes pages from templates; content is escaped."""

    def __init__(self, look: Look) -> None:
        self.look = look
        self.first = next(iter(look.editions))
        self._styles: dict[str, tuple[Markup, str]] = {}

    @cached_property
    def _templates(self) -> Environment:
        folders = [folder / "web" for folder in FOLDERS]
        return Environment(
            loader=FileSystemLoader(folders), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
            lstrip_blocks=True, auto_reload=False,
        )  # fmt: skip

    def page(
        self, name: str, language: str, *, status: int = 200, lang_links: bool = False, **values: object
    ) -> HTMLResponse:
        """Return a page in a shipped language. ``lang_links`` offers the other editions' languages."""
        fixed = words(language)
        style, policy = self._style(language)
        text = self._templates.get_template(f"{name}.html.j2").render(
            look=self.look, words=fixed, language=language, style=style, setting=setting_of(fixed),
            endonyms=ENDONYMS, others=self._others(language) if lang_links else (), **values,
        )  # fmt: skip
        headers = {"Content-Security-Policy": policy, "X-Robots-Tag": "noindex"}
        if lang_links:
            headers = {"Content-Security-Policy": policy, "Vary": "Accept-Language"}
        return HTMLResponse(text, status, headers=headers)

    def _others(self, language: str) -> tuple[str, ...]:
        offered = dict.fromkeys(self.look.editions.values())
        return tuple(offered) if len(offered) > 1 or language not in offered else ()

    def _style(self, language: str) -> tuple[Markup, str]:
        """Return the style of pages in a language, and the policy that lets it in and nothing else."""
        if language not in self._styles:
            theme = self.look.theme.speaking(words(language).base)
            values = {"theme": theme, "setting": setting_of(words(language)), "base": words(language).base}
            text = self._templates.get_template("style.css.j2").render(values).strip()
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            policy = (
                f"default-src 'none'; style-src 'sha256-{digest}'; img-src 'self'; form-action 'self'; "
                "base-uri 'none'; frame-ancestors 'none'"
            )
            self._styles[language] = Markup(text), policy  # noqa: S704  # our own template, colours and checked fonts
        return self._styles[language]

    def label(self, edition: str) -> str:
        """Return how a form names an edition: by its language where that tells them apart."""
        language = self.look.editions[edition]
        name = ENDONYMS[language]
        if list(self.look.editions.values()).count(language) == 1:
            return name
        return f"{edition.replace('-', ' ').capitalize()} ({name})"

    def language(self, query: str, header: str) -> str:
        """Return the language of a page that has no edition: ``?lang=``, the browser's, or the first edition's."""
        asked = [query, *_preferred(header[:_LONGEST_HEADER])]
        served = (shipped_as(tag) for tag in asked if tag)
        return next((language for language in served if language), self.look.editions[self.first])

    def edition_in(self, language: str) -> str:
        """Return the edition that a form offers first to somebody who reads a language."""
        found = (name for name, spoken in self.look.editions.items() if spoken == language)
        return next(found, self.first)

    def spoken_by(self, edition: str | None) -> str:
        """Return an edition's language; that of the first for one that is not configured any more."""
        return self.look.editions.get(edition or "", self.look.editions[self.first])


def spoken(look: Look) -> Look:
    """Return the look with every edition's language as it is shipped."""
    return replace(look, editions={name: shipped_as(tag) or "en" for name, tag in look.editions.items()})


def _preferred(header: str) -> list[str]:
    """Return the tags of Accept-Language, the most wanted first."""
    found: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, rest = part.partition(";")
        try:
            weight = float(rest.strip().removeprefix("q=")) if rest else 1.0
        except ValueError:
            continue
        if weight > 0:
            found.append((-weight, tag.strip()))
    return [tag for _, tag in sorted(found, key=lambda pair: pair[0])]
