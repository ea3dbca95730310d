"""Files that a command writes: all of them, or none."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from newsletter.errors import InputError


def write_all(folder: Path, files: Mapping[str, bytes], *, option: str) -> None:
    """Write all files below a folder, or none: they are complete in it before the first takes its place.

    ``option`` is the one that names the folder; the error says to choose another.
    """
    existed = folder.exists()
    if existed and not folder.is_dir():
        raise InputError("is no folder", subject=str(folder), remedy=f"choose another {option}")
    staging: Path | None = None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        blocked = [name for name in files if (folder / name).is_dir()]
        if blocked:
            raise InputError(
                f"holds a folder named {blocked[0]}", subject=str(folder), remedy=f"choose another {option}"
            )
        staging = Path(tempfile.mkdtemp(prefix=".writing-", dir=folder))
        for name, content in files.items():
            (staging / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (staging / name).write_bytes(content)
        for name in files:
            os.replace(staging / name, folder / name)  # noqa: PTH105  # one call that is atomic
    except OSError as error:
        if staging is not None and not existed:
            shutil.rmtree(folder, ignore_errors=True)
        raise InputError(
            f"cannot be written ({error.strerror})", subject=str(folder), remedy=f"choose another {option}"
        ) from error
    finally:
        if staging is not None:
            shutil.rmtree(staging, ignore_errors=True)
