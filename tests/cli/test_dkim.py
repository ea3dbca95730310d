"""`newsletter dkim`, the table [dkim], and letters that arrive signed."""

from __future__ import annotations

import re
import stat
import subprocess
import sys

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from newsletter.dkim import KeyType, make_key
from tests.cli.command import SAMPLE, SENDER, Command, assert_complains, outbox, run, smtp_settings
from tests.servers.smtp import SmtpSink
from tests.support.mail import parse
from tests.support.signatures import signed_names, verdicts

PEM, PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
OPEN = serialization.NoEncryption()
KEYS: dict[str, KeyType] = {"r2024": "rsa", "e2024": "ed25519"}


def write(command: Command, keys: str, domain: str = "example.org") -> None:
    settings = f'[dkim]\ndomain = "{domain}"\nkeys = {{ {keys} }}\n'
    (command.folder / "newsletter.toml").write_text(settings)


@pytest.fixture
def keyed(people: Command) -> Command:
    """Return the command with two keys, as it says itself that they be set."""
    for selector, kind in KEYS.items():
        said = people("dkim", "new-key", selector, "--type", kind, env=SENDER).ok().out
        (people.folder / "newsletter.toml").write_text(said[said.index("[dkim]") : said.rindex("\n\n`")])
    return people


def records(command: Command) -> dict[str, str]:
    rows = command("dkim", "record", "--json", env=SENDER).ok().json
    assert [row["selector"] for row in rows] == list(KEYS)
    for row in rows:
        assert "".join(row["strings"]) == row["value"]
        assert max(map(len, row["strings"])) <= 255
    return {row["name"]: row["value"] for row in rows}


def test_letters_arrive_signed(keyed: Command) -> None:
    dns = records(keyed)
    with SmtpSink() as sink:
        env = smtp_settings(sink)
        run(keyed, "--from", SAMPLE, env=env)
        assert keyed("send", "2024-09-12", "--test", "me@example.org", env=env).code == 0
    assert len(sink.messages) == 4
    for mail in sink.messages:
        assert verdicts(mail.data, dns) == [True, True]
        assert all("list-unsubscribe-post" in names for names in signed_names(mail.data))
        assert parse(mail.data)["From"].addresses[0].domain == "example.org"
        assert verdicts(mail.data.replace(b"One-Click", b"No-Click"), dns) == [False, False]


def test_so_do_those_in_the_outbox(keyed: Command) -> None:
    run(keyed, "--from", SAMPLE, env=SENDER)
    dns = records(keyed)
    assert [verdicts(message, dns) for message in outbox(keyed.folder).values()] == [[True, True]] * 3


def test_without_the_table_nothing_is_signed(people: Command) -> None:
    run(people, "--from", SAMPLE)
    assert all(verdicts(message, {}) == [] for message in outbox(people.folder).values())
    assert_complains(people("dkim", "record"), "[dkim]: nothing is signed yet", "dkim.domain and dkim.keys")


def test_a_record_as_a_line_of_a_zone_file(keyed: Command) -> None:
    lines = keyed("dkim", "record", env=SENDER).ok().out.splitlines()
    found = [re.fullmatch(r'(\S+)\. IN TXT \( "(.*)" \)', line) for line in lines]
    assert {match[1]: match[2].replace('" "', "") for match in found if match} == records(keyed)


def test_a_key_is_its_owners_and_never_written_over(command: Command) -> None:
    command("dkim", "new-key", "s1").ok()
    file = command.folder / "dkim-s1.pem"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    before = file.read_bytes()
    assert_complains(command("dkim", "new-key", "s1"), "dkim-s1.pem: exists already", "--out")
    assert file.read_bytes() == before
    command("dkim", "new-key", "s1", "--out", "other.pem").ok()
    assert (command.folder / "other.pem").read_bytes() != before
    assert_complains(command("dkim", "new-key", "s1", "--out", "no/where.pem"), "cannot be written")
    assert_complains(command("dkim", "new-key", "a_b"), "dkim.keys: 'a_b' is no selector")
    assert_complains(command("dkim", "new-key", "../s1"), "is no selector")


