"""The commands of README.md and docs/operating.md work as they stand there, one block after the other."""

from __future__ import annotations

import os
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cli.command import PROGRAM, entry
from tests.servers.papers_api import PapersApi
from tests.servers.smtp import SmtpSink
from tests.support.drafts import noon_zone

ROOT = Path(__file__).parent.parent
READER = "me@example.org"


def blocks(page: str, kind: str) -> list[str]:
    return re.findall(
        rf"^```{kind}\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE
    )


def shell(script: str, folder: Path, **variables: str) -> str:
    """Run a script that ends with its first failure; return what it said."""
    path = f"{PROGRAM.parent}{os.pathsep}{os.environ['PATH']}"
    clean = {name: value for name, value in os.environ.items() if not name.startswith("NEWSLETTER_")}
    done = subprocess.run(
        ["bash", "-euc", script], cwd=folder, env={**clean, "PATH": path, **variables}, capture_output=True,
        text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, (script, done.stdout, done.stderr)
    return done.stdout + done.stderr


def papers(today: datetime) -> PapersApi:
    days = {(today.date() - timedelta(days=back)).isoformat(): [entry("2601.00001")] for back in range(6)}
    return PapersApi(days=days, today=today.date())


def test_five_commands_bring_the_first_letter(tmp_path: Path) -> None:
    script = next(block for block in blocks("README.md", "sh") if "newsletter init" in block)
    commands = [line.split("  ")[0] for line in script.splitlines()]
    assert len(commands) == 5
    assert commands[:2] == ["make demo", ". .venv/bin/activate"]
    settings = next(block for block in blocks("README.md", "toml") if "[provider.smtp]" in block)
    with papers(datetime.now(UTC)) as api, SmtpSink() as sink:
        local = settings.replace("smtp.example.org", "127.0.0.1").replace("587", str(sink.port))
        local = local.replace('username = "newsletter"', 'tls = "none"')
        made, *rest = commands[2:]
        shell(made, tmp_path)
        home = tmp_path / "my-newsletter"
        (home / "newsletter.toml").write_text(local, encoding="utf-8")
        shell("\n".join(rest), home, NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL=api.url)
        assert [mail.recipients[0] for mail in sink.messages] == [READER]


def test_what_the_operator_is_told_to_do_can_be_done(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    with papers(now) as api:
        (tmp_path / "newsletter.toml").write_text(
            f'[sources.huggingface]\nbase_url = "{api.url}"\n[editions.daily.schedule]\nat = "00:30"\n'
            f'latest = "23:30"\ndays = "daily"\ntimezone = "{noon_zone(now)}"\n',
            encoding="utf-8",
        )
        shell(f"newsletter subscribers add {READER}", tmp_path)
        day = ""
        for block in blocks("docs/operating.md", "sh"):
            shell(block, tmp_path, DAY=day, READER=READER)
            if not day and (tmp_path / "newsletter.db").exists():
                found = re.search(r"\d{4}-\d\d-\d\d", shell("newsletter issues list", tmp_path))
                day = found.group() if found else ""
    assert day
    assert len(list((tmp_path / "outbox" / "new").iterdir())) == 1
