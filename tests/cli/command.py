"""Calling the command as people do, and papers to call it with."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from newsletter.cli import main
from tests.servers.papers_api import PapersApi
from tests.servers.smtp import SmtpSink
from tests.servers.smtp_sink import SinkProcess

PROGRAM = Path(sys.executable).parent / "newsletter"
SAMPLE = Path(__file__).resolve().parents[2] / "newsletter" / "sample" / "2024-09-12.json"
FILES = ["issue.eml", "issue.html", "issue.json", "issue.md", "issue.txt"]
COUNTS = ["prepared", "accepted", "rejected", "suppressed", "uncertain", "waiting", "cancelled"]
PEOPLE = ("ada@example.org", "grace@example.org", "minjun@example.org")
NO_COMPLAINT = re.compile(
    r"newsletter: warning: |(edition|collect|rank|summarise|refuse|render|lint|plan|send|resume|warning) +"
)
SENDER = {
    "NEWSLETTER_SENDER__EMAIL": "news@example.org",
    "NEWSLETTER_SENDER__POSTAL_ADDRESS": "5 Paper Lane, 1234 Sampletown",
    "NEWSLETTER_WEB__PUBLIC_URL": "https://news.example.org",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Standard output, read as JSON."""
        return json.loads(self.out)

    @property
    def complaints(self) -> list[str]:
        """The lines on standard error that are no warning, and no step of ``run --json``."""
        return [line for line in self.err.splitlines() if not NO_COMPLAINT.match(line)]

    def ok(self) -> Result:
        """Check that it went well, without a complaint."""
        assert (self.code, self.complaints) == (0, []), self
        return self


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """The command `newsletter` in ``folder``, within this process or as one of its own."""

    folder: Path
    monkeypatch: pytest.MonkeyPatch
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Result:
        """Run it within this process."""
        self.capsys.readouterr()
        with self.monkeypatch.context() as patch:
            patch.chdir(self.folder)
            for name, value in (env or {}).items():
                patch.setenv(name, value)
            with pytest.raises(SystemExit) as ended:
                main([str(argument) for argument in arguments])
        out, err = self.capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return Result(code=ended.value.code, out=out, err=err)

    def start(
        self, *arguments: str | Path, env: Mapping[str, str] | None = None, **options: Any
    ) -> subprocess.Popen[str]:
        """Start it as a process of its own."""
        return subprocess.Popen(
            [PROGRAM, *arguments], cwd=self.folder, env={**os.environ, **(env or {})}, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )  # fmt: skip

    def process(self, *arguments: str | Path, env: Mapping[str, str] | None = None) -> Result:
        """Run it as a process of its own, to its end."""
        return finish(self.start(*arguments, env=env))


def finish(process: subprocess.Popen[str]) -> Result:
    """Wait for the end of a process."""
    out, err = process.communicate(timeout=60)
    return Result(code=process.returncode, out=out, err=err)


def assert_complains(result: Result, *words: str, code: int = 2) -> None:
    """Check the exit code, and that there is exactly one line about it, which holds the words."""
    assert result.code == code, result
    assert len(result.complaints) == 1, result.err
    line = result.complaints[0]
    assert line.startswith("newsletter: ")
    assert "Traceback" not in result.err
    assert not line.startswith("newsletter: unexpected ")
    for word in words:
        assert word in line


def entry(
    number: str, title: str = "A paper", *, votes: int | None = 10, authors: Sequence[str] = ("Ada L.",),
    abstract: str = "We show a thing. It is new.", day: str = "2026-01-05",
) -> dict[str, Any]:  # fmt: skip
    """Return a paper as the daily papers API gives it."""
    paper: dict[str, Any] = {
        "id": number, "title": title, "summary": abstract, "authors": [{"name": name} for name in authors],
        "publishedAt": f"{day}T01:00:00.000Z", "submittedOnDailyAt": f"{day}T09:00:00.000Z",
    }  # fmt: skip
    if votes is not None:
        paper["upvotes"] = votes
    return {"paper": paper, "title": title, "publishedAt": f"{day}T09:00:00.000Z"}


def papers_file(path: Path, entries: Sequence[Mapping[str, Any]]) -> Path:
    """Write papers as the daily papers API gives them."""
    path.write_text(json.dumps(entries), encoding="utf-8")
    return path


def load(path: Path) -> Any:
    """Read a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def snapshot(folder: Path) -> dict[str, str]:
    """Return the hash of every file below a folder, by its path."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def outbox(folder: Path) -> dict[str, bytes]:
    """Return the messages of the outbox by file name."""
    return {path.name: path.read_bytes() for path in sorted((folder / "outbox" / "new").glob("*"))}


def run(command: Command, *arguments: str | Path, env: Mapping[str, str] | None = None, code: int = 0) -> Any:
    """Run, check the exit code and the form of the object, and return it."""
    result = command("run", "--json", *arguments, env=env)
    assert result.code == code, result
    document = result.json
    assert list(document) == ["day", "edition", "kind", "state", "counts", "sentence"]
    counts = document["counts"]
    assert list(counts) == COUNTS
    assert all(type(number) is int for number in counts.values())
    assert counts["prepared"] == sum(counts[name] for name in COUNTS[1:])
    assert isinstance(document["sentence"], str)
    assert document["sentence"].count("\n") == 0
    return document


def api_settings(api: PapersApi) -> dict[str, str]:
    """Return the variables that make a local server the source."""
    return {"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url}


def smtp_settings(sink: SmtpSink | SinkProcess, **more: str) -> dict[str, str]:
    """Return the variables that make a local server the provider."""
    prefix = "NEWSLETTER_PROVIDER__SMTP__"
    own = {"HOST": sink.host, "PORT": str(sink.port), "TLS": "none", **more}
    settings = {f"{prefix}{name}": value for name, value in own.items()}
    return {**SENDER, "NEWSLETTER_PROVIDER__NAME": "smtp", **settings}
