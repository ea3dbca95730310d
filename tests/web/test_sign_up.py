"""The sign-up form: who gets through, who does not, and that nobody can tell."""

from __future__ import annotations

import re
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest

from newsletter.app import now
from newsletter.languages import shipped
from newsletter.web.forms import Browser, FormKeys
from newsletter.web.sign_up import ANSWER_SECONDS, PURPOSE, WORDS
from tests.support.serving import SETTINGS, Answer, Served, serving
from tests.support.torture import length

SENT = "Look in your inbox"
COOKIE = "AAAAAAAAAAAAAAAAAAAAAA"
OLD = timedelta(seconds=5)
TERMS = (
    "You get a mail with a link first, and letters only once you confirm. Each letter has a link to leave. "
    "Your address is used for nothing else."
)


def token(served: Served, age: timedelta = OLD, *, purpose: str = PURPOSE, cookie: str = COOKIE) -> str:
    """Return a form's token as the server makes it, of a form that was shown some time ago."""
    with served.app() as app:
        keys = FormKeys(app.keys.forms())
    return keys.sign(purpose, Browser(cookie=cookie, site=""), now=now() - age)


def sign_up(served: Served, email: str, *, form: str, network: str = "192.0.2.1", **more: str) -> Answer:
    """Send the form with a token."""
    return served.post(
        "/subscribe?lang=en", {"email": email, "token": form, **more}, cookie=f"newsletter_form={COOKIE}",
        x_forwarded_for=network,
    )  # fmt: skip


def at_once(ask: Callable[[int], Answer], times: int) -> list[Answer]:
    """Send some requests at once, because each answer takes its time."""
    with ThreadPoolExecutor(times) as threads:
        return list(threads.map(ask, range(times)))


def written(served: Served, address: str) -> int:
    return sum(found == address for found, _ in served.asked())


def test_a_sign_up_is_written_down_and_the_mail_leaves(served: Served) -> None:
    page = served.get("/", accept_language="en")
    time.sleep(2.1)
    answer = served.post(
        "/subscribe?lang=en", {"email": "Ada@Example.org", "token": page.token}, cookie=page.cookie
    )
    assert (answer.status, answer.heading) == (200, SENT)
    ((_, form),) = [row for row in served.asked() if row[0] == "Ada@example.org"]
    assert {name: form[name] for name in ("edition", "language", "source", "text_version", "network")} == {
        "edition": "daily", "language": "en", "source": "form", "text_version": f"{WORDS}/en", "network": None,
    }  # fmt: skip
    box = served.folder / "outbox" / "new"
    end = time.monotonic() + 10
    while time.monotonic() < end and not (box.exists() and any(box.iterdir())):
        time.sleep(0.05)
    mail = next(box.iterdir()).read_text()
    assert "Ada@example.org" in mail
    assert f"{served.address}/c/" in mail.replace("=\n", "")


def test_the_answer_is_the_same_for_everybody(served: Served) -> None:
    served.subscriber("known@example.org")
    served.subscriber("asked@example.org", confirmed=False)
    with served.app() as app, app.databases.open().write() as connection:
        app.people.suppressions().suppress(
            connection, "barred@example.org", reason="asked for it", actor="test", now=now()
        )
    good = token(served)
    answers = {
        "known": sign_up(served, "known@example.org", form=good),
        "pending": sign_up(served, "asked@example.org", form=good),
        "unknown": sign_up(served, "nobody@example.org", form=good),
        "barred": sign_up(served, "barred@example.org", form=good),
        "trapped": sign_up(served, "bot@example.org", form=good, subject="cheap pills"),
        "fast": sign_up(served, "bot@example.org", form=token(served, timedelta(0))),
        "stale": sign_up(served, "bot@example.org", form=token(served, timedelta(days=2))),
        "future": sign_up(served, "bot@example.org", form=token(served, -timedelta(hours=1))),
        "forged": sign_up(served, "bot@example.org", form=good[:-2] + "AA"),
        "of another form": sign_up(served, "bot@example.org", form=token(served, purpose="c x")),
        "nonsense": sign_up(served, "bot@example.org", form="\u00e9\n\x00"),
    }
    bodies = {name: (answer.status, answer.body) for name, answer in answers.items()}
    assert len(set(bodies.values())) == 1, bodies
    drop = ("date",)
    heads = [
        {name: value for name, value in each.headers.items() if name not in drop} for each in answers.values()
    ]
    assert all(head == heads[0] for head in heads)
    assert "set-cookie" not in heads[0]
    assert written(served, "bot@example.org") == 0
    assert all(written(served, f"{name}@example.org") == 1 for name in ("known", "asked", "nobody", "barred"))


