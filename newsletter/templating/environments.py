"""Where templates are compiled: ours with short ways, and a sandbox for those that somebody else wrote.

Both escape all content. A letter is some six hundred small pieces, and what Jinja does for each of them took longer
than MJML does for all; the tests hold the letters of both against each other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import CodeType
from typing import TypeVar

from jinja2 import BaseLoader, BytecodeCache, Environment, TemplateSyntaxError, nodes
from jinja2.bccache import Bucket
from jinja2.compiler import CodeGenerator, Frame
from jinja2.sandbox import SandboxedEnvironment
from jinja2.visitor import NodeTransformer

from newsletter.templating.entries import EntryView, LinkView, SectionView
from newsletter.templating.escaping import escaped
from newsletter.templating.i18n import Words
from newsletter.templating.missing import Missing
from newsletter.templating.theme import Palette, Theme
from newsletter.templating.view import LetterView

_Kind = TypeVar("_Kind", bound=Environment)
_VALUES = frozenset({EntryView, LetterView, LinkView, Palette, SectionView, Theme, Words})


def trusting(loader: BaseLoader, theme: Theme) -> Environment:
    """Return an environment for our own templates, into which a theme's colours and fonts are compiled."""
    environment = _settled(_Ours, loader)
    environment.theme = theme
    return environment


def sandbox(loader: BaseLoader) -> Environment:
    """Return an environment in which templates of anybody can do no harm."""
    environment = _settled(_Sandbox, loader)
    environment.bytecode_cache = _SANDBOXED
    return environment


class Compiled(BytecodeCache):
    """Keeps what each file was compiled to last: engines are made anew whenever one of many files changes.

    Environments that share it must compile alike.
    """

    def __init__(self) -> None:
        self._codes: dict[str, tuple[str, CodeType]] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what the same source was compiled to."""
        source, code = self._codes.get(bucket.key, ("", None))
        bucket.code = code if source == bucket.checksum else None

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what a source was compiled to."""
        if bucket.code is not None:
            self._codes[bucket.key] = bucket.checksum, bucket.code


_SANDBOXED = Compiled()


def _settled(kind: type[_Kind], loader: BaseLoader) -> _Kind:
    return kind(
        loader=loader,
        autoescape=_is_escaped,
        undefined=Missing,
        trim_blocks=True,
        lstrip_blocks=True,
        cache_size=-1,
        auto_reload=False,  # the engine looks at the files, once a letter
    )


def _is_escaped(name: str | None) -> bool:
    return name is None or not name.endswith((".txt.j2", ".md.j2"))


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


class _Direct(_Escaping):
    """Makes templates that call macros and methods without asking what else they could be."""

    def visit_Call(self, node: nodes.Call, frame: Frame, forward_caller: bool = False) -> None:  # noqa: N802
        self.write("environment.called(")
        self.visit(node.node, frame)
        self.signature(node, frame, {"caller": "caller"} if forward_caller else None)
        self.write(")")


class _Ours(Environment):
    """The environment of our own templates; values with attributes are all that they see."""

    theme: Theme
    code_generator_class = _Direct
    escaped = staticmethod(escaped)
    called: Callable[..., object] = staticmethod(operator.call)  # type: ignore[arg-type]
    getattr = staticmethod(getattr)  # type: ignore[assignment]

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree: nodes.Template = _Folding(self.theme).visit(super()._parse(source, name, filename))
        return tree


class _Folding(NodeTransformer):
    """Puts the theme's own values where a template asks for them; ``c`` is the light palette in all of ours."""

    def __init__(self, theme: Theme) -> None:
        self._known: dict[str, object] = {"theme": theme, "c": theme.light}

    def visit_Getattr(self, node: nodes.Getattr) -> nodes.Node:  # noqa: N802  # the visitor's form of name
        value = self._value(node)
        if isinstance(value, str):
            return nodes.Const(value, lineno=node.lineno)
        return self.generic_visit(node)

    def _value(self, node: nodes.Node) -> object:
        if isinstance(node, nodes.Name):
            return self._known.get(node.name)
        if isinstance(node, nodes.Getattr):
            return getattr(self._value(node.node), node.attr, None)
        return None


class _Sandbox(SandboxedEnvironment):
    """The sandbox, with a short way to the public fields of our own values, where it is asked most."""

    code_generator_class = _Escaping
    escaped = staticmethod(escaped)

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for node in tree.find_all(nodes.ScopedEvalContextModifier):
            raise TemplateSyntaxError(
                "the escaping of content cannot be turned off", node.lineno, name, filename
            )
        if _is_escaped(name):
            for include in tree.find_all(nodes.Include):
                if isinstance(include.template, nodes.Const) and not _is_escaped(str(include.template.value)):
                    what = f"{include.template.value} is plain text and cannot stand in HTML"
                    raise TemplateSyntaxError(what, include.lineno, name, filename)
        return tree

    def is_safe_attribute(self, obj: object, attr: str, value: object) -> bool:
        return not attr.startswith("_") and (
            type(obj) in _VALUES or super().is_safe_attribute(obj, attr, value)
        )
