"""`newsletter preview --serve`: a page for this machine alone, which follows what is edited and outlives every fault."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.command import Command, api_settings, assert_complains, entry, papers_file, snapshot
from tests.servers.papers_api import PapersApi
from tests.support.mail import parse
from tests.support.studio import RunningStudio, studio

FOOT = '<mj-section><mj-column><mj-text>{}<a href="{{{{ placeholder("unsubscribe_url") }}}}">out</a></mj-text></mj-column></mj-section>'
ROOT = Path(__file__).resolve().parents[2]
OVERRIDE = "mine/email/foot.mjml.j2"
SETTINGS = '[theme]\nname = "{}"\ntemplates = "mine"\n'


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningStudio]:
    """Return a studio with the bundled day and an empty folder of overrides."""
    (tmp_path / "mine").mkdir()
    (tmp_path / "newsletter.toml").write_text(SETTINGS.format("First Name"))
    with studio(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def still(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """Return a studio that nothing is changed under."""
    with studio(tmp_path_factory.mktemp("studio")) as opened:
        yield opened


def test_the_page_and_its_parts(still: RunningStudio) -> None:
    page = still.get("/")
    assert page.status == 200
    assert page.headers["Content-Type"] == "text/html; charset=utf-8"
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    parts = re.findall(r'(?:src|href)="([^"]*)"', page.body)
    assert "/studio.js" in parts
    for part in parts:
        answer = still.get(part)
        assert answer.status == 200, part
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert "Access-Control-Allow-Origin" not in answer.headers


def test_the_figures_are_those_of_the_letter(still: RunningStudio) -> None:
    proof = still.state()["proof"]
    assert proof["day"] == "2024-09-12"
    assert (proof["sender"], proof["edition"], proof["language"]) == ("Daily Papers", "daily", "en")
    assert proof["subject"]
    assert proof["preheader"]
    assert proof["bytes"]["clip"] == 102_000
    assert proof["bytes"]["text"] == len(still.get("/issue.txt").body.encode())
    assert proof["bytes"]["html"] < proof["bytes"]["budget"]
    assert proof["findings"] == []
    assert any("example values" in note for note in proof["notes"])
    assert still.get("/issue.md").body.startswith("#")
    mail = still.get("/issue.eml")
    assert parse(mail.body.encode())["Subject"] == proof["subject"]
    assert mail.headers["Content-Disposition"] == 'attachment; filename="issue.eml"'


@pytest.mark.parametrize("query", ["", "?scheme=light", "?scheme=dark", "?scheme=inverted&pictures=off"])
def test_a_letter_can_run_nothing_and_load_only_pictures(still: RunningStudio, query: str) -> None:
    letter = still.get(f"/letter{query}")
    rules = dict(
        rule.strip().partition(" ")[::2] for rule in letter.headers["Content-Security-Policy"].split(";")
    )
    assert rules["sandbox"].split() == ["allow-popups", "allow-popups-to-escape-sandbox"]
    assert rules["default-src"] == "'none'"
    assert "script-src" not in rules
    assert rules["frame-ancestors"] == "'self'"
    assert rules["img-src"] == ("'none'" if "pictures=off" in query else "https: http: data:")
    assert letter.headers["Referrer-Policy"] == "no-referrer"
    assert '<base target="_blank">' in letter.body
    assert "prefers-color-scheme" not in letter.body


def test_the_dark_rules_count_when_they_are_asked_for(still: RunningStudio) -> None:
    light, dark = (still.get(f"/letter?scheme={scheme}").body for scheme in ("light", "dark"))
    assert "@media (max-width:0){body{" in light
    assert "@media (min-width:0){body{" in dark
    assert "color-scheme:light!important" in light
    assert "color-scheme:dark!important" in dark


@pytest.mark.parametrize(
    "host",
    [
        "newsletter.example.org",
        "localhost",
        "127.0.0.1:1",
        "127.0.0.1.example.org:{port}",
        "",
        "localhost:{port}:{port}",
    ],
)
def test_another_name_is_refused(still: RunningStudio, host: str) -> None:
    for path in ("/", "/state", "/letter", "/events"):
        answer = still.get(path, host=host.format(port=still.port))
        assert answer.status == 421
        assert len(answer.body.splitlines()) == 1


@pytest.mark.parametrize(
    ("request_bytes", "said"),
    [
        (b"GET /state HTTP/1.0\r\n\r\n", b"421"),
        (b"GET http://[ HTTP/1.0\r\nHost: HOST\r\n\r\n", b"400"),
        (b"GET / HTTP/9.9\r\nHost: HOST\r\n\r\n", b"Not Supported"),
        (b"\x16\x03\x01 nonsense \xff\r\n\r\n", b"Bad Request"),
        (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
    ],
)
def test_what_no_browser_sends(running: RunningStudio, request_bytes: bytes, said: bytes) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(request_bytes.replace(b"HOST", f"127.0.0.1:{running.port}".encode()))
        assert said in connection.recv(100)
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        connection.sendall(b"GET /letter HTTP/1.0\r\n")  # and hangs up
    assert running.get("/state").status == 200
    assert running.interrupt() == (0, "")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "LocalHost", "[::1]"])
def test_names_of_this_machine_are_answered(still: RunningStudio, host: str) -> None:
    assert still.get("/state", host=f"{host}:{still.port}").status == 200


def test_no_other_address_of_the_machine_is_answered(still: RunningStudio) -> None:
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.2", still.port), timeout=5)


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"])
def test_other_methods_are_refused(still: RunningStudio, method: str) -> None:
    answer = still.get("/state", method=method)
    assert answer.status in {405, 501}
    assert "Traceback" not in answer.body
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    ("path", "status"),
    [("/nothing", 404), ("/studio.py", 404), ("/../studio.py", 404), ("/assets/studio.css", 404), ("/letter?scheme=red", 400),
     ("/letter?pictures=some", 400), ("/letter?scheme=light&scheme=red", 400)],
)  # fmt: skip
def test_what_there_is_not(still: RunningStudio, path: str, status: int) -> None:
    answer = still.get(path)
    assert answer.status == status
    assert len(answer.body.splitlines()) == 1


def events(running: RunningStudio) -> Iterator[str]:
    """Yield the versions that the page is told, as they come."""
    connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=10)
    connection.request("GET", "/events")
    answer = connection.getresponse()
    assert answer.headers["Content-Type"] == "text/event-stream"
    try:
        while line := answer.readline().decode():
            if line.startswith("data: "):
                yield line.removeprefix("data: ").strip()
    finally:
        connection.close()


def test_an_override_comes_changes_and_goes(running: RunningStudio) -> None:
    before = running.get("/letter").body
    told = events(running)
    first = next(told)
    written = time.monotonic()
    running.write(OVERRIDE, FOOT.format("One"))
    second = next(told)
    assert time.monotonic() - written < 3
    assert second != first
    assert "One<a" in running.get("/letter").body
    running.write(OVERRIDE, FOOT.format("Two"))
    assert next(told) not in {first, second}
    assert "Two<a" in running.get("/letter").body
    (running.folder / OVERRIDE).unlink()
    assert next(told) == running.state()["version"]
    assert running.get("/letter").body == before
    told.close()  # type: ignore[attr-defined]


def test_a_broken_template_is_one_line_and_mending_it_recovers(running: RunningStudio) -> None:
    whole = running.get("/letter").body
    for broken, word in [
        ("\n{% if %}", "line 2"), ("{{ nothing }}", "nothing"), ("{{ 1 // 0 }}", "zero"), ("<mj-section>", "MJML"),
        ("<mj-nonsense/>", "mj-nonsense"), ("{% include 'none.j2' %}", "none.j2"),
    ]:  # fmt: skip
        running.write(OVERRIDE, broken)
        running.when(word, "/state")
        state = running.state()
        assert len(state["fault"].splitlines()) == 1
        assert not state["fault"].startswith("unexpected ")
        assert state["proof"]["subject"], "the figures of the last letter stay"
        assert running.get("/letter").body == whole
    running.write(OVERRIDE, FOOT.format("Mended"))
    running.when("Mended<a")
    assert running.state()["fault"] == ""
    code, err = running.interrupt()
    assert code == 0
    assert "Traceback" not in err
    assert "mine/email/foot.mjml.j2, line 2" in err


def test_settings_are_read_again(running: RunningStudio) -> None:
    assert "First Name" in running.get("/letter").body
    running.write("newsletter.toml", SETTINGS.format("Second Name"))
    running.when("Second Name")
    running.write("newsletter.toml", "[theme\n")
    running.when("newsletter.toml", "/state")
    running.write("newsletter.toml", '[theme]\nnmae = "x"\n')
    running.when("theme.name", "/state")
    running.write(
        "newsletter.toml", '[theme]\nname = "Third Name"\n[editions.daily]\ntop = 2\nlanguage = "ko"\n'
    )
    assert 'lang="ko"' in running.when("Third Name")
    assert running.state()["proof"]["entries"] == 2
    (running.folder / "newsletter.toml").unlink()
    running.when("Daily Papers")


def test_an_accent_and_what_lint_says_follow_the_settings(running: RunningStudio) -> None:
    assert running.state()["proof"]["findings"] == []
    running.write("newsletter.toml", '[theme]\naccent = "#0B7A75"\n[editions.daily]\nsubject = "Hi"\n')
    assert "#FFE24A" not in running.when("#0B7A75")
    (found,) = running.state()["proof"]["findings"]
    assert (found["severity"], found["where"]) == ("warning", "subject")
    assert all(found[name] for name in ("rule", "what", "why"))
    running.write("newsletter.toml", '[theme]\naccent = "teal"\n')
    running.when("theme.accent", "/state")


def test_our_own_templates_are_followed_too(tmp_path: Path) -> None:
    copy, folder = tmp_path / "copy", tmp_path / "folder"
    for part in ("newsletter", "subscribers", "templates"):
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    folder.mkdir()
    with studio(folder, env={"PYTHONPATH": str(copy)}) as running:
        foot = copy / "templates/email/foot.mjml.j2"
        foot.write_text(FOOT.format("Ours") + foot.read_text())
        running.when("Ours<a")


def test_a_folder_that_is_missing_is_a_fault_until_it_is_there(running: RunningStudio) -> None:
    (running.folder / "mine").rmdir()
    running.when("there is no folder mine", "/state")
    (running.folder / "mine").mkdir()
    running.when('"fault": ""', "/state")


def test_a_folder_of_overrides_can_be_named_later(running: RunningStudio) -> None:
    running.write("others/email/foot.mjml.j2", FOOT.format("Later"))
    running.write("newsletter.toml", '[theme]\ntemplates = "others"\n')
    running.when("Later<a")
    running.write("others/email/foot.mjml.j2", FOOT.format("And again"))
    running.when("And again<a")


def test_a_file_that_changes_nothing_is_no_news(running: RunningStudio) -> None:
    version = running.state()["version"]
    running.write("mine/notes.txt", "mine")
    running.write("mine/.hidden.swp", "hidden")
    running.write("mine/email/title.mjml.j2", "{% if %}")  # a marker: the look after those
    running.when("title.mjml.j2", "/state")
    assert int(running.state()["version"].split("-")[1]) == int(version.split("-")[1]) + 1


def test_a_studio_may_begin_with_a_fault(tmp_path: Path) -> None:
    (tmp_path / "mine" / "email").mkdir(parents=True)
    (tmp_path / OVERRIDE).write_text("{% if %}")
    (tmp_path / "newsletter.toml").write_text(SETTINGS.format("Name"))
    with studio(tmp_path) as running:
        state = running.state()
        assert state["proof"] is None
        assert "foot.mjml.j2, line 1" in state["fault"]
        assert running.get("/letter").status == 404
        running.write(OVERRIDE, FOOT.format("Mended"))
        running.when("Mended<a")


def test_a_file_of_papers_is_read_again_and_its_options_count(tmp_path: Path) -> None:
    papers = papers_file(
        tmp_path / "p.json", [entry(f"2601.0000{n}", f"Paper {n}", votes=n) for n in range(1, 5)]
    )
    with studio(tmp_path, "--from", papers, "--top", "3", "--language", "ko") as running:
        assert running.state()["proof"]["entries"] == 3
        assert 'lang="ko"' in running.get("/letter").body
        papers_file(papers, [entry("2601.00009", "Another <b>paper</b> {{ 1 }}", votes=9)])
        letter = running.when("Another &lt;b&gt;paper&lt;/b&gt; {{ 1 }}")
        assert "<b>paper" not in letter
        assert running.state()["proof"]["collected"] == 1
        papers.write_text("{")
        running.when("p.json", "/state")
        papers.unlink()
        papers_file(papers, [entry("2601.00008", "It is back", votes=9)])
        running.when("It is back")


def test_a_day_is_fetched_once_and_nothing_is_kept(tmp_path: Path) -> None:
    with (
        PapersApi(days={"2026-01-05": [entry("2601.00001", "The first")]}) as api,
        studio(tmp_path, "--day", "2026-01-05", env=api_settings(api)) as running,
    ):
        assert "The first" in running.get("/letter").body
        asked = len(api.requests)
        assert asked > 0
        running.write("newsletter.toml", '[theme]\nname = "Another"\n')
        running.when("Another")
        assert len(api.requests) == asked
    assert list(snapshot(tmp_path)) == ["newsletter.toml"]


def test_ctrl_c_ends_it_while_pages_listen(running: RunningStudio) -> None:
    told = events(running)
    next(told)
    assert running.interrupt() == (0, "")
    assert list(told) == []


def test_a_port_in_use_is_one_line(command: Command, still: RunningStudio) -> None:
    assert_complains(
        command("preview", "--serve", "--no-open", "--port", str(still.port)), str(still.port), "--port"
    )


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--serve", "--out", "there"], "--out"),
        (["--port", "8000"], "--serve"),
        (["--serve", "--port", "65536"], "65536"),
        (["--serve", "--from", "nothing.json"], "nothing.json"),
        (["--serve", "--edition", "weekly"], "weekly"),
        (["--serve", "--day", "yesterday"], "yesterday"),
    ],
)
def test_what_keeps_it_from_starting(command: Command, words: list[str], said: str) -> None:
    assert_complains(command("preview", *words), said)
    assert list(command.folder.iterdir()) == []


def test_state_is_json_whatever_a_title_holds(tmp_path: Path) -> None:
    title = '</script><img src=x onerror="alert(1)">\u2028 "quoted" \\ {% raw %}'
    papers = papers_file(tmp_path / "p.json", [entry("2601.00001", title)])
    with studio(tmp_path, "--from", papers) as running:
        body = running.get("/state").body
        assert "</script>" in json.loads(body)["proof"]["subject"]
        assert running.get("/state").headers["Content-Type"] == "application/json"
        assert "<img src=x" not in running.get("/letter").body