def test_the_time_is_the_same_for_everybody(served: Served) -> None:
    served.subscriber("timed@example.org")
    good = token(served)
    kinds: dict[str, Callable[[int], Answer]] = {
        "known": lambda _n: sign_up(served, "timed@example.org", form=good, network="198.51.100.1"),
        "unknown": lambda n: sign_up(served, f"timed{n}@example.org", form=good, network="203.0.113.1"),
        "trapped": lambda n: sign_up(served, f"trap{n}@example.org", form=good, subject="x"),
    }
    times: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(length(7, 40)):
        for name, send in kinds.items():
            began = time.perf_counter()
            assert send(number).heading == SENT
            times[name].append(time.perf_counter() - began)
    medians = {name: statistics.median(taken) for name, taken in times.items()}
    assert all(taken >= ANSWER_SECONDS for taken in medians.values())
    assert max(medians.values()) - min(medians.values()) < 0.05, medians


def test_a_network_and_everybody_together_have_bounds(tmp_path: Path) -> None:
    settings = SETTINGS.replace("100000", "12") + "signups_per_network = 5\n"
    with serving(tmp_path, settings=settings) as served:
        good = token(served)
        ones = at_once(
            lambda number: sign_up(served, f"one{number}@example.org", form=good, network="192.0.2.9"), 8
        )
        many = at_once(
            lambda number: sign_up(
                served, f"many{number}@example.org", form=good, network=f"10.0.{number}.1"
            ),
            12,
        )
        assert len({answer.body for answer in ones + many}) == 1
        found = [address for address, _ in served.asked()]
        assert sum(address.startswith("one") for address in found) == 5
        assert len(found) == 12


def test_bombing_one_address_brings_a_few_mails(served: Served) -> None:
    good = token(served)
    at_once(lambda number: sign_up(served, "victim@example.org", form=good, network=f"172.16.{number}.1"), 15)
    time.sleep(1)
    end = time.monotonic() + 15
    while time.monotonic() < end:
        with served.app() as app, app.databases.open().read() as connection:
            waiting = connection.exec_driver_sql(
                "SELECT count(*) FROM notice WHERE address = 'victim@example.org' AND state < 2"
            ).scalar()
        if not waiting:
            break
        time.sleep(0.2)
    mails = [file.read_text() for file in (served.folder / "outbox" / "new").iterdir()]
    assert 1 <= sum("victim@example.org" in mail for mail in mails) <= 3


@pytest.mark.parametrize(
    "typed",
    ["a@b", "", "nobody", "a b@example.org", "<script>alert(1)</script>@example.org", 'x"onfocus=alert(1)@e',
     "a@example.org\r\nBcc: b@example.org", "a" * 300 + "@example.org"],
)  # fmt: skip
def test_what_is_no_address_is_told_and_kept(served: Served, typed: str) -> None:
    answer = sign_up(served, typed, form=token(served))
    assert answer.status == 422
    assert "This is not a complete e-mail address" in answer.body
    assert 'aria-invalid="true"' in answer.body
    assert 'aria-describedby="fault terms"' in answer.body
    assert "<script" not in answer.body
    assert "bcc" not in answer.headers
    kept = re.search(r'type="email" name="email" value="([^"]*)"', answer.body)
    assert kept is not None
    assert kept[1][:20] == typed[:20].replace("<", "&lt;").replace(">", "&gt;").replace('"', "&#34;")[:20]
    again = sign_up(served, f"mended{abs(hash(typed))}@example.org", form=answer.token)
    assert again.heading == SENT, "who mends a slip may send at once"
    assert written(served, f"mended{abs(hash(typed))}@example.org") == 1


