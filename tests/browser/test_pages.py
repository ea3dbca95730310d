"""Sign-up, confirmation, unsubscribe and undo in Chromium, as a reader on a phone does them, in English and Korean."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from email import message_from_bytes, policy
from typing import Any

import pytest

from subscribers.models import SubscriptionState
from tests.gallery.test_axe import violations
from tests.support.serving import SETTINGS, Served, serving
from tests.support.torture import TORTURE
from tools import nodejs
from tools.chromium import Scheme

pytestmark = pytest.mark.browser
ACTIVE, LEFT = SubscriptionState.ACTIVE, SubscriptionState.UNSUBSCRIBED
EDITIONS = '[editions.daily]\nlanguage = "en"\n[editions.hangul]\nlanguage = "ko"\n[editions.arabic]\nlanguage = "ar"\n'
SEEN = {
    "en": [
        "The day’s papers in your inbox", "Look in your inbox", "Confirm that you want Daily Papers", "You are subscribed",
        "Unsubscribe from Daily Papers?", "You are unsubscribed", "You are subscribed again",
    ],
    "ko": [
        "오늘의 논문을 메일로 받아 보세요", "받은편지함을 확인해 주세요", "Daily Papers 구독을 확인해 주세요",
        "구독이 시작되었습니다", "Daily Papers 구독을 취소하시겠어요?", "구독이 취소되었습니다", "다시 구독하고 계십니다",
    ],
}  # fmt: skip
SMALL = """() => [...document.querySelectorAll('a, button, input:not([type=hidden]), label:has(input)')]
    .filter(found => found.offsetParent && !found.closest('label:has(input)') | found.matches('label'))
    .map(found => [found.outerHTML.slice(0, 60), found.getBoundingClientRect().height])
    .filter(([, height]) => height < 44)"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Return a server with three editions."""
    with serving(tmp_path_factory.mktemp("pages"), settings=SETTINGS + EDITIONS) as opened:
        yield opened


@pytest.fixture(scope="module")
def node() -> None:
    """Ask for Node's tools, axe among them; without them the test is skipped."""
    if lack := nodejs.missing():
        pytest.skip(lack)


class Reader:
    """Somebody with a phone; complaints of the browser are kept."""

    def __init__(
        self,
        browser: Any,
        *,
        width: int = 375,
        scheme: Scheme = Scheme.LIGHT,
        script: bool = False,
        locale: str = "en",
    ) -> None:
        self.context = browser.new_context(
            viewport={"width": width, "height": 760}, color_scheme=scheme.value, java_script_enabled=script, locale=locale
        )  # fmt: skip
        self.page = self.context.new_page()
        self.complaints: list[str] = []
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type == "error" else None
        )
        self.asked: list[str] = []
        self.page.on("request", lambda request: self.asked.append(request.url))

    @property
    def heading(self) -> str:
        """The page's heading, on one line."""
        return " ".join(self.page.locator("h1").inner_text().split())

    def press(self, *, form: str = "form") -> None:
        """Press the button of a form."""
        self.page.locator(f"{form} button").click()


@pytest.fixture
def reader(browser: Any) -> Iterator[Reader]:
    opened = Reader(browser)
    yield opened
    opened.context.close()


