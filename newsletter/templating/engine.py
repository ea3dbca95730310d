"""Jinja and MJML: finds templates, renders them, and turns their faults into one line that says where."""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from jinja2 import (
    ChoiceLoader,
    Environment,
    FileSystemLoader,
    StrictUndefined,
    TemplateError,
    TemplateNotFound,
    nodes,
)
from jinja2 import TemplateSyntaxError as JinjaSyntaxError
from jinja2.compiler import CodeGenerator, Frame
from jinja2.runtime import Context, Macro
from jinja2.sandbox import SandboxedEnvironment

from newsletter.errors import RenderError
from newsletter.models import PLACEHOLDER_CLOSE, PLACEHOLDER_OPEN, placeholder
from newsletter.templating.entries import EntryView, LinkView, SectionView
from newsletter.templating.escaping import escaped, kept
from newsletter.templating.i18n import Words
from newsletter.templating.markdown import link_target, link_text, literal
from newsletter.templating.text import whole_sentences, wrap
from newsletter.templating.theme import Palette, Theme
from newsletter.templating.view import LetterView

try:
    from mjml import mjml2html
except ImportError as error:
    raise RenderError(
        "mjml-python is missing, or hidden by the package `mjml`, which has the same import name",
        remedy="run: pip uninstall -y mjml && pip install --force-reinstall mjml-python",
    ) from error

LETTER = "email/letter.mjml.j2"
_PACKAGE = Path(__file__).resolve().parents[1]
# mjml-python writes attribute values as Rust would in a debug print: a backslash doubled, combining marks and
# whatever it holds for invisible as \u{301}. A character reference passes, so anything doubtful becomes one.
_ATTRIBUTE = re.compile(  # one that holds more than plain ASCII
    r"""=(?:"[ !#-\[\]-~]*[^ -\[\]-~][^"]*"|'[ -&(-\[\]-~]*[^ -\[\]-~][^']*')"""
)
_DOUBTFUL = re.compile(r"[^ -\[\]-~¡-¬®-ʯ\u3041-\u3096\u4e00-\u9fff\uac00-\ud7a3]")
_ARTICLE = re.compile('<div [^>]*role="article"[^>]*>')
_END = "</div></body>"
_LEFT_OVER = re.compile(r"</?(mj-[a-z-]+)")
# what a template's own expressions can raise while they are evaluated
_FAULTS = (TemplateError, ArithmeticError, AttributeError, LookupError, TypeError, ValueError)

_VALUES = frozenset({EntryView, LetterView, LinkView, Palette, SectionView, Theme, Words})


