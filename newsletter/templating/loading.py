"""Reads the templates of one folder; a file that is no text is a fault of that file, with its line."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, TemplateNotFound, TemplateSyntaxError


class FolderLoader(FileSystemLoader):
    """The templates of a folder, or some of them by name; ``loaded`` are those that were asked for."""

    def __init__(self, folder: Path, only: Collection[str] | None = None) -> None:
        super().__init__(folder)
        self.folder = folder
        self.only = only
        self.loaded: set[str] = set()

    def get_source(self, environment: Environment, template: str) -> tuple[str, str, Callable[[], bool]]:
        """Return a template's text, its file, and whether it is still current.

        Raises `TemplateSyntaxError` for what is no file of UTF-8 text.
        """
        if self.only is not None and template not in self.only:
            raise TemplateNotFound(template)
        self.loaded.add(template)
        try:
            return super().get_source(environment, template)
        except UnicodeDecodeError as error:
            line = _line_of(self.folder / template)
            raise self._fault("is not UTF-8 text", line, template) from error
        except OSError as error:
            if isinstance(error, TemplateNotFound):
                problem = self._no_file(template)
                if not problem:
                    raise
                raise self._fault(problem, 1, template) from error
            raise self._fault(f"cannot be read ({error.strerror})", 1, template) from error

    def _no_file(self, template: str) -> str:
        """Return what stands in the place of a template, empty if nothing does."""
        file = self.folder / template
        if ".." in template.split("/"):
            return ""
        if file.is_dir():
            return "is a folder, where a template is a file"
        if file.exists():
            return "is no file that can be read"
        return "is a link that leads nowhere" if file.is_symlink() else ""

    def _fault(self, problem: str, line: int, template: str) -> TemplateSyntaxError:
        fault = TemplateSyntaxError(problem, line, template, str(self.folder / template))
        fault.translated = True  # else its text repeats file and line
        return fault


def _line_of(file: Path) -> int:
    """Return the line of the first byte that is not UTF-8."""
    content = file.read_bytes()
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return 1