def test_a_form_from_elsewhere_is_shown_once_more(served: Served) -> None:
    embed = served.get("/embed?lang=en")
    assert f"action=&#34;{served.address}/subscribe?lang=en&#34;" in embed.body
    strange = served.post(
        "/subscribe?lang=ko",
        {"email": "far@example.org"},
        sec_fetch_site="cross-site",
        origin="https://x.org",
    )
    assert 'value="far@example.org"' in strange.body
    assert 'lang="ko"' in strange.body
    assert written(served, "far@example.org") == 0
    done = served.post(
        "/subscribe?lang=ko", {"email": "far@example.org", "token": strange.token}, cookie=strange.cookie
    )
    assert "받은편지함" in done.heading
    assert written(served, "far@example.org") == 1


def test_another_sites_form_with_our_token_writes_nothing(served: Served) -> None:
    good = token(served)
    for headers in ({"sec_fetch_site": "cross-site", "cookie": f"newsletter_form={COOKIE}"}, {}):
        answer = served.post("/subscribe", {"email": "csrf@example.org", "token": good}, **headers)
        assert 'name="token"' in answer.body
    assert written(served, "csrf@example.org") == 0
    sign_up(served, "csrf@example.org", form=good)
    assert written(served, "csrf@example.org") == 1


def test_without_cookies_the_browsers_word_counts(served: Served) -> None:
    page = served.get("/")
    time.sleep(2.1)
    fields = {"email": "plain@example.org", "token": page.token}
    assert served.post("/subscribe?lang=en", fields, sec_fetch_site="same-origin").heading == SENT
    assert written(served, "plain@example.org") == 1


def test_the_language_is_asked_for_or_the_browsers(served: Served) -> None:
    for language in shipped():
        page = served.get("/", accept_language=f"xx, {language};q=0.8, en;q=0.1")
        assert f'<html lang="{language}"' in page.body
        assert f'dir="{"rtl" if language == "ar" else "ltr"}"' in page.body
        assert f'<html lang="{language}"' in served.get(f"/?lang={language}", accept_language="de").body
    for strange in ("tlh", "", "zh-TW", "../en", "q=;;,", "en;q=nan", "é"):
        assert '<html lang="en"' in served.get("/", accept_language=strange).body


def test_editions_are_chosen_and_the_letter_has_their_language(tmp_path: Path) -> None:
    settings = SETTINGS + '[editions.daily]\nlanguage = "en"\n[editions.hangul]\nlanguage = "ko-KR"\n'
    with serving(tmp_path, settings=settings) as served:
        page = served.get("/?lang=ko")
        assert re.search(r'value="hangul" checked><span dir="auto">한국어', page.body)
        sign_up(served, "a@example.org", form=token(served), edition="hangul")
        sign_up(served, "b@example.org", form=token(served), edition="no such")
        found = {address: (form["edition"], form["language"]) for address, form in served.asked()}
        assert found == {"a@example.org": ("hangul", "ko"), "b@example.org": ("daily", "en")}


def test_roles_and_throw_away_mail_are_a_setting(tmp_path: Path) -> None:
    settings = SETTINGS + 'role_addresses = "refuse"\ndisposable = "refuse"\nkeep_network = true\n'
    with serving(tmp_path, settings=settings) as served:
        good = token(served)
        assert "belongs to a role" in sign_up(served, "Info+x@example.org", form=good).body
        assert "throw-away" in sign_up(served, "a@mail.mailinator.com", form=good).body
        assert sign_up(served, "infos@notmailinator.com", form=good, network="192.0.2.77").heading == SENT
        ((_, form),) = served.asked()
        assert form["network"] == "192.0.2.0/24"


def test_the_words_beside_the_form_have_a_number() -> None:
    """A consent names the words that stood there: who changes them gives them another number."""
    template = (Path(__file__).resolve().parents[2] / "templates/web/sign-up.html.j2").read_text()
    assert (WORDS, re.findall(r'id="terms">\{\{ words\.say\("(.*?)"\)', template)) == (
        1,
        [TERMS],
    )  # fmt: skip
