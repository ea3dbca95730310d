"""`newsletter config` and where settings come from."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from newsletter.config.descriptions import describe
from newsletter.settings.base import Secret, SettingInfo
from tests.cli.command import Command, assert_complains

PASSWORD = "a-very-secret-password"

INFOS = [info for info in describe() if ".feeds." not in info.path]  # feeds are there once they have a name


def settings(command: Command, **env: str) -> dict[str, Any]:
    """Return the rows of ``config --json`` by setting."""
    return {row["setting"]: row for row in command("config", "--json", env=env).ok().json}


def test_every_setting_with_value_origin_and_help(command: Command) -> None:
    rows = settings(command)
    assert list(rows) == [info.path.replace("NAME", "daily") for info in INFOS]
    for info in INFOS:
        row = rows[info.path.replace("NAME", "daily")]
        assert list(row) == ["setting", "value", "origin", "help"]
        assert row["origin"] == "default"
        assert row["help"] == info.help != ""
        if ".schedule." not in info.path:
            assert row["value"] == ("(not set)" if isinstance(info.default, Secret) else info.default)


def test_keys_that_others_rely_on(command: Command) -> None:
    rows = settings(command)
    smtp = [f"provider.smtp.{key}" for key in ("host", "port", "username", "password", "tls", "connections")]
    editions = [f"editions.daily.{key}" for key in ("language", "top", "full", "min_votes")]
    assert {
        "database.url", "sources.huggingface.base_url", "provider.name", "provider.outbox.path", *smtp,
        "provider.sendgrid.base_url", "provider.sendgrid.api_key", "sender.email", "sender.name",
        "sender.postal_address", "web.public_url", *editions,
    } <= set(rows)  # fmt: skip
    assert any(key.startswith("editions.daily.schedule") for key in rows)


def test_the_same_as_text(command: Command) -> None:
    text = command("config").ok().out
    for row in settings(command).values():
        assert f"\n{row['setting']} = " in text
        assert f"\n    {row['help']}\n" in text


def test_environment_before_file_before_default(command: Command) -> None:
    (command.folder / "newsletter.toml").write_text('[provider]\nname = "smtp"\n[editions.daily]\ntop = 7\n')
    rows = settings(command, NEWSLETTER_EDITIONS__DAILY__TOP="9", NEWSLETTER_PROVIDER__SMTP__PORT="2525")
    found = {key: (rows[key]["value"], rows[key]["origin"]) for key in rows}
    assert found["provider.name"] == ("smtp", "file")
    assert found["editions.daily.top"] == (9, "environment (NEWSLETTER_EDITIONS__DAILY__TOP)")
    assert found["provider.smtp.port"] == (2525, "environment (NEWSLETTER_PROVIDER__SMTP__PORT)")
    assert found["editions.daily.full"] == (4, "default")


@pytest.mark.parametrize("info", INFOS, ids=lambda info: info.path)
def test_every_setting_can_be_given_by_the_environment(command: Command, info: SettingInfo) -> None:
    path = info.path.replace("NAME", "daily")
    variable = f"NEWSLETTER_{path.upper().replace('.', '__')}"
    value = "(set)" if isinstance(info.default, Secret) else info.default
    given = (
        "https://x.example"
        if value == "(set)"
        else ", ".join(value)
        if isinstance(value, list | dict)
        else str(value)
    )
    row = settings(command, **{variable: given})[path]
    assert (row["value"], row["origin"]) == (value, f"environment ({variable})")


def test_feeds_by_name(command: Command) -> None:
    (command.folder / "newsletter.toml").write_text(
        '[sources]\nuse = ["huggingface", "blog"]\n[sources.feeds.blog]\nurl = "https://example.org/feed"\n'
    )
    rows = settings(command)
    assert rows["sources.feeds.blog.url"]["value"] == "https://example.org/feed"
    assert rows["sources.use"]["value"] == ["huggingface", "blog"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[sources]\nuse = ["hugingface"]\n', "there is no source 'hugingface'; did you mean 'huggingface'?"),
        (
            '[sources]\nuse = ["mine"]\n',
            "there is no source 'mine'; a feed needs a table [sources.feeds.NAME]",
        ),
        ("[sources]\nuse = []\n", "line 2, sources.use: is empty; name one at least"),
        ("[sources.feeds.blog]\n", "line 1, sources.feeds.blog: has no url; give one"),
        (
            '[sources.feeds.blog]\nurl = "ftp://x"\n',
            'sources.feeds.blog.url: "ftp://x" is not written as it should be',
        ),
        (
            '[provider.sendgrid]\nbase_url = "http://"\n',
            'provider.sendgrid.base_url: "http://" is not written as it should be; Where the API is',
        ),
        ('[provider.ses]\nbase_url = "https://x y"\n', 'provider.ses.base_url: "https://x y" is not written'),
        (
            '[provider.ses]\nregion = "Ireland"\n',
            'provider.ses.region: "Ireland" is not written as it should be',
        ),
        (
            '[sources.arxiv]\nannounce = ["old"]\n',
            "line 2, sources.arxiv.announce: 'old' is none of its values; it may be new, cross, replace",
        ),
    ],
)
def test_sources_that_cannot_be(command: Command, text: str, said: str) -> None:
    (command.folder / "newsletter.toml").write_text(text)
    result = command("config")
    assert result.code == 2
    assert said in result.err


def test_editions_each_have_their_settings(command: Command) -> None:
    (command.folder / "newsletter.toml").write_text(
        '[editions.korean]\nlanguage = "ko"\nschedule = { at = "08:00" }\n[editions.all]\ntop = 0\n'
    )
    rows = settings(command)
    assert rows["editions.korean.language"]["value"] == "ko"
    assert rows["editions.korean.schedule.at"]["value"] == "08:00"
    assert rows["editions.all.top"]["value"] == 0
    assert not any(key.startswith("editions.daily") for key in rows)


@pytest.mark.parametrize(
    ("language", "nearest"),
    [("xx", "en"), ("zh-Hant", "zh-Hans"), ("jp", "ja"), ("german", "de"), ("", "en")],
)
def test_a_language_that_is_not_shipped_is_refused(command: Command, language: str, nearest: str) -> None:
    (command.folder / "newsletter.toml").write_text(
        f'[editions.daily]\n[editions.weekly]\nlanguage = "{language}"\n'
    )
    for words in (["config"], ["run"], ["preview"], ["preview", "--language", "en"]):
        refused = f"editions.weekly.language: '{language}' is not shipped; choose one of {nearest}, "
        assert_complains(command(*words), refused, "zh-Hans", "ar")
    assert [path.name for path in command.folder.iterdir()] == ["newsletter.toml"]


def test_secrets_do_not_show(command: Command) -> None:
    (command.folder / "newsletter.toml").write_text(f'[provider.sendgrid]\napi_key = "{PASSWORD}"\n')
    env = {
        "NEWSLETTER_PROVIDER__SMTP__PASSWORD": PASSWORD,
        "NEWSLETTER_SECRET": PASSWORD,
        "NEWSLETTER_DATABASE__URL": f"postgresql://news:{PASSWORD}@db.example.org/news",
    }
    for words in (["config"], ["config", "--json"], ["--debug", "config"]):
        result = command(*words, env=env).ok()
        assert PASSWORD not in result.out + result.err
    rows = settings(command, **env)
    assert rows["provider.smtp.password"]["value"] == rows["provider.sendgrid.api_key"]["value"] == "(set)"
    assert rows["database.url"]["value"] == "postgresql://news:***@db.example.org/news"


def test_a_line_end_that_was_pasted_is_no_part_of_a_value(command: Command) -> None:
    env = {"NEWSLETTER_PROVIDER__SES__REGION": "eu-west-1\r\n", "NEWSLETTER_PROVIDER__SMTP__PORT": "2525\n"}
    rows = settings(command, **env)
    assert rows["provider.ses.region"]["value"] == "eu-west-1"
    assert rows["provider.smtp.port"]["value"] == 2525


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("NEWSLETTER_PROVIDER__SMTP__PORT", "many", "whole number"),
        ("NEWSLETTER_PROVIDER__SMTP__PORT", "70000", "65535"),
        ("NEWSLETTER_PROVIDER__NAME", "pigeon", "outbox, console"),
        ("NEWSLETTER_PROVIDER__NMAE", "smtp", "did you mean 'provider.name'?"),
        ("NEWSLETTER_PROVIDER", "smtp", "provider"),
        ("NEWSLETTER_EDITIONS__DAILY__TOP", "-1", "editions"),
        ("NEWSLETTER_EDITIONS__DAILY", "x", "editions"),
        ("NEWSLETTER_SOURCES__HUGGINGFACE__BASE_URL", "ftp://x", "base_url"),
        ("NEWSLETTER_", "x", "newsletter config"),
    ],
)
def test_a_variable_that_cannot_be_used_is_named(
    command: Command, variable: str, value: str, words: str
) -> None:
    assert_complains(command("run", env={variable: value}), variable, words)
    assert list(command.folder.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[provider\nname = 1", "line 1"),
        ("[provider]\nname = smtp", "line 2"),
        ("[provider]\nname = 1", "provider.name"),
        ("[provider.smtp]\nport = '25'", "provider.smtp.port"),
        ("provider = 'smtp'", "provider"),
        ("[editions.Weekly]", "edition"),
        ("[editions]", "edition"),
        ("[editions.daily]\nschedule = { att = '07:00' }", "did you mean"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(command: Command, text: str, words: str) -> None:
    (command.folder / "newsletter.toml").write_text(text)
    assert_complains(command("run"), words)


@pytest.mark.parametrize("content", [b"\xff\xfe[", b"\x00"])
def test_a_file_that_is_no_text(command: Command, content: bytes) -> None:
    (command.folder / "newsletter.toml").write_bytes(content)
    assert_complains(command("config"), "newsletter.toml")


def test_a_file_that_is_named_must_be_there(command: Command) -> None:
    assert_complains(command("--config", "absent.toml", "config"), "absent.toml", "newsletter init")
    assert_complains(command("--config", ".", "config"), ".")


def test_it_stands_before_the_command_and_that_is_said(command: Command) -> None:
    assert_complains(command("config", "--config", "x.toml"), "newsletter --config FILE COMMAND")


def test_init_writes_what_loads_to_the_defaults(command: Command) -> None:
    before = settings(command)
    command("init").ok()
    assert settings(command) == before
    text = (command.folder / "newsletter.toml").read_text(encoding="utf-8")
    assert text.count("webhook_key") == 1, "tables of a second provider are named once"
    for info in describe():
        assert info.help in text or ".schedule." in info.path or ".feeds." in info.path


def test_every_line_of_it_can_be_uncommented(command: Command) -> None:
    before = settings(command)
    command("init").ok()
    file = command.folder / "newsletter.toml"
    lines = file.read_text(encoding="utf-8").splitlines()
    file.write_text(
        "\n".join(line[2:] if " = " in line and line.startswith("# ") else line for line in lines)
    )
    document = tomllib.loads(file.read_text(encoding="utf-8"))
    assert document["provider"]["smtp"]["port"] == 587
    after = settings(command)
    for path, row in before.items():
        if (
            path.startswith(("editions.daily.schedule.", "alerts.provider."))
            and path != "alerts.provider.name"
        ):
            continue
        given = "(not set)" if row["value"] == "(not set)" else row["value"]
        assert (after[path]["value"], after[path]["origin"]) == (given, "file")


def test_init_into_a_folder_and_never_twice(command: Command) -> None:
    said = command("init", "news/letter").ok().out
    assert "Next: `cd news/letter`, set [sender] in newsletter.toml, then" in said
    folder = command.folder / "news" / "letter"
    assert sorted(path.name for path in folder.iterdir()) == [".gitignore", "newsletter.toml"]
    assert str(folder.relative_to(command.folder) / "newsletter.toml") in said
    (folder / "newsletter.toml").write_text("# mine\n")
    assert_complains(command("init", "news/letter"), "exists already")
    assert (folder / "newsletter.toml").read_text() == "# mine\n"


@pytest.mark.parametrize("before", ["*.pyc\nbuild", "*.pyc\n", "", "# é\n*.pyc\r\noutbox/\r\n"])
def test_init_adds_to_a_gitignore_what_it_lacks(command: Command, before: str) -> None:
    path = command.folder / ".gitignore"
    path.write_bytes(before.encode())
    command("init").ok()
    content = path.read_bytes().decode()
    assert content.startswith(before)
    lines = [line.strip() for line in content.splitlines()]
    for name in ("newsletter.db*", "newsletter.env", "newsletter.secret", "outbox/"):
        assert lines.count(name) == 1
    (command.folder / "newsletter.toml").unlink()
    command("init").ok()
    assert path.read_bytes().decode() == content


@pytest.mark.parametrize("folder", ["file", "file/below", "/proc/nowhere"])
def test_init_where_nothing_can_be_written(command: Command, folder: str) -> None:
    (command.folder / "file").write_text("a file")
    assert_complains(command("init", folder), folder)
    assert [path.name for path in command.folder.iterdir()] == ["file"]


@pytest.mark.parametrize(
    "name", ["sendgrid.webhook_key", "sendgrid.events_max_age", "ses.topic", "postmark.webhook_secret"]
)
def test_mails_to_the_operator_have_no_events(command: Command, name: str) -> None:
    table, _, setting = name.partition(".")
    text = {"events_max_age": "24 h", "topic": "arn:aws:sns:eu-west-1:123456789012:mail"}.get(
        setting, "x" * 20
    )
    written = f'[alerts.provider.{table}]\n{setting} = "{text}"\n'
    (command.folder / "newsletter.toml").write_text(written)
    assert_complains(command("config"), f"alerts.provider.{name}: has no use here", "take it out")
    assert f"alerts.provider.{name}" not in {info.path for info in INFOS}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            '[editions.daily]\ntop = 3\n[editions.ko]\nschedule = { at = "7:30" }\n',
            'line 4, editions.ko.schedule.at: "7:30" is not written as it should be; Local time of sending, as HH:MM.',
        ),
        (
            '[editions.daily]\n[editions.ko]\ntop = "15"\n',
            'line 3, editions.ko.top: "15" is of another kind; it must be a whole number, without quotes',
        ),
        (
            "[editions.daily]\nmin_votes = -3\n",
            "editions.daily.min_votes: -3 is too small; it must be 0 at least",
        ),
        (
            "[provider.smtp]\nport = 70000\n",
            "provider.smtp.port: 70000 is too large; it must be 65535 at most",
        ),
        ("[delivery.breaker]\nrejected = 20\n", "rejected: 20 is too large; it must be 1 at most"),
        (
            '[provider]\n\nname = "smpt"\n',
            "line 3, provider.name: 'smpt' is none of its values; did you mean 'smtp'?",
        ),
        (
            '[alerts]\non = ["fail"]\n',
            "'fail' is none of its values; did you mean 'failed'? It may be failed, held",
        ),
        ('[theme]\nname = ""\n', "theme.name: is empty; The newsletter's name"),
        (f'[theme]\nname = "{"a" * 100}"\n', "theme.name: is too long; it has 80 characters at most"),
        ("[provider.smtp]\npassword = 12345\n", "provider.smtp.password: it is of another kind"),
        ("[dkim]\nkeys = { s1 = 3 }\n", "dkim.keys.s1: 3 is of another kind; it must be a text in quotes"),
        ('provider = "smtp"\n', "line 1, provider: is a table of settings; write [provider] on a line"),
        (
            "[provider]\n[theme]\n[provider]\n",
            "[provider] is there twice, in lines 1 and 3; put what belongs",
        ),
        (
            '[provider]\nname = "smtp"\nname = "file"\n',
            "the setting in line 3 is there twice; keep one of them",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line_its_value_and_what_it_has_to_be(
    command: Command, text: str, said: str
) -> None:
    (command.folder / "newsletter.toml").write_text(text)
    assert_complains(command("config"), "newsletter.toml", said)


def test_a_folder_is_no_file_of_settings(command: Command) -> None:
    assert_complains(command("--config", command.folder, "config"), "is a folder; name the file")


def test_a_check_says_what_a_run_would_refuse_and_makes_nothing(command: Command) -> None:
    checked = command("config", "--check")
    assert (checked.code, checked.out) == (0, "The settings can be used.\n")
    (command.folder / "newsletter.toml").write_text(
        '[provider]\nname = "postmark"\n[theme]\naccent = "nope"\n'
        '[editions.daily]\n[editions.ko]\nlanguage = "ko"\nschedule = { at = "07:30", approve = true }\n'
    )
    refused = command("config", "--check")
    assert refused.code == 2
    for words in (
        "provider.postmark.token",
        "sender.email",
        "theme.accent",
        "editions.ko.schedule.approve",
    ):
        assert sum(words in line for line in refused.complaints) == 1, refused.err
    assert command("config", "--check", "--json").json == [
        line.removeprefix("newsletter: ") for line in refused.complaints
    ]
    assert [path.name for path in command.folder.iterdir()] == ["newsletter.toml"]