def mailed(served: Served, address: str, pattern: str) -> str:
    """Return what matches in the newest mail to an address, as soon as there is one."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        box = served.folder / "outbox" / "new"
        files = sorted(box.iterdir(), key=lambda file: file.stat().st_mtime_ns) if box.exists() else []
        for file in reversed(files):
            mail = message_from_bytes(file.read_bytes(), policy=policy.default)
            part = mail.get_body(("plain",))
            if (
                mail["To"] == address
                and part is not None
                and (found := re.search(pattern, part.get_content()))
            ):
                return found[0]
        time.sleep(0.05)
    raise AssertionError(f"no mail to {address} in 10 s")


@pytest.mark.parametrize("language", ["en", "ko"])
def test_from_the_form_to_the_letter_and_back(served: Served, reader: Reader, language: str) -> None:
    seen, page, address = SEEN[language], reader.page, f"phone-{language}@example.org"
    page.goto(f"{served.address}/?lang={language}")
    assert reader.heading == seen[0]
    time.sleep(2.1)
    page.locator("#email").fill(address)
    page.keyboard.press("Enter")
    page.wait_for_selector(".waits")
    assert reader.heading == seen[1]
    page.goto(mailed(served, address, r"http://\S+/c/\S+"))
    assert reader.heading == seen[2]
    reader.press()
    assert reader.heading == seen[3]
    assert served.state(address) is ACTIVE
    page.goto(mailed(served, address, r"http://\S+/u/\S+"))
    assert reader.heading == seen[4]
    reader.press()
    assert reader.heading == seen[5]
    assert served.state(address) is LEFT
    page.get_by_role("radio").first.check()
    page.locator("#words").fill("…")
    reader.press(form="form:has([value=reason])")
    reader.press(form="form:has([value=undo])")
    assert reader.heading == seen[6]
    assert served.state(address) is ACTIVE
    assert reader.complaints == []
    assert all(url.startswith(served.address) for url in reader.asked)


def test_a_slip_is_told_where_it_is_and_kept(served: Served, reader: Reader) -> None:
    page = reader.page
    page.goto(f"{served.address}/?lang=en")
    page.locator("#email").fill("ada@example")
    reader.press()
    field = page.locator("#email")
    assert field.input_value() == "ada@example"
    assert page.locator(":focus").get_attribute("id") == "email"
    assert page.locator("#fault").inner_text().startswith("This is not a complete e-mail address.")
    assert page.get_by_label("E-mail address").get_attribute("autocomplete") == "email"
    field.fill("ada@example.org")
    reader.press()
    page.wait_for_selector(".waits")


def test_a_form_on_another_page_leads_through_ours(served: Served, reader: Reader) -> None:
    page = reader.page
    page.goto(f"{served.address}/embed?lang=en")
    lines = page.locator("code").inner_text()
    page.goto("about:blank")
    page.set_content(lines)
    page.get_by_label("E-mail address").fill("embedded@example.org")
    page.get_by_role("button").click()
    assert page.locator("#email").input_value() == "embedded@example.org"
    assert page.locator(".note").is_visible()
    reader.press()
    page.wait_for_selector(".waits")
    assert mailed(served, "embedded@example.org", r"/c/\S+")


@pytest.mark.usefixtures("node")
@pytest.mark.parametrize(
    ("language", "scheme"),
    [(language, scheme) for language in ("en", "ko", "ar") for scheme in Scheme]
    if TORTURE
    else [("en", Scheme.LIGHT), ("ko", Scheme.DARK)],
)
def test_nothing_serious_on_any_page(served: Served, browser: Any, language: str, scheme: Scheme) -> None:
    """axe, targets of 44 pixels, nothing wider than the page: on each page, light and dark."""
    edition = {"en": "daily", "ko": "hangul", "ar": "arabic"}[language]
    confirm, _ = served.subscriber(
        f"a-{language}-{scheme.value}@example.org", edition=edition, confirmed=False
    )
    _, leave = served.subscriber(f"b-{language}-{scheme.value}@example.org", edition=edition)
    reader = Reader(browser, scheme=scheme, script=True, locale=language)
    page = reader.page
    # The policy lets no script in, so axe looks at a copy of each page.
    copy = browser.new_page(viewport={"width": 375, "height": 760}, color_scheme=scheme.value)
    found: list[str] = []

    def look(name: str) -> None:
        copy.set_content(page.content())
        found.extend(f"{name}: {each}" for each in violations(copy))
        for width in (320, 375, 900):
            page.set_viewport_size({"width": width, "height": 760})
            wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
            found.extend([f"{name}: {wide} px too wide at {width}"] if wide > 0 else [])
        found.extend(f"{name}: small {each}" for each in page.evaluate(SMALL))
        if page.evaluate("document.documentElement.lang") != language:
            found.append(f"{name}: not in {language}")

    page.goto(f"{served.address}/?lang={language}")
    look("form")
    page.locator("#email").fill("a@b")
    reader.press()
    look("slip")
    page.goto(confirm_url := served.address + confirm)
    look("confirm")
    reader.press()
    look("confirmed")
    page.goto(served.address + leave)
    look("leave")
    reader.press()
    look("left")
    reader.press(form="form:has([value=reason])")
    look("thanks")
    reader.press(form="form:has([value=undo])")
    look("back")
    for name, path in (
        ("broken", f"{confirm_url}x"),
        ("missing", f"{served.address}/no"),
        ("embed", f"{served.address}/embed"),
    ):
        page.goto(path)
        look(name)
    copy.close()
    reader.context.close()
    assert found == []


def test_the_accent_and_the_fonts_are_the_themes(browser: Any, tmp_path: Any) -> None:
    settings = SETTINGS + '[theme]\nname = "Lab <b>Notes</b>"\naccent = "#0B5FFF"\nfont = "Inter, Arial"\n'
    with serving(tmp_path, settings=settings) as served:
        reader = Reader(browser, script=True)
        reader.page.goto(served.address)
        mark = reader.page.locator(".mark span")
        assert mark.inner_text() == "Lab <b>Notes</b>"
        assert mark.evaluate("found => getComputedStyle(found).backgroundColor") == "rgb(11, 95, 255)"
        assert mark.evaluate("found => getComputedStyle(found).color") == "rgb(255, 255, 255)"
        assert reader.page.evaluate("getComputedStyle(document.body).fontFamily").startswith("Inter, Arial")
        reader.context.close()
