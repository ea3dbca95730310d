"""Jinja and MJML: finds templates, renders them, and turns their faults into one line that says where."""

from __future__ import annotations

import re
import traceback
from collections.abc import Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, Template, TemplateError, TemplateNotFound
from jinja2 import TemplateSyntaxError as JinjaSyntaxError

from newsletter.errors import RenderError
from newsletter.models.issues import PLACEHOLDER_CLOSE, PLACEHOLDER_OPEN, placeholder
from newsletter.templating.environments import sandbox, trusting
from newsletter.templating.escaping import kept
from newsletter.templating.frame import frame, to_html
from newsletter.templating.loading import FolderLoader
from newsletter.templating.markdown import link_target, link_text, literal
from newsletter.templating.missing import with_nearest
from newsletter.templating.partials import FOLDERS
from newsletter.templating.text import whole_sentences, wrap
from newsletter.templating.theme import Theme
from newsletter.templating.watching import looked_at

LETTER = "email/letter.mjml.j2"
# mjml-python writes attribute values as Rust would in a debug print: a backslash doubled, combining marks and
# whatever it holds for invisible as \u{301}. A character reference passes, so anything doubtful becomes one.
_ATTRIBUTE = re.compile(  # one that holds more than plain ASCII
    r"""=(?:"[ !#-\[\]-~]*[^ -\[\]-~][^"]*"|'[ -&(-\[\]-~]*[^ -\[\]-~][^']*')"""
)
_DOUBTFUL = re.compile(r"[^ -\[\]-~¡-¬®-ʯ\u3041-\u3096\u4e00-\u9fff\uac00-\ud7a3]")
_MARK = re.compile(f"&#x({ord(PLACEHOLDER_OPEN):x}|{ord(PLACEHOLDER_CLOSE):x});")
_UNREAD = "look for an unclosed tag or an unquoted attribute, in its partials too"
_LEFT_OVER = re.compile(r"</?(mj-[a-z-]+)")
# what a template's own expressions can raise while they are evaluated
_FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


class Engine:
    """The templates of one folder of overrides, in front of those that came with the newsletter.

    Without overrides, and for one theme, letters are made faster.
    """

    def __init__(self, overrides: Path | None, theme: Theme | None = None) -> None:
        folders: list[BaseLoader] = [FileSystemLoader(folder) for folder in FOLDERS]
        if overrides is not None:
            folders.insert(0, FolderLoader(overrides))
        self._overrides = overrides
        self._loader = ChoiceLoader(folders)
        # ours are trusted; what somebody else wrote works in the sandbox, which is slower
        self._trusted = theme is not None and overrides is None
        self._environment = (
            trusting(self._loader, theme) if theme and self._trusted else sandbox(self._loader)
        )
        filters = {
            "wrapped": wrap,
            "whole_sentences": whole_sentences,
            "kept": kept,
            "literal": literal,
            "link_text": link_text,
            "link_target": link_target,
        }
        self._environment.filters |= filters
        self._environment.filters.pop("safe")  # content has no way around the escaping
        self._environment.globals["placeholder"] = placeholder

    def html(self, values: Mapping[str, object]) -> str:
        """Render the letter to HTML; raise `RenderError` with file and line for a fault in a template."""
        if self._frame is not None:
            return self._rendered(self._frame, LETTER, values)
        try:
            html = to_html(self.mjml(values))
        except ValueError as error:
            from newsletter.templating.tracing import located  # it makes an engine of its own

            unread = RenderError(
                f"MJML cannot be read: {error}",
                subject=LETTER,
                remedy=_UNREAD,
            )
            raise located(unread, self._overrides, values) from error
        self._refuse_left_overs(html)
        return _marked(html)

    def mail(self, name: str, values: Mapping[str, object]) -> str:
        """Render a mail of another kind to HTML; raise `RenderError` for a fault in its template."""
        try:
            return _marked(to_html(self.mjml(values, name)))
        except ValueError as error:
            raise RenderError(f"MJML cannot be read: {error}", subject=name, remedy=_UNREAD) from error

    @cached_property
    def _frame(self) -> Template | None:
        """Our templates as one of HTML; None where there are others, or a fault that a letter will place."""
        if not self._trusted:
            return None
        try:
            html = frame(LETTER, lambda name: self._loader.get_source(self._environment, name)[0])
            return None if _LEFT_OVER.search(html) else self._environment.from_string(html)
        except _FAULTS:
            return None

    def mjml(self, values: Mapping[str, object], name: str = LETTER) -> str:
        """Render a mail to MJML."""
        return _ATTRIBUTE.sub(_referenced, self.plain(name, values))

    def plain(self, name: str, values: Mapping[str, object]) -> str:
        """Render one template by name; raise `RenderError` with file and line for a fault in it."""
        return self._rendered(name, name, values)

    def _rendered(self, template: str | Template, name: str, values: Mapping[str, object]) -> str:
        try:
            return self._environment.get_template(template).render(values)
        except _FAULTS as error:
            raise RenderError(
                with_nearest(_said(error), [*values, *self._environment.globals]),
                subject=_place(error, name),
                remedy="mend the template or remove the override",
            ) from error

    def _refuse_left_overs(self, html: str) -> None:
        if "<mj-" not in html and "</mj-" not in html:
            return
        found = _LEFT_OVER.search(html)
        if not found:
            return
        raise RenderError(
            f"MJML does not know <{found[1]}>",
            subject=self._where(f"<{found[1]}") or LETTER,
            remedy="use one of MJML's own components",
        )

    def _where(self, needle: str) -> str:
        """Return file and line of the first template that holds ``needle``, those of the overrides first."""
        found = []
        for name in self._environment.list_templates():
            source, path, _ = self._loader.get_source(self._environment, name)
            for number, line in enumerate(source.splitlines(), 1):
                if needle in line:
                    ours = self._overrides is None or self._overrides not in Path(path or "").parents
                    found.append((ours, f"{path or name}, line {number}"))
        return min(found)[1] if found else ""


def engine(overrides: Path | None, theme: Theme) -> Engine:
    """Return the engine of a folder and a theme; it is kept until a file of the folder changes."""
    return _engine(overrides, theme, _state(overrides) if overrides is not None else ())


def forget() -> None:
    """Read all templates anew, ours too; for whoever works on them while a letter is made again and again."""
    _engine.cache_clear()


@lru_cache(maxsize=16)
def _engine(overrides: Path | None, theme: Theme, _files: tuple[tuple[str, int, int], ...]) -> Engine:
    return Engine(overrides, theme)


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what tells whether templates changed."""
    return tuple(sorted((name, *found) for name, found in looked_at(str(folder))))


def _marked(html: str) -> str:
    """Return HTML whose placeholders are characters again."""
    return _MARK.sub(lambda mark: chr(int(mark[1], 16)), html)


def _referenced(attribute: re.Match[str]) -> str:
    return _DOUBTFUL.sub(lambda found: f"&#x{ord(found[0]):x};", attribute[0])


def _said(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f"there is no template {error.name}"
    if isinstance(error, RecursionError):
        return "a template includes itself"
    return str(error) or type(error).__name__


def _place(error: Exception, name: str) -> str:
    if isinstance(error, JinjaSyntaxError):
        return f"{error.filename or error.name or name}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.endswith(".j2")]
    return f"{inside[-1].filename}, line {inside[-1].lineno}" if inside else name
