"""Tries out a folder of overriding templates: each must compile, and every trial letter must come out whole."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from jinja2 import TemplateSyntaxError, meta, nodes

from newsletter.errors import RenderError
from newsletter.models.issues import Issue
from newsletter.templating.engine import LETTER
from newsletter.templating.issue import Design, render
from newsletter.templating.partials import files_in, is_outdated, nearest, ours
from newsletter.templating.tracing import Bench

_PLACE = re.compile(r"(.*), line (\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """An issue to try the templates with, and how it is made."""

    issue: Issue
    design: Design


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Fault:
    """What is wrong with a template; ``line`` is 0 where that cannot be told."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.place}: {self.what}"

    @property
    def place(self) -> str:
        """The file, and the line where it can be told."""
        return f"{self.file}, line {self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What trying out a folder found. ``replaced`` are the names of ours that it replaces."""

    replaced: tuple[str, ...]
    faults: tuple[Fault, ...]
    warnings: tuple[str, ...]


def check(folder: Path, trials: Sequence[Trial]) -> Report:
    """Compile every template of a folder, and render every trial with them."""
    found = dict(files_in(folder))
    replaced = [name for name in found if name in ours()]
    trees, faults = _compiled(folder, found, replaced)
    imported = {LETTER, *(name for tree in trees.values() for name in _imports(tree))}
    sound = {name for name in replaced if name in trees}
    used: set[str] = set()
    if not imported.intersection(found.keys() - trees.keys()) or not faults:
        rendered, used = _rendered(folder, trials, sound, found, imported)
        faults |= rendered
    return Report(
        replaced=tuple(replaced),
        faults=tuple({(fault.file, fault.line): fault for fault in sorted(faults, reverse=True)}.values())[
            ::-1
        ],
        warnings=tuple(_warnings(folder, found, trees, used if not faults else set(replaced))),
    )


def _compiled(
    folder: Path, found: Mapping[str, Path], replaced: Sequence[str]
) -> tuple[dict[str, nodes.Template], set[Fault]]:
    """Compile the templates that replace ours, and those that they include; return their trees and faults."""
    bench, trees, faults, waiting = Bench(folder), dict[str, nodes.Template](), set[Fault](), list(replaced)
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            trees[name] = bench.compiled(name)
        except TemplateSyntaxError as error:
            file = error.filename or str(found[name])
            faults.add(Fault(file=file, line=error.lineno, what=error.message or "cannot be compiled"))
            continue
        except RecursionError:
            faults.add(Fault(file=str(found[name]), line=0, what="is nested too deep"))
            continue
        for included in meta.find_referenced_templates(trees[name]):
            waiting += found if included is None else [included] if included in found else []
    return trees, faults


def _imports(tree: nodes.Template) -> Iterator[str]:
    for node in tree.find_all((nodes.Import, nodes.FromImport)):
        if isinstance(node, (nodes.Import, nodes.FromImport)) and isinstance(node.template, nodes.Const):
            yield str(node.template.value)


def _rendered(
    folder: Path, trials: Sequence[Trial], sound: Collection[str], found: Collection[str], imported: set[str]
) -> tuple[set[Fault], set[str]]:
    """Render the trials, again and again without the overrides at fault; return the faults and what was used.

    It stops where one is at fault that others import, because without it they would not be themselves.
    """
    others = set(found) - ours().keys()
    active, faults = set(sound), set[Fault]()
    while True:
        bench = Bench(folder, active | others)
        blamed = set()
        for fault in set(_faults(bench, trials)):
            name = _name_of(fault, folder, found)
            if name is None:
                name = _culprit(fault, folder, trials, active, others)
                where = f" (it shows in {fault.place})" if fault.file else ""
                fault = Fault(file=str(folder / (name or "")), line=0, what=fault.what + where)
            faults.add(fault)
            blamed.add(name)
        if not blamed or not blamed <= active or blamed & imported:
            assert bench.overrides is not None
            return faults, bench.overrides.loaded
        active -= blamed


def _faults(bench: Bench, trials: Sequence[Trial]) -> Iterator[Fault]:
    """Yield what goes wrong in each trial."""
    for trial in trials:
        try:
            render(trial.issue, trial.design, bench)
        except RenderError as error:
            place = _PLACE.fullmatch(error.subject)
            file, line = (place[1], int(place[2])) if place else (error.subject, 0)
            yield Fault(file=file, line=line, what=error.problem)


def _name_of(fault: Fault, folder: Path, found: Collection[str]) -> str | None:
    """Return the name of the file of the folder that a fault stands in."""
    return next((name for name in found if Path(fault.file) == folder / name), None)


def _culprit(
    fault: Fault, folder: Path, trials: Sequence[Trial], active: Collection[str], others: set[str]
) -> str | None:
    """Return the override without which a fault in one of our own templates is gone."""
    for name in sorted(active):
        if fault not in set(_faults(Bench(folder, {*active, *others} - {name}), trials)):
            return name
    return None


def _warnings(
    folder: Path, found: Mapping[str, Path], trees: Collection[str], used: Collection[str]
) -> Iterator[str]:
    known = ours()
    for name, path in found.items():
        if name in known:
            if name in trees and is_outdated(path.read_text(encoding="utf-8"), known[name]):
                yield f"{path}: ours has changed since this was copied; compare the two"
            if name.startswith("email/") and name not in used:
                yield f"{path}: none of the templates uses it"
        elif name not in trees:
            near = nearest(name, known)
            yield f"{path}: replaces nothing" + (f"; did you mean {folder / near}?" if near else "")
