"""`newsletter templates`: what there is, copies of it, and what is wrong with those that replace it."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from tests.cli.command import Command, assert_complains, load, snapshot
from tests.templating.samples import same

ENV = {"NEWSLETTER_THEME__TEMPLATES": "mine"}
FOOT = '<mj-section><mj-column><mj-text>Bye, {{ placeholder("address") }} <a href="{{ placeholder("unsubscribe_url") }}">leave</a></mj-text></mj-column></mj-section>'


def put(command: Command, name: str, content: str | bytes) -> Path:
    """Write one overriding template."""
    file = command.folder / "mine" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    return file


def faults(command: Command) -> list[str]:
    """Return the lines of a check that finds something."""
    result = command("templates", "check", env=ENV)
    assert (result.code, result.complaints) == (1, []), result
    return result.out.splitlines()


def test_the_list_says_what_each_draws_and_what_replaces_it(command: Command) -> None:
    put(command, "email/foot.mjml.j2", FOOT)
    listed = command("templates", "list", "--json", env=ENV).ok().json
    rows = {row["name"]: row for row in listed}
    assert all(row["draws"] for row in listed)
    assert rows["email/foot.mjml.j2"] == {
        "name": "email/foot.mjml.j2",
        "draws": "How to leave, why it came, and who sent it.",
        "replaced_by": "mine/email/foot.mjml.j2",
    }
    assert [name for name, row in rows.items() if row["replaced_by"]] == ["email/foot.mjml.j2"]
    out = command("templates", "list").ok().out
    assert all(name in out for name in rows)
    assert "mine" not in out


def test_the_list_comes_before_the_folder(command: Command) -> None:
    result = command("templates", "list", env=ENV).ok()
    assert "warning: NEWSLETTER_THEME__TEMPLATES, theme.templates: there is no folder mine" in result.err


def test_a_letter_of_copies_is_the_letter_of_ours(command: Command) -> None:
    command("preview", "--out", "ours").ok()
    said = command("templates", "export", "--all").ok().out
    assert 'templates = "templates"' in said
    (command.folder / "newsletter.toml").write_text('[theme]\ntemplates = "templates"\n', encoding="utf-8")
    assert "are replaced from templates, without a fault." in command("templates", "check").ok().out
    command("preview", "--out", "copies").ok()
    for name in ("issue.html", "issue.txt", "issue.md"):
        ours, copies = ((command.folder / folder / name).read_bytes() for folder in ("ours", "copies"))
        assert same(ours.decode()) == same(copies.decode()), name


@pytest.mark.parametrize("name", ["foot", "foot.mjml.j2", "email/foot.mjml.j2"])
def test_a_template_may_be_named_short(command: Command, name: str) -> None:
    command("templates", "export", name, name).ok()
    assert list(snapshot(command.folder)) == ["templates/email/foot.mjml.j2"]


def test_a_copy_goes_where_the_settings_look_for_it(command: Command) -> None:
    settings = command.folder / "site" / "newsletter.toml"
    settings.parent.mkdir()
    settings.write_text('[theme]\ntemplates = "own"\n', encoding="utf-8")
    assert "[theme]" not in command("--config", settings, "templates", "export", "foot").ok().out
    assert (settings.parent / "own" / "email" / "foot.mjml.j2").is_file()
    said = command("--config", settings, "templates", "export", "foot", "--to", "site/other").ok().out
    assert 'templates = "other"' in said


def test_what_is_there_is_not_written_over(command: Command) -> None:
    file = put(command, "email/foot.mjml.j2", FOOT)
    before = snapshot(command.folder)
    arguments = ("templates", "export", "foot", "line", "--to", "mine")
    assert_complains(command(*arguments), "mine/email/foot.mjml.j2: exists already", "--force")
    assert snapshot(command.folder) == before
    command(*arguments, "--force").ok()
    assert file.read_text(encoding="utf-8") != FOOT


def test_names_that_cannot_be_copied(command: Command) -> None:
    assert_complains(command("templates", "export", "foots"), "'foots'", "'email/foot.mjml.j2'")
    assert_complains(command("templates", "export", "../../x"), "no template", "templates list")
    assert_complains(command("templates", "export", "letter"), "email/letter.mjml.j2 or email/letter.txt.j2")
    assert_complains(command("templates", "export"), "--all")
    assert_complains(command("templates", "export", "foot", "--all"), "--all")
    assert snapshot(command.folder) == {}


def test_a_place_that_cannot_be_written_to_stays_as_it_was(command: Command) -> None:
    (command.folder / "file").write_text("mine", encoding="utf-8")
    assert_complains(command("templates", "export", "foot", "--to", "file"), "file: is no folder")
    assert_complains(command("templates", "export", "foot", "--to", "file/below"), "cannot be written")
    (command.folder / "mine" / "email" / "foot.mjml.j2").mkdir(parents=True)
    result = command("templates", "export", "--all", "--force", "--to", "mine")
    assert_complains(result, "mine/email/foot.mjml.j2: is a folder")
    assert list(snapshot(command.folder)) == ["file"]


def test_ours_are_never_written_over(command: Command) -> None:
    own = Path(__file__).resolve().parents[2] / "templates"
    before = snapshot(own)
    assert_complains(command("templates", "export", "--all", "--force", "--to", own), "the newsletter's own")
    assert snapshot(own) == before


def test_without_a_folder_there_is_nothing_to_check(command: Command) -> None:
    assert "No folder of templates is set" in command("templates", "check").ok().out
    assert command("templates", "check", "--json").ok().json["folder"] is None


@pytest.mark.parametrize("words", [("templates", "check"), ("preview",), ("run",)])
def test_a_folder_that_is_missing_is_refused(command: Command, words: tuple[str, ...]) -> None:
    (command.folder / "newsletter.toml").write_text('[theme]\ntemplates = "mine"\n', encoding="utf-8")
    assert_complains(command(*words), "newsletter.toml, theme.templates: there is no folder mine", "export")
    (command.folder / "mine").write_text("", encoding="utf-8")
    assert_complains(command(*words), "newsletter.toml, theme.templates: mine is no folder")
    assert sorted(snapshot(command.folder)) == ["mine", "newsletter.toml"]


def test_an_override_is_in_the_letter(command: Command) -> None:
    put(command, "email/foot.mjml.j2", FOOT)
    assert command("templates", "check", env=ENV).ok().out == (
        "1 of ours is replaced from mine, without a fault.\n"
    )
    command("preview", "--out", "out", env=ENV).ok()
    assert "Bye, reader@example.org" in (command.folder / "out" / "issue.html").read_text(encoding="utf-8")


REST = "email/rest.mjml.j2"
SECTION = "<mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section>"


@pytest.mark.parametrize(
    ("source", "line", "what"),
    [
        ("<mj-raw></mj-raw>\n{% if %}", 2, "Expected an expression"),
        ("{# a\ncomment #}\n\n{% for x in y %}", 4, "Unexpected end of template"),
        ("\n{{ letter.name | shout }}", 2, "No filter named 'shout'"),
        ("\n\n{{ nobody }}", 3, "'nobody' is undefined"),
        ("\n{{ letter.colour }}", 2, "letter has no attribute 'colour'"),
        ("{{ letter.entires }}", 1, "letter has no attribute 'entires'; did you mean 'entries'?"),
        ("{{ lettr.entries }}", 1, "'lettr' is undefined; did you mean 'letter'?"),
        ("\n{{ letter.__class__.__mro__ }}", 2, "is unsafe"),
        ('\n\n\n{% include "email/nothing.mjml.j2" %}', 4, "there is no template email/nothing.mjml.j2"),
        (SECTION.format("a\n<p>b"), 2, "<p> is not closed"),
        ("{% if true %}\n  <mj-section>\n{% endif %}\n<mj-column></mj-column>", 2, "<mj-section> is not closed"),
        ("{% for n in [1, 2] -%}\n\n\n<mj-section>{% endfor %}", 4, "<mj-section> is not closed"),
        (SECTION.format("{# a\nb #}{{ letter.name }}\n<b\n>a</i>"), 4, "</i> closes nothing"),
        (SECTION.format("\n\n<a href=x>a</a>"), 3, "<a> is not well written"),
        (SECTION.format("1\n 1 < 2"), 2, "a < stands in text"),
        (SECTION.format("\n<!-- a -- b -->"), 2, "a comment holds --"),
        ("\n<!-- a", 2, "a comment is not closed"),
        (SECTION.format("\n<![CDATA[x]]>"), 2, "has no place in MJML"),
        (SECTION.format("\n<mj-blink>x</mj-blink>"), 2, "MJML does not know <mj-blink>"),
        (f"\n{'<b>' * 9000}{'</b>' * 9000}", 2, "more than 200 tags"),
        (b"a\nb\n\xff\n", 3, "is not UTF-8 text"),
    ],
)  # fmt: skip
def test_a_fault_names_its_file_and_line(command: Command, source: str | bytes, line: int, what: str) -> None:
    put(command, "email/foot.mjml.j2", FOOT)
    put(command, REST, source)
    (fault,) = faults(command)
    assert fault.startswith(f"mine/{REST}, line {line}: ")
    assert what in fault


def test_a_check_as_json(command: Command) -> None:
    put(command, "email/foot.mjml.j2", FOOT)
    put(command, "email/food.mjml.j2", "")
    put(command, REST, "\n{{ nobody }}")
    result = command("templates", "check", "--json", env=ENV)
    assert result.code == 1
    assert result.json == {
        "folder": "mine",
        "replaced": ["email/foot.mjml.j2", REST],
        "faults": [{"file": f"mine/{REST}", "line": 2, "what": "'nobody' is undefined"}],
        "warnings": ["mine/email/food.mjml.j2: replaces nothing; did you mean mine/email/foot.mjml.j2?"],
    }


@pytest.mark.parametrize(
    "name", ["masthead", "lead", "full", "line", "title", "rest", "foot", "head", "preheader"]
)
def test_every_partial_is_tried_out(command: Command, name: str) -> None:
    put(command, f"email/{name}.mjml.j2", "\n{{ nobody }}")
    assert faults(command) == [f"mine/email/{name}.mjml.j2, line 2: 'nobody' is undefined"]


def test_what_fails_from_right_to_left_alone_is_found(command: Command) -> None:
    put(command, REST, "{% if letter.direction == 'rtl' %}\n{{ nobody }}{% endif %}")
    command("preview", "--out", "out", env=ENV).ok()
    assert faults(command) == [f"mine/{REST}, line 2: 'nobody' is undefined"]


def test_the_faults_of_several_files_are_told_at_once(command: Command) -> None:
    put(command, "email/foot.mjml.j2", "\n{{ nobody }}")
    put(command, "email/line.mjml.j2", "{{")
    put(command, REST, "\n\n<mj-section>")
    put(
        command,
        "email/title.mjml.j2",
        "{% for entry in titles %}<tr><td>{{ entry.title }}</td></tr>{% endfor %}",
    )
    found = faults(command)
    assert [line.split(": ")[0] for line in found] == [
        "mine/email/foot.mjml.j2, line 2", "mine/email/line.mjml.j2, line 1", f"mine/{REST}, line 3",
    ]  # fmt: skip


def test_a_fault_that_shows_in_ours_is_laid_to_the_override(command: Command) -> None:
    put(command, "email/foot.mjml.j2", FOOT)
    put(command, "email/parts.mjml.j2", "{% macro grid() %}<table>{% endmacro %}")
    found = faults(command)
    assert found
    for line in found:
        assert line.startswith("mine/email/parts.mjml.j2: ")
        assert "it shows in " in line


def test_a_template_that_includes_itself(command: Command) -> None:
    put(command, REST, f'{{% include "{REST}" %}}')
    assert faults(command) == [f"mine/{REST}, line 1: a template includes itself"]


def test_a_folder_where_a_file_should_be(command: Command) -> None:
    put(command, f"{REST}/note.txt", "x")
    assert faults(command) == [f"mine/{REST}, line 1: is a folder, where a template is a file"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_that_may_not_be_read(command: Command) -> None:
    put(command, REST, "x").chmod(0)
    assert faults(command) == [f"mine/{REST}, line 1: cannot be read (Permission denied)"]


def test_a_link_that_leads_nowhere(command: Command) -> None:
    put(command, "email/foot.mjml.j2", FOOT)
    (command.folder / "mine" / REST).symlink_to("nowhere")
    assert faults(command) == [f"mine/{REST}, line 1: is a link that leads nowhere"]


def test_a_folder_may_be_a_link(command: Command) -> None:
    put(command, "../elsewhere/rest.mjml.j2", "\n{{ nobody }}")
    (command.folder / "mine").mkdir(exist_ok=True)
    (command.folder / "mine" / "email").symlink_to("../elsewhere")
    assert faults(command) == [f"mine/{REST}, line 2: 'nobody' is undefined"]


def test_one_place_is_named_once(command: Command) -> None:
    put(command, "email/foot.mjml.j2", SECTION.format("word " * 30_000))
    (fault,) = faults(command)
    assert fault.startswith("mine/email/foot.mjml.j2: the letter weighs ")


def test_a_helper_of_ones_own_is_no_typing_error(command: Command) -> None:
    put(command, "email/foot.mjml.j2", '{% include "email/address.mjml.j2" %}')
    put(command, "email/address.mjml.j2", FOOT)
    result = command("templates", "check", env=ENV).ok()
    assert "warning" not in result.err
    put(command, "email/address.mjml.j2", "\n{{ nobody }}")
    assert faults(command) == ["mine/email/address.mjml.j2, line 2: 'nobody' is undefined"]


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("email/food.mjml.j2", "email/foot.mjml.j2"),
        ("foot.mjml.j2", "email/foot.mjml.j2"),
        ("email/masthead.html", "email/masthead.mjml.j2"),
        ("email/shopping.mjml.j2", ""),
    ],
)
def test_a_file_that_replaces_nothing_is_named(command: Command, name: str, meant: str) -> None:
    put(command, name, "{{")
    put(command, "email/.hidden", "")
    result = command("templates", "check", env=ENV).ok()
    warning = f"newsletter: warning: mine/{name}: replaces nothing"
    assert result.err == f"{warning}; did you mean mine/{meant}?\n" if meant else f"{warning}\n"


def test_an_override_that_nothing_uses_is_named(command: Command) -> None:
    put(
        command,
        "email/title.mjml.j2",
        "{% for entry in titles %}<tr><td>{{ entry.title }}</td></tr>{% endfor %}",
    )
    put(command, "email/letter.mjml.j2", f"<mjml><mj-body>{FOOT}</mj-body></mjml>")
    result = command("templates", "check", env=ENV).ok()
    assert "mine/email/title.mjml.j2: none of the templates uses it" in result.err


def test_a_copy_of_an_earlier_text_is_named(command: Command) -> None:
    command("templates", "export", "foot", "rest", "--to", "mine").ok()
    file = command.folder / "mine" / "email" / "foot.mjml.j2"
    file.write_text(file.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert command("templates", "check", env=ENV).ok().err == ""
    first, rest = file.read_text(encoding="utf-8").split("\n", 1)
    mark = first.split("then ")[1][:12]
    file.write_text(first.replace(mark, "0123456789ab") + "\n" + rest, encoding="utf-8")
    result = command("templates", "check", env=ENV).ok()
    assert result.err.count("warning") == 1
    assert "foot.mjml.j2: ours has changed since this was copied" in result.err


def test_a_check_writes_nothing(command: Command) -> None:
    put(command, "email/foot.mjml.j2", FOOT)
    before = snapshot(command.folder)
    command("templates", "check", env=ENV).ok()
    assert snapshot(command.folder) == before


@pytest.mark.parametrize(
    ("setting", "value", "words"),
    [
        ("accent", "red", ("'red' is no colour", "#FFE24A")),
        ("accent", "#12345", ("'#12345' is no colour",)),
        ("accent", "rgb(1,2,3)", ("is no colour",)),
        ("logo", "logo.png", ("'logo.png' is no web address", "https://")),
        ("logo", "http://example.org/logo.png", ("mail clients block",)),
        ("logo", "data:image/png;base64,AAAA", ("stands inside the letter",)),
        ("logo", "https://example.org/logo.svg", ("is SVG",)),
        ("logo", "https://example.org/about.html", ("no picture",)),
        ("font", "'Segoe UI', Arial", ("without quotes",)),
        ("title_font", "url(https://example.org/x.woff)", ("no name of a font",)),
    ],
)
def test_a_theme_that_cannot_be_drawn_is_one_clear_line(
    command: Command, setting: str, value: str, words: tuple[str, ...]
) -> None:
    (command.folder / "newsletter.toml").write_text(f'[theme]\n{setting} = "{value}"\n', encoding="utf-8")
    for arguments in (("preview", "--out", "out"), ("run",)):
        assert_complains(command(*arguments), f"newsletter.toml, theme.{setting}: ", *words)
    assert list(snapshot(command.folder)) == ["newsletter.toml"]
    (command.folder / "newsletter.toml").unlink()
    variable = f"NEWSLETTER_THEME__{setting.upper()}"
    assert_complains(command("preview", env={variable: value}), f"{variable}, theme.{setting}: ", *words)


@pytest.mark.parametrize(
    ("accent", "text"), [("#0a3", "#161614"), ("#7b1fa2", "#FFFFFF"), ("#787878", "#000000")]
)
def test_a_strange_accent_is_drawn_light_and_dark_with_text_that_can_be_read(
    command: Command, accent: str, text: str
) -> None:
    whole = "#00AA33" if accent == "#0a3" else accent.upper()
    env = {"NEWSLETTER_THEME__ACCENT": accent, "NEWSLETTER_THEME__TITLE_FONT": "Literata"}
    command("preview", "--out", "out", env=env).ok()
    html = (command.folder / "out" / "issue.html").read_text(encoding="utf-8")
    assert "#FFE24A" not in html
    light, _, dark = html.partition("prefers-color-scheme")
    dark, _, body = dark.partition("</head>")
    assert light
    assert f"background:{whole};color:{text}" in body
    assert f".v{{background:{whole}!important;color:{text}!important" in dark
    assert f"color:{whole}" not in html.replace(f"-color:{whole}", "").replace("background", "")
    assert "font-family:Literata,Charter,Cambria,Noto Serif,Georgia,serif" in body
    assert load(command.folder / "out" / "issue.json")["entries"]


def test_the_guide_does_what_it_says(command: Command) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "templates.md").read_text(encoding="utf-8")
    blocks = {kind: re.findall(rf"```{kind}\n(.*?)```", page, re.DOTALL) for kind in ("toml", "html", "sh")}
    (command.folder / "newsletter.toml").write_text(blocks["toml"][0], encoding="utf-8")
    copied, tried = ([line.split()[1:] for line in block.splitlines()] for block in blocks["sh"])
    for words in copied:
        command(*words).ok()
    (command.folder / "templates" / "email" / "foot.mjml.j2").write_text(blocks["html"][0], encoding="utf-8")
    for words in tried:
        assert "warning: templates" not in command(*words).ok().err
    html = (command.folder / "preview" / "issue.html").read_text(encoding="utf-8")
    assert "background:#0B7A75;color:#FFFFFF" in html
    assert "You get this letter" not in html


@pytest.mark.parametrize(
    ("foot", "what"),
    [
        ("", "the HTML has no link to unsubscribe"),
        (FOOT.replace("</mj-text>", '<a href="javascript:x">x</a></mj-text>'), "is javascript:"),
        (
            FOOT.replace("</mj-text>", '{{ placeholder("nope") }}</mj-text>'),
            'the placeholder "nope" is left over',
        ),
    ],
)
def test_what_could_never_be_sent_is_a_fault(command: Command, foot: str, what: str) -> None:
    put(command, "email/foot.mjml.j2", foot)
    found = faults(command)
    assert found
    assert all("no letter is sent" in line for line in found)
    assert what in " ".join(found)
