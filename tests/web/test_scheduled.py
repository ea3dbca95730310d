"""`newsletter serve --schedule`: the pages, and what the schedule says, in one process."""

from __future__ import annotations

import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.cli.command import PROGRAM, entry
from tests.servers.hearing import Hearing
from tests.servers.papers_api import PapersApi
from tests.support.drafts import noon_zone
from tests.support.serving import SETTINGS, serving

SECONDS = 20


def test_it_sends_what_is_due_and_ends_cleanly(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    days = {(now.date() - timedelta(days=back)).isoformat(): [entry("2601.00001")] for back in range(5)}
    with PapersApi(days=days, today=now.date()) as api, Hearing() as hearing:
        settings = (
            f'{SETTINGS}[alerts]\nping = "{hearing.url}/p"\n[sources.huggingface]\nbase_url = "{api.url}"\n[editions.daily.schedule]\n'
            f'at = "00:30"\nlatest = "23:30"\ndays = "daily"\ntimezone = "{noon_zone(now)}"\n'
        )
        (tmp_path / "newsletter.toml").write_text(settings, encoding="utf-8")
        subprocess.run(
            [PROGRAM, "subscribers", "add", "ada@example.org"], cwd=tmp_path, check=True, capture_output=True
        )
        with serving(tmp_path, "--schedule", settings=settings) as served:
            deadline = time.monotonic() + SECONDS
            while len(hearing.heard) < 2 and time.monotonic() < deadline:
                time.sleep(0.05)
            assert served.get("/health").status == 200
            assert served.end() == 0
    assert [each.path for each in hearing.heard] == ["/p/start", "/p"]
    assert [line for line in served.log if " is sent: 1 of 1 accepted by outbox." in line], served.log
    assert len(list((tmp_path / "outbox" / "new").iterdir())) == 1
    assert not [line for line in served.log if "Traceback" in line or "could not" in line]


def test_without_a_schedule_it_does_not_begin(tmp_path: Path) -> None:
    done = subprocess.run(
        [PROGRAM, "serve", "--schedule"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no edition has a schedule" in done.stderr
