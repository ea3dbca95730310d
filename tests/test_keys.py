"""The installation's secret: made once, kept to, never guessed."""

from __future__ import annotations

import stat
import threading
from pathlib import Path

import pytest

from newsletter.errors import ConfigError
from newsletter.keys import Keys
from newsletter.settings.base import Secret

NONE = Secret("")


def test_it_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.secret"
    first = Keys(path, NONE).read_or_make()
    assert Keys(path, NONE).read_or_make() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["newsletter.secret"]


def test_two_processes_at_the_first_start_agree(tmp_path: Path) -> None:
    path, made = tmp_path / "newsletter.secret", []
    threads = [
        threading.Thread(target=lambda: made.append(Keys(path, NONE).read_or_make())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 1


def test_the_environment_stands_for_the_file(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.secret"
    made = Keys(path, NONE).read_or_make()
    given = Secret(path.read_text().strip())
    path.unlink()
    assert Keys(path, given).read_or_make() == made
    Keys(path, given).check(made.fingerprint)
    assert not path.exists()


def test_another_secret_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.secret"
    fingerprint = Keys(path, NONE).read_or_make().fingerprint
    with pytest.raises(
        ConfigError, match="NEWSLETTER_SECRET: is not the secret that this database was made with"
    ):
        Keys(path, Secret("another")).check(fingerprint)


def test_a_lost_secret_is_not_replaced_by_another(tmp_path: Path) -> None:
    path = tmp_path / "newsletter.secret"
    fingerprint = Keys(path, NONE).read_or_make().fingerprint
    path.unlink()
    with pytest.raises(ConfigError, match="the secret of this database is missing"):
        Keys(path, NONE).check(fingerprint)
    assert not path.exists()


@pytest.mark.parametrize("content", [b"", b" \n", b"\xff\xfe"])
def test_a_file_without_a_secret_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "newsletter.secret"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match="holds no secret"):
        Keys(path, NONE).read_or_make()
    assert path.read_bytes() == content


def test_neither_shows_in_a_repr() -> None:
    assert "geheim" not in repr(Secret("geheim"))
