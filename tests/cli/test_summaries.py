"""`newsletter summaries`: anybody's digest checked, stored days checked, and faults that are never sent."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import SAMPLE, Command, assert_complains, load

DIGEST = Path(__file__).resolve().parents[1] / "data" / "digests" / "seed-form.md"
MEDIC, SUPER = "2409.07314", "2409.07440"
ANOTHER_PAPER = (
    "- **What's New**: 새로운 이미지 생성(image generation) 모델을 제안합니다. Rectified flow 기반의 확산 모델(diffusion model)입니다.",
    "- **Technical Details**: U-Net과 VAE를 사용하고, classifier-free guidance로 샘플링(sampling)하며 ImageNet으로 학습합니다.",
    "- **Performance Highlights**: FID가 2.1로 낮아졌고, GAN보다 4배 빠른 속도로 고해상도 픽셀(pixel)을 얻습니다.",
)  # fmt: skip


@pytest.fixture
def faulty(command: Command) -> Path:
    """Return our digest with an entry that tells of another paper, and one with LaTeX left in it."""
    text = DIGEST.read_text(encoding="utf-8")
    text = re.sub(
        rf"(?<=papers/{MEDIC}\.png\)\n)(.*?)- \*\*What's New\*\*.*?\n\n",
        lambda match: match[1] + "\n".join(ANOTHER_PAPER) + "\n\n",
        text,
        flags=re.DOTALL,
    )
    text = text.replace("벤치마크 SUPER를", r"벤치마크 \bench를")
    path = command.folder / "digest.md"
    path.write_text(text, encoding="utf-8")
    return path


def checked(command: Command, *arguments: str | Path, code: int = 0) -> Any:
    result = command("summaries", "check", *arguments, "--json")
    assert (result.code, result.complaints) == (code, []), result
    return result.json


def by_id(document: Any) -> dict[str, Any]:
    return {each["id"]: each for each in document["entries"]}


def test_a_faulty_digest_fails_where_it_is_faulty(command: Command, faulty: Path) -> None:
    document = checked(command, faulty, "--sources", SAMPLE, code=1)
    entries = by_id(document)
    assert {key: each["status"] for key, each in entries.items() if each["status"] != "ok"} == {
        MEDIC: "failed", SUPER: "failed",
    }  # fmt: skip
    assert [fault["check"] for fault in entries[MEDIC]["failed"]] == ["wrong-paper"]
    [fault] = entries[SUPER]["failed"]
    why = fault.pop("why")
    assert why
    assert fault == {
        "check": "latex",
        "severity": "error",
        "text": r"\bench",
        "place": {"section": 0, "heading": "What's New", "start": 40, "end": 46},
    }
    assert document["totals"] == {
        "entries": 14, "ok": 12, "failed": 2, "no-source": 0,
        "checks": {
            "failed": {"latex": 1, "wrong-paper": 1},
            "warnings": {"name": 2, "number": 3},
        },
    }  # fmt: skip


def test_every_entry_has_the_documented_shape(command: Command, faulty: Path) -> None:
    document = checked(command, faulty, "--sources", SAMPLE, code=1)
    assert list(document) == ["entries", "totals"]
    for entry in document["entries"]:
        assert list(entry) == ["id", "status", "failed", "warnings"]
        for severity, findings in (("error", entry["failed"]), ("warning", entry["warnings"])):
            for finding in findings:
                assert list(finding) == ["check", "severity", "text", "place", "why"]
                assert finding["severity"] == severity


def test_a_true_digest_passes(command: Command) -> None:
    document = checked(command, DIGEST, "--sources", SAMPLE)
    assert {each["status"] for each in document["entries"]} == {"ok"}
    result = command("summaries", "check", DIGEST, "--sources", SAMPLE).ok()
    assert result.out.splitlines()[-1] == "14 entries, 14 ok, 0 failed, 0 no-source"


def test_without_sources_what_needs_none_is_checked(command: Command, faulty: Path) -> None:
    entries = by_id(checked(command, faulty, code=1))
    assert {each["status"] for each in entries.values()} == {"no-source", "failed"}
    assert [key for key, each in entries.items() if each["status"] == "failed"] == [SUPER]
    document = checked(command, DIGEST)
    assert document["totals"]["no-source"] == 14


def test_several_sources_are_one(command: Command) -> None:
    papers = json.loads(SAMPLE.read_text(encoding="utf-8"))
    for name, part in (("a.json", papers[:5]), ("b.json", papers[5:])):
        (command.folder / name).write_text(json.dumps(part))
    document = checked(command, DIGEST, "--sources", "a.json", "--sources", "b.json")
    assert document["totals"]["ok"] == 14
    alone = checked(command, DIGEST, "--sources", "a.json")
    assert (alone["totals"]["ok"], alone["totals"]["no-source"]) == (5, 9)


def test_an_abstract_that_is_empty_is_an_error(command: Command) -> None:
    papers = json.loads(SAMPLE.read_text(encoding="utf-8"))
    papers[0]["paper"]["summary"] = " "
    (command.folder / "papers.json").write_text(json.dumps(papers))
    entries = checked(command, DIGEST, "--sources", "papers.json", code=1)["entries"]
    assert [fault["check"] for fault in entries[0]["failed"]] == ["empty-source"]


def test_a_person_sees_the_fault_in_its_sentence(command: Command, faulty: Path) -> None:
    result = command("summaries", "check", faulty, "--sources", SAMPLE)
    assert result.code == 1
    assert r"벤치마크 »\bench«를" in result.out
    assert "error wrong-paper: its source has" in result.out
    assert result.out.splitlines()[-1] == "14 entries, 12 ok, 2 failed, 0 no-source"


def test_our_own_excerpts_pass_and_any_change_of_them_fails(command: Command) -> None:
    command("preview", "--from", SAMPLE, "--top", "0", "--out", "out").ok()
    issue = command.folder / "out" / "issue.md"
    assert checked(command, issue, "--sources", SAMPLE)["totals"]["ok"] == 14
    text = issue.read_text(encoding="utf-8")
    assert "51.1%" in text
    issue.write_text(text.replace("51.1%", "51.2%"), encoding="utf-8")
    document = checked(command, issue, "--sources", SAMPLE, code=1)
    assert document["totals"]["checks"]["failed"] == {"excerpt": 1}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nothing.md"], "nothing.md: there is no such file; check the path"),
        ([SAMPLE], "holds no summaries; give a digest (.md); files of papers go to --sources"),
        ([DIGEST, "--sources", "nothing.json"], "nothing.json: there is no such file; check the path"),
        ([], "Missing argument 'FILE'"),
    ],
)
def test_bad_input(command: Command, arguments: list[str | Path], says: str) -> None:
    assert_complains(command("summaries", "check", *arguments), says, code=2)


def test_a_summary_with_an_error_is_not_shown(command: Command, faulty: Path) -> None:
    result = command("preview", "--from", faulty, "--top", "0", "--out", "out").ok()
    assert rf"""{SUPER}: its digest summary is not sent (latex "\bench":""" in result.err
    assert "in its place stands title and link" in result.err
    entries = by_id(load(command.folder / "out" / "issue.json"))
    assert entries[SUPER]["summary"] == {"origin": "title", "sections": []}
    assert sum(len(each["summary"]["sections"]) for each in entries.values()) == 40
    for name in ("issue.html", "issue.txt", "issue.md"):
        text = (command.folder / "out" / name).read_text(encoding="utf-8")
        assert "bench를" not in text
        assert "SUPER" in text


def test_an_excerpt_takes_the_place_where_there_is_an_abstract(command: Command, faulty: Path) -> None:
    command("preview", "--from", faulty, "--from", SAMPLE, "--top", "0", "--out", "out").ok()
    entries = by_id(load(command.folder / "out" / "issue.json"))
    assert {key: each["summary"]["origin"] for key, each in entries.items() if key in {MEDIC, SUPER}} == {
        MEDIC: "extract", SUPER: "extract",
    }  # fmt: skip


def test_a_sent_issue_tells_what_was_not_sent_and_why(people: Command, faulty: Path) -> None:
    day = ("--day", "2024-09-12")
    result = people("run", "--from", faulty, "--from", SAMPLE, *day).ok()
    assert f"refuse    {MEDIC}: its digest summary is not sent (wrong-paper: " in result.out
    shown = people("issues", "show", "2024-09-12").ok().out
    assert f"refused: {MEDIC}, digest summary, wrong-paper: its source has" in shown


def test_stored_days_are_checked_and_counted(people: Command, faulty: Path) -> None:
    people("run", "--from", faulty, "--from", SAMPLE, "--day", "2024-09-12").ok()
    document = people("summaries", "show", "2024-09-12", "--json").ok().json
    assert people("summaries", "show", "--json").ok().json == document, "the newest day"
    failed = {each["id"]: each["failed"][0]["check"] for each in document["entries"] if each["failed"]}
    assert failed == {MEDIC: "wrong-paper", SUPER: "latex"}
    sent = [each for each in document["entries"] if each["id"] == MEDIC]
    assert [each["status"] for each in sent] == ["failed", "ok"], (
        "the digest's, and the excerpt that was sent"
    )
    report = people("summaries", "report", "--json").ok().json
    [month] = report["months"]
    assert (month["month"], month["entries"]) == ("2024-09", len(document["entries"]))
    assert {"check": "latex", "severity": "error", "entries": 1} in month["checks"]
    lines = people("summaries", "report").ok().out.splitlines()
    assert lines[0].split() == ["check", "2024-09"]
    assert ["error", "wrong-paper", "1"] in [line.split() for line in lines]
    assert "2024-09" not in people("summaries", "show").ok().out.splitlines()[-1]


def test_where_nothing_is_stored_it_says_so(command: Command) -> None:
    assert_complains(
        command("summaries", "show"), "no summaries are stored; `newsletter run` makes some", code=2
    )
    assert_complains(
        command("summaries", "show", "2024-09-12"), "2024-09-12: no summaries are stored", code=2
    )
    assert command("summaries", "report").ok().out == "No summaries are stored yet.\n"
    assert command("summaries", "report", "--json").ok().json == {"months": []}
    assert [path.name for path in command.folder.iterdir()] == []
