"""Packages that only some installations have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from newsletter.errors import ConfigError


@contextmanager
def needing(extra: str, setting: str) -> Iterator[None]:
    """Say of a package that is missing inside which extra has it; ``setting`` is what asks for it."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("newsletter"):
            raise
        raise ConfigError(
            f"needs the package {error.name.partition('.')[0]!r}", subject=setting,
            remedy=f"pip install 'daily-papers-newsletter[{extra}]'",
        ) from error  # fmt: skip
