"""The wheel, installed outside the checkout, does everything that the checkout does."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that holds the wheel's packages as an installer lays them out."""
    target = tmp_path_factory.mktemp("site")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(target),
    ]
    subprocess.run([*command, str(wheel)], check=True, capture_output=True)
    return target


def newsletter(installed: Path, folder: Path, *arguments: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    done = subprocess.run(
        [sys.executable, "-m", "newsletter", *arguments], cwd=folder, capture_output=True, text=True, check=False,
        env={**environment, "PYTHONPATH": str(installed)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_holds_two_packages_and_nothing_beside(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"newsletter", "subscribers"}
    assert not [name for name in names if name.endswith((".db", ".pyc", ".secret"))]
    for part in ("_templates/email/letter.mjml.j2", "migrations/versions/0001_first.py", "sample/2024-09-12.json",
                 "locales/ko/LC_MESSAGES/newsletter.mo", "locales/forms.json", "web/assets/studio.html",
                 "web/assets/studio.css", "web/assets/studio.js", "web/assets/icon.svg", "py.typed"):  # fmt: skip
        assert f"newsletter/{part}" in names


def test_the_demo_runs_from_it(installed: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [sys.executable, "-c", "import newsletter, newsletter.templating.engine as e; print(newsletter.__file__)"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(installed)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert where.stdout.startswith(str(installed)), "the checkout must not stand in for the wheel"
    assert "3 of 3 accepted" in newsletter(installed, tmp_path, "demo")
    assert len(list((tmp_path / "demo/outbox/new").iterdir())) == 3


def test_it_gives_the_same_letter_as_the_checkout(installed: Path, tmp_path: Path) -> None:
    newsletter(installed, tmp_path, "preview", "--out", "wheel", "--no-open", "--language", "ko")
    newsletter(ROOT, tmp_path, "preview", "--out", "checkout", "--no-open", "--language", "ko")
    for name in ("issue.html", "issue.txt", "issue.md", "issue.json"):
        assert (tmp_path / "wheel" / name).read_bytes() == (tmp_path / "checkout" / name).read_bytes()
