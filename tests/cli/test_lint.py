"""`newsletter lint`, lint within a preview, and lint before every send."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from newsletter.models.issues import placeholder
from tests.cli.command import SAMPLE, SENDER, Command, assert_complains, entry, outbox, papers_file, run
from tests.servers.papers_api import PapersApi
from tests.support.issues import LETTER

TEMPLATES = Path(__file__).resolve().parents[2] / "templates"
FINE = [entry("2601.00001", "A paper with a title of good length", votes=9)]


@pytest.fixture
def made(command: Command) -> Path:
    """Return the files of a preview of the bundled day."""
    command("preview", "--out", "made").ok()
    return command.folder / "made"


def override(command: Command, name: str, change: Callable[[str], str]) -> dict[str, str]:
    """Write a changed copy of one template, and return the setting that makes it count."""
    path = command.folder / "own" / "email" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    text = (TEMPLATES / "email" / name).read_text(encoding="utf-8")
    assert change(text) != text
    path.write_text(change(text), encoding="utf-8")
    return {"NEWSLETTER_THEME__TEMPLATES": "own"}


def without_way_out(foot: str) -> str:
    """Let a foot link elsewhere than where a reader can leave."""
    return foot.replace("{{ placeholder('unsubscribe_url') }}", "https://example.org/")


def test_a_good_letter_is_good_in_every_form(command: Command, made: Path) -> None:
    for arguments in ([made / "issue.eml"], [made / "issue.html"], ["--day", "2024-09-12"]):
        result = command("lint", *arguments).ok()
        assert result.out == "0 errors, 0 warnings\n"


def test_faults_of_a_page_stand_where_an_editor_finds_them(command: Command, made: Path) -> None:
    page = (made / "issue.html").read_text(encoding="utf-8")
    (command.folder / "bad.HTML").write_text(
        page.replace(
            "</body>", '\n<a href="javascript:x">x</a><img src="http://example.org/x.png" alt="x"></body>'
        )
    )
    result = command("lint", "bad.HTML")
    assert (result.code, result.err) == (1, "")
    line = page[: page.index("</body>")].count("\n") + 2
    lines = result.out.splitlines()
    assert lines[0].startswith(f"bad.HTML:{line}:1: error unsafe-link: ")
    assert lines[1].startswith(f"bad.HTML:{line}:29: warning ")
    assert lines[-1] == "1 error, 2 warnings"
    assert len(lines) == 4


def test_the_object_on_standard_output(command: Command, made: Path) -> None:
    mail = (made / "issue.eml").read_bytes()
    assert b"List-Unsubscribe-Post" in mail
    (command.folder / "bad.eml").write_bytes(mail.replace(b"List-Unsubscribe-Post", b"X-Other"))
    document = command("lint", "bad.eml", "--json")
    assert document.code == 1
    assert list(document.json) == ["file", "errors", "warnings", "findings"]
    assert (document.json["file"], document.json["errors"], document.json["warnings"]) == ("bad.eml", 1, 0)
    (finding,) = document.json["findings"]
    assert list(finding) == ["rule", "severity", "what", "where", "why"]
    assert (finding["rule"], finding["severity"], finding["where"]) == ("no-one-click", "error", "headers")
    empty = command("lint", "--day", "2024-09-12", "--json").ok().json
    assert empty == {"day": "2024-09-12", "errors": 0, "warnings": 0, "findings": []}


def test_every_part_of_a_message_is_looked_at(command: Command, made: Path) -> None:
    head, mark, _ = (made / "issue.eml").read_bytes().partition(b"\r\n\r\n")
    (command.folder / "bare.eml").write_bytes(
        head.replace(b"multipart/alternative;", b"text/html; x=y;") + mark + b"x"
    )
    result = command("lint", "bare.eml")
    assert result.code == 1
    said = result.out
    for rule in ("empty-text", "no-unsubscribe", "missing-lang", "preheader"):
        assert f" {rule}: " in said


def test_warnings_alone_are_no_failure(command: Command, made: Path) -> None:
    page = (made / "issue.html").read_text(encoding="utf-8")
    (command.folder / "plain.htm").write_text(page.replace('<html lang="en"', "<html"), encoding="utf-8-sig")
    result = command("lint", "plain.htm")
    assert result.code == 0
    assert "warning missing-lang" in result.out
    assert result.out.endswith("0 errors, 1 warning\n")


UNUSABLE = {
    "empty.eml": (b" \r\n", "empty"),
    "empty.html": (b"", "empty"),
    "binary.eml": (bytes(range(256)), "binary"),
    "binary.html": (b"\x89PNG\r\n\x1a\n\x00\x00", "binary"),
    "latin.html": ("<p>ü</p>".encode("latin-1"), "UTF-8"),
    "words.eml": (b"Dear reader,\nthere is nothing here.\n", "no e-mail"),
    "charset.eml": (b"Subject: x\nContent-Type: text/plain; charset=no-such\n\nx\n", "cannot be read"),
    "page.txt": (b"<p>x</p>", "neither .eml nor .html"),
    "page": (b"<p>x</p>", "neither .eml nor .html"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_files_that_are_no_letter(command: Command, name: str) -> None:
    content, said = UNUSABLE[name]
    (command.folder / name).write_bytes(content)
    result = command("lint", name)
    assert_complains(result, name, said)
    assert result.out == ""


def test_files_that_are_not_there(command: Command) -> None:
    assert_complains(command("lint", "none.eml"), "none.eml", "no such file")
    (command.folder / "folder.eml").mkdir()
    assert_complains(command("lint", "folder.eml"), "folder.eml", "folder")
    os.mkfifo(command.folder / "pipe.eml")
    assert_complains(command("lint", "pipe.eml"), "pipe.eml")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "--day"),
        (["x.eml", "--day", "2024-09-12"], "not both"),
        (["x.eml", "--edition", "daily"], "--edition"),
        (["--day", "12.9.2024"], "12.9.2024"),
        (["--day", "2024-09-12", "--edition", "weekly"], "weekly"),
        (["a.eml", "b.eml"], "newsletter lint --help"),
    ],
)
def test_wrong_use(command: Command, words: list[str], said: str) -> None:
    assert_complains(command("lint", *words), said)
    assert list(command.folder.iterdir()) == []


def test_a_file_needs_no_settings(command: Command, made: Path) -> None:
    (command.folder / "newsletter.toml").write_text("broken =")
    command("lint", made / "issue.eml").ok()
    assert_complains(command("lint", "--day", "2024-09-12"), "newsletter.toml")


def test_a_message_that_was_never_filled(command: Command) -> None:
    assert placeholder("unsubscribe_url") in LETTER.html
    page = LETTER.html.replace("Hello", "{{ 7 * 7 }}")
    (command.folder / "raw.html").write_text(page, encoding="utf-8")
    result = command("lint", "raw.html")
    assert result.code == 1
    assert 'error left-over-placeholder: the placeholder "unsubscribe_url" is left over' in result.out


def test_a_day_is_looked_at_as_it_would_be_sent(command: Command) -> None:
    real = {"NEWSLETTER_PROVIDER__NAME": "smtp"}
    result = command("lint", "--day", "2024-09-12", env=real)
    assert result.code == 1
    assert "no-postal-address" in result.out
    assert "sender.postal_address" in result.out
    command("lint", "--day", "2024-09-12", env=real | SENDER).ok()
    hidden = override(command, "foot.mjml.j2", lambda foot: foot.replace("{{ letter.postal_address }}", "."))
    result = command("lint", "--day", "2024-09-12", env=real | SENDER | hidden)
    assert [line.split(": ")[1:3] for line in result.out.splitlines()[:-1]] == [
        ["html", "error no-postal-address"]
    ]
    assert list(command.folder.glob("newsletter*")) == []


def test_a_collected_day_is_taken_from_the_database(people: Command) -> None:
    papers_file(people.folder / "p.json", [entry("2601.00001", "Short", votes=9)])
    run(people, "--from", "p.json")
    result = people("lint", "--day", "2026-01-05").ok()
    assert 'warning subject-length: the subject "Short' in result.out


def test_a_preview_says_what_is_wrong_and_writes_its_files(command: Command) -> None:
    env = override(command, "foot.mjml.j2", without_way_out)
    result = command("preview", "--out", "out", env=env).ok()
    found = [line for line in result.err.splitlines() if " lint: " in line]
    assert [line.split(": ")[1:5] for line in found] == [["warning", "lint", "html", "error no-unsubscribe"]]
    assert (command.folder / "out" / "issue.eml").is_file()


@pytest.mark.parametrize("options", [[], ["--dry-run"], ["--json"]], ids=str)
def test_a_letter_without_a_way_out_is_not_sent(people: Command, options: list[str]) -> None:
    env = override(people, "foot.mjml.j2", without_way_out)
    papers_file(people.folder / "p.json", FINE)
    result = people("run", "--from", "p.json", *options, env=env)
    dry = "--dry-run" in options
    where = "all of it stands above" if dry else "`newsletter lint --day 2026-01-05 --edition daily`"
    assert_complains(result, "2026-01-05/daily", "no-unsubscribe", where, code=1)
    assert ("lint      no-unsubscribe: " in result.out) == dry
    assert "plan " not in result.out + result.err
    assert outbox(people.folder) == {}
    assert not (people.folder / "outbox").exists()
    assert "2026-01-05" not in people("issues").out
    shutil.rmtree(people.folder / "own")
    assert run(people, "--from", "p.json")["counts"]["accepted"] == 3


def test_several_errors_are_counted(people: Command) -> None:
    def worse(foot: str) -> str:
        return without_way_out(foot) + '<mj-raw><script>x</script><a href="/x">x</a></mj-raw>'

    env = override(people, "foot.mjml.j2", worse)
    assert_complains(people("run", "--from", SAMPLE, env=env), "2 more errors", code=1)
    assert outbox(people.folder) == {}


def test_an_unknown_placeholder_is_not_sent(people: Command) -> None:
    env = override(
        people, "foot.mjml.j2", lambda foot: foot.replace("'unsubscribe_url'", "'preferences_url'")
    )
    assert_complains(people("run", "--from", SAMPLE, env=env), "preferences_url", code=1)
    assert outbox(people.folder) == {}


def test_warnings_are_told_and_the_letter_is_sent(people: Command) -> None:
    papers_file(people.folder / "p.json", [entry("2601.00001", "Short", votes=9)])
    result = people("run", "--from", "p.json").ok()
    told = [line for line in result.out.splitlines() if line.startswith("lint      ")]
    assert told[0].startswith('lint      subject-length: the subject "Short')
    assert len(outbox(people.folder)) == 3


def test_many_warnings_are_counted(people: Command) -> None:
    images = "".join(f'<img src="http://example.org/{n}.png" alt="x" width="20"/>' for n in range(9))
    env = override(people, "foot.mjml.j2", lambda foot: foot + f"<mj-raw>{images}</mj-raw>")
    told = [
        line for line in people("run", "--from", SAMPLE, env=env).ok().out.splitlines() if "lint  " in line
    ]
    assert [line.split()[1] for line in told[:3]] == ["insecure-image:"] * 3
    assert told[3].startswith("lint      6 more warnings; `newsletter lint --day 2024-09-12 --edition daily`")
    assert len(told) == 4
    dry = people("run", "--from", SAMPLE, "--day", "2024-09-11", "--dry-run", env=env).ok().out
    assert dry.count("lint      insecure-image: ") == 9, "nothing of it is stored for `newsletter lint`"


def test_a_day_that_cannot_be_had_names_what_there_is(people: Command) -> None:
    with PapersApi(days={}) as api:
        env = {"NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL": api.url}
        for words in (("lint", "--day", "2020-01-01"), ("preview", "--day", "2020-01-01")):
            refused = people(*words, env=env)
            assert_complains(refused, "2020-01-01: no papers could be had", "choose another day")
            assert "--from" not in refused.err.replace("`newsletter preview --from FILE`", "")


@pytest.mark.parametrize("title", ["{{ 7 * 7 }} and some more words", "<mj-text>inside</mj-text> of a title"])
def test_hostile_titles_are_sent(people: Command, title: str) -> None:
    papers_file(people.folder / "p.json", [entry("2601.00001", title, votes=9)])
    assert run(people, "--from", "p.json")["counts"]["accepted"] == 3


def test_a_message_as_it_went_out(people: Command) -> None:
    run(people, "--from", SAMPLE)
    for name, content in outbox(people.folder).items():
        path = people.folder / f"{name[:20]}.eml"
        path.write_bytes(content)
        assert people("lint", path).ok().out == "0 errors, 0 warnings\n"
