"""An engine that knows of every tag in a letter's MJML which template it stands in, and on which line."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import BaseLoader, ChoiceLoader, FileSystemLoader, nodes
from jinja2.ext import Extension
from jinja2.lexer import Token, TokenStream

from newsletter.errors import RenderError
from newsletter.templating.engine import LETTER, Engine
from newsletter.templating.environments import Compiled
from newsletter.templating.loading import FolderLoader
from newsletter.templating.partials import FOLDERS
from newsletter.templating.tags import first_fault

_OPEN, _CLOSE = "\ue010", "\ue011"  # around the place of a tag, until they are taken out again
_MARK = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")
_MARKED = Compiled()
_UNKNOWN_TAG = re.compile(r"<(mj-[a-z-]+)>")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traced:
    """A letter's MJML, with the place of each ``<`` that a template holds: ``file, line N``."""

    text: str
    offsets: Sequence[int]
    places: Sequence[str]

    def place(self, at: int) -> str:
        """Return file and line of what stands at an offset."""
        index = bisect_right(self.offsets, at) - 1
        return self.places[max(index, 0)] if self.places else LETTER


class Bench(Engine):
    """An engine that says of every fault where it stands; ``only`` names the overrides that take part."""

    def __init__(self, overrides: Path | None, only: Collection[str] | None = None) -> None:
        super().__init__(overrides)
        self.overrides = FolderLoader(overrides, only) if overrides is not None else None
        folders: list[BaseLoader] = [FileSystemLoader(folder) for folder in FOLDERS]
        self._loader = ChoiceLoader([self.overrides, *folders] if self.overrides is not None else folders)
        self._environment.loader = self._loader
        self._tracer: Bench | None = None

    def compiled(self, name: str) -> nodes.Template:
        """Compile one of the overrides and return its tree; raise `TemplateSyntaxError` for a fault in it."""
        assert self.overrides is not None
        source, file, _ = self.overrides.get_source(self._environment, name)
        self._environment.compile(source, name, file)
        return self._environment.parse(source, name, file)

    def traced(self, values: Mapping[str, object]) -> Traced:
        """Render the letter to MJML and keep where its tags come from."""
        if self._tracer is None:
            own = self.overrides
            self._tracer = Bench(own.folder, own.only) if own is not None else Bench(None)
            self._tracer._environment.add_extension(_Marking)
            self._tracer._environment.bytecode_cache = _MARKED
        marked = self._tracer.plain(LETTER, values)
        pieces, offsets, places, done, length = [], [], [], 0, 0
        for mark in _MARK.finditer(marked):
            pieces.append(marked[done : mark.start()])
            length, done = length + mark.start() - done, mark.end()
            offsets.append(length)
            places.append(mark[1])
        return Traced(text="".join([*pieces, marked[done:]]), offsets=offsets, places=places)

    def html(self, values: Mapping[str, object]) -> str:
        """Render the letter to HTML; raise `RenderError` with file and line for any fault."""
        traced = self.traced(values)
        fault = first_fault(traced.text)
        if fault is not None:
            raise RenderError(_unread(fault.what), subject=traced.place(fault.at))
        try:
            return super().html(values)
        except RenderError as error:
            tag = _UNKNOWN_TAG.search(error.problem)
            at = traced.text.find(f"<{tag[1]}") if tag else -1
            if at < 0:
                raise
            raise RenderError(error.problem, subject=traced.place(at), remedy=error.remedy) from error


def located(error: RenderError, overrides: Path | None, values: Mapping[str, object]) -> RenderError:
    """Return an error of MJML's reader with file and line of the wrong tag, or as it is where none shows."""
    try:
        traced = Bench(overrides).traced(values)
    except RenderError:
        return error
    fault = first_fault(traced.text)
    if fault is None:
        return error
    return RenderError(_unread(fault.what), subject=traced.place(fault.at), remedy=error.remedy)


def _unread(what: str) -> str:
    return f"MJML cannot be read: {what}"


class _Marking(Extension):
    """Puts file and line before every ``<`` of a template's own text."""

    def filter_stream(self, stream: TokenStream) -> Iterable[Token]:
        for token in stream:
            if token.type == "data" and "<" in token.value:
                yield Token(token.lineno, "data", _marked(token, stream.filename or stream.name or ""))
            else:
                yield token


def _marked(token: Token, file: str) -> str:
    text: str = token.value

    def mark(found: re.Match[str]) -> str:
        line = token.lineno + text.count("\n", 0, found.start())
        return f"{_OPEN}{file}, line {line}{_CLOSE}<"

    return re.sub("<", mark, text)