class Engine:
    """The templates of one folder of overrides, in front of those that came with the newsletter."""

    def __init__(self, overrides: Path | None) -> None:
        folders = [_PACKAGE / "_templates", _PACKAGE.parent / "templates"]
        if overrides is not None:
            folders.insert(0, overrides)
        self._overrides = overrides
        self._loader = ChoiceLoader([FileSystemLoader(folder) for folder in folders])
        # ours are trusted; what somebody else wrote works in the sandbox, which is slower
        kind = _Ours if overrides is None else _Sandbox
        self._environment: Environment = kind(
            loader=self._loader,
            autoescape=_escaped,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            cache_size=-1,
            auto_reload=False,  # `engine` looks at the files, once a letter
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
        try:
            html: str = mjml2html(self.mjml(values), fonts={})
        except ValueError as error:
            raise RenderError(
                f"MJML cannot be read: {error}",
                subject=LETTER,
                remedy="look for an unclosed tag or an unquoted attribute, in its partials too",
            ) from error
        self._refuse_left_overs(html)
        # a landmark: everything stands in `main`, inside the article that MJML makes of a letter
        html = _ARTICLE.sub(r'\g<0><div role="main">', html, count=1).replace(_END, f"</div>{_END}", 1)
        for mark in (PLACEHOLDER_OPEN, PLACEHOLDER_CLOSE):
            html = html.replace(_reference(mark), mark)
        return html

    def mjml(self, values: Mapping[str, object]) -> str:
        """Render the letter to MJML."""
        text = self.plain(LETTER, values)
        pieces = text.split('"')
        if len(pieces) % 2 == 0 or "='" in text:  # a quote in running text, or another kind of quote
            return _ATTRIBUTE.sub(_referenced, text)
        plain = "\\" not in text
        pieces[1::2] = [
            piece if plain and piece.isascii() else _DOUBTFUL.sub(_referenced_character, piece)
            for piece in pieces[1::2]
        ]
        return '"'.join(pieces)

    def plain(self, name: str, values: Mapping[str, object]) -> str:
        """Render one template by name; raise `RenderError` with file and line for a fault in it."""
        try:
            return self._environment.get_template(name).render(values)
        except _FAULTS as error:
            raise RenderError(
                _said(error), subject=_place(error, name), remedy="mend the template or remove the override"
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


class _Escaping(CodeGenerator):
    """Makes templates that escape as markupsafe does, without making a `Markup` of every piece."""

    def _output_child_pre(
        self, node: nodes.Expr, frame: Frame, finalize: CodeGenerator._FinalizeInfo
    ) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.escaped(")
            if finalize.src is not None:
                self.write(finalize.src)


class _Context(Context):
    """Calls macros without asking what else they could be."""

    def call(self, function: Callable[..., object], *args: object, **kwargs: object) -> object:
        if type(function) is not Macro:
            return super().call(function, *args, **kwargs)
        kwargs.pop("_loop_vars", None)
        kwargs.pop("_block_vars", None)
        return function(*args, **kwargs)


class _Ours(Environment):
    """The environment of our own templates, with short ways where letters spend their time."""

    code_generator_class = _Escaping
    context_class = _Context
    escaped = staticmethod(escaped)
    getattr = staticmethod(getattr)  # type: ignore[assignment]  # values with attributes are all that our templates see


class _Sandbox(SandboxedEnvironment):
    """The sandbox, with a short way to the public fields of our own values, where it is asked most."""

    code_generator_class = _Escaping
    escaped = staticmethod(escaped)

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        return not attr.startswith("_") and (
            type(obj) in _VALUES or super().is_safe_attribute(obj, attr, value)
        )


def engine(overrides: Path | None) -> Engine:
    """Return the engine of a folder; compiled templates are kept until a file of the folder changes."""
    return _engine(overrides, _state(overrides) if overrides is not None else ())


@lru_cache(maxsize=16)
def _engine(overrides: Path | None, _files: tuple[tuple[str, int, int], ...]) -> Engine:
    return Engine(overrides)


def _state(folder: Path) -> tuple[tuple[str, int, int], ...]:
    """Return what tells whether templates changed."""
    found = ((str(path), path.stat()) for path in sorted(folder.rglob("*.j2")))
    return tuple((name, stat.st_mtime_ns, stat.st_size) for name, stat in found)


def _escaped(name: str | None) -> bool:
    return name is None or not name.endswith((".txt.j2", ".md.j2"))


def _referenced(attribute: re.Match[str]) -> str:
    return _DOUBTFUL.sub(_referenced_character, attribute[0])


def _referenced_character(match: re.Match[str]) -> str:
    return _reference(match[0])


def _reference(character: str) -> str:
    return f"&#x{ord(character):x};"


def _said(error: Exception) -> str:
    if isinstance(error, TemplateNotFound):
        return f"there is no template {error.name}"
    return str(error) or type(error).__name__


def _place(error: Exception, name: str) -> str:
    if isinstance(error, JinjaSyntaxError):
        return f"{error.filename or error.name or name}, line {error.lineno}"
    frames = traceback.extract_tb(error.__traceback__)
    inside = [frame for frame in frames if frame.filename.endswith(".j2")]
    return f"{inside[-1].filename}, line {inside[-1].lineno}" if inside else name