def test_the_folder_of_a_key_is_that_of_the_settings(command: Command) -> None:
    (command.folder / "news").mkdir()
    (command.folder / "news" / "newsletter.toml").write_text("")
    command("--config", "news/newsletter.toml", "dkim", "new-key", "s1").ok()
    write(command, 's1 = "dkim-s1.pem"')
    (command.folder / "newsletter.toml").rename(command.folder / "news" / "newsletter.toml")
    shown = command("--config", "news/newsletter.toml", "dkim", "record", env=SENDER).ok().out
    assert shown.startswith("s1._domainkey.example.org. IN TXT")


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ('s1 = "absent.pem"', ["dkim.keys.s1, absent.pem", "cannot be read (No such file"]),
        ('s1 = "."', ["cannot be read (Is a directory)"]),
        ('s1 = "text.pem"', ["dkim.keys.s1, text.pem", "no private key in PEM", "new-key"]),
        ('s1 = "public.pem"', ["no private key in PEM"]),
        ('s1 = "locked.pem"', ["the key is encrypted"]),
        ('s1 = "small.pem"', ["RSA with 2048 to 4096 bits", "(1024 bits)"]),
        ('s1 = "curve.pem"', ["or Ed25519, and is not"]),
        ('s_1 = "good.pem"', ["dkim.keys: 's_1' is no selector"]),
        ('"a b" = "good.pem"', ["dkim.keys: 'a b' is no selector"]),
        ("s1 = 3", ["newsletter.toml, line", "dkim.keys.s1: 3 is of another kind"]),
        ("", ["dkim.keys: names no key"]),
    ],
    ids=str,
)
def test_keys_that_cannot_sign(command: Command, keys: str, words: list[str]) -> None:
    good = serialization.load_pem_private_key(make_key("ed25519"), None)
    files = {
        "good": make_key("ed25519"), "text": b"a text",
        "public": good.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo),
        "locked": good.private_bytes(PEM, PKCS8, serialization.BestAvailableEncryption(b"x")),
        "small": rsa.generate_private_key(65537, 1024).private_bytes(PEM, PKCS8, OPEN),
        "curve": ec.generate_private_key(ec.SECP256R1()).private_bytes(PEM, PKCS8, OPEN),
    }  # fmt: skip
    for name, content in files.items():
        (command.folder / f"{name}.pem").write_bytes(content)
    write(command, keys)
    assert_complains(command("run", "--from", SAMPLE, env=SENDER), *words)
    assert not (command.folder / "newsletter.db").exists()


@pytest.mark.parametrize(
    ("domain", "sender", "said"),
    [
        ("example.org", "news@example.com", "example.org does not align with example.com"),
        ("ple.org", "news@example.org", "does not align"),
        ("news.example.org", "news@letters.example.org", "does not align"),
        ("org", "news@example.org", "'org' is no domain to sign for"),
        ("exämple.org", "news@exämple.org", "write it as in example.com, a name that is not ASCII as xn--"),
        ("exa mple.org", "news@example.org", "is no domain to sign for"),
        ("", "news@example.org", "'' is no domain to sign for"),
        ("example.org", "", "sender.email, which is empty"),
        ("example.org", "news", "sender.email"),
    ],
)
def test_domains_that_receivers_would_not_take_for_the_senders(
    command: Command, domain: str, sender: str, said: str
) -> None:
    (command.folder / "s1.pem").write_bytes(make_key("ed25519"))
    write(command, 's1 = "s1.pem"', domain)
    result = command("run", "--from", SAMPLE, env={**SENDER, "NEWSLETTER_SENDER__EMAIL": sender})
    assert_complains(result, said)


@pytest.mark.parametrize(
    ("domain", "sender"),
    [("example.org", "a@news.example.org"), ("news.example.org", "a@EXAMPLE.org"), ("xn--exmple-cua.org", "a@exämple.org")],
)  # fmt: skip
def test_domains_above_and_below_align(command: Command, domain: str, sender: str) -> None:
    (command.folder / "s1.pem").write_bytes(make_key("ed25519"))
    write(command, 's1 = "s1.pem"', domain)
    shown = command("dkim", "record", env={"NEWSLETTER_SENDER__EMAIL": sender}).ok().out
    assert shown.startswith(f"s1._domainkey.{domain}. ")


def test_without_its_package_it_says_which(command: Command) -> None:
    script = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from newsletter.cli import main; main(['dkim', 'new-key', 's1'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=command.folder, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "pip install 'daily-papers-newsletter[dkim]'" in done.stderr
    assert not list(command.folder.iterdir())
