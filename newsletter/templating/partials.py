"""The newsletter's own templates as files: their names, what each draws, and copies of them."""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from newsletter.errors import RenderError
from newsletter.templating.text import cut

_PACKAGE = Path(__file__).resolve().parents[1]
FOLDERS = (_PACKAGE / "_templates", _PACKAGE.parent / "templates")  # the wheel's, the checkout's
_COMMENT = re.compile(r"\s*\{#[-+]?(.*?)[-+]?#\}", re.DOTALL)
_SENTENCE = re.compile(r"(.+?[.!?])(?:\s|$)")
_COPIED = re.compile(r"\{# Copied from newsletter \S+; ours was then ([0-9a-f]{12})\. #\}\n")


@dataclass(frozen=True, slots=True, kw_only=True)
class Partial:
    """One of our templates. ``name`` is its path in a folder of overrides: ``email/foot.mjml.j2``."""

    name: str
    file: Path

    @property
    def source(self) -> str:
        """Its text."""
        return self.file.read_text(encoding="utf-8")

    @property
    def draws(self) -> str:
        """What it draws, in the first sentence of its own comment; empty where it has none."""
        comment = _COMMENT.match(self.source)
        text = " ".join(comment[1].split()) if comment else ""
        sentence = _SENTENCE.match(text)
        return cut(sentence[1] if sentence else text, 100)


def ours() -> dict[str, Partial]:
    """Return the letter's own templates by name; those of the pages cannot be replaced."""
    folder = next((folder for folder in FOLDERS if (folder / "email").is_dir()), None)
    if folder is None:
        raise RenderError("the newsletter's own templates are missing", remedy="install it again")
    names = {file.relative_to(folder).as_posix(): file for file in sorted((folder / "email").rglob("*.j2"))}
    return {name: Partial(name=name, file=file) for name, file in names.items()}


def files_in(folder: Path) -> Iterator[tuple[str, Path]]:
    """Yield name and path of everything in a folder of overrides but what is hidden or an editor's copy.

    A folder is named where it stands in the place of a template.
    """
    known = ours()
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*")}
    linked = {name: folder / name for name in known if (folder / name).exists()}  # below a link to a folder
    for name, path in sorted({**found, **linked}.items()):
        hidden = any(part.startswith(".") for part in name.split("/")) or name.endswith(("~", ".bak"))
        inside = any(parent.as_posix() in known for parent in Path(name).parents)
        if not hidden and not inside and (name in known or not path.is_dir()):
            yield name, path


def holding(folder: Path, needles: Iterable[Sequence[str]]) -> tuple[str, int]:
    """Return file and line of the first override that holds one of some texts, else the folder and 0."""
    for needle in (text for texts in needles for text in texts if text):
        for _, path in files_in(folder):
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines() if path.is_file() else []
            for number, line in enumerate(lines, 1):
                if needle in line:
                    return str(path), number
    return str(folder), 0


def matching(wish: str, names: Collection[str]) -> list[str]:
    """Return the names that are meant by a whole name, a file's name, or what stands before its first dot."""
    for form in (lambda name: name, lambda name: name.rsplit("/", 1)[-1], _stem):
        found = [name for name in names if form(name) == wish.removeprefix("./")]
        if found:
            return found
    return []


def nearest(wish: str, names: Collection[str]) -> str:
    """Return the name that comes nearest to one that there is not, empty if none is near."""
    found = matching(wish.rsplit("/", 1)[-1], names)
    if not found:
        bases = {name.rsplit("/", 1)[-1]: name for name in names}
        stems = {_stem(name): name for name in names}
        for known, part in ((bases, wish.rsplit("/", 1)[-1]), (stems, _stem(wish))):
            found = [known[close] for close in difflib.get_close_matches(part, known, n=1, cutoff=0.7)]
            if found:
                break
    return found[0] if found else ""


def copy_of(partial: Partial, version: str) -> str:
    """Return a template as it is given away, with a first line that says of which text it is a copy."""
    return (
        f"{{# Copied from newsletter {version}; ours was then {_mark(partial.source)}. #}}\n{partial.source}"
    )


def is_outdated(copy: str, partial: Partial) -> bool:
    """Say whether ours has changed since a copy was made of it; no for one that does not tell."""
    told = _COPIED.match(copy)
    return told is not None and told[1] != _mark(partial.source)


def _stem(name: str) -> str:
    return name.rsplit("/", 1)[-1].split(".", 1)[0]


def _mark(source: str) -> str:
    return hashlib.sha256(source.encode()).hexdigest()[:12]
