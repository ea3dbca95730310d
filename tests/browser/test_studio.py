"""The preview studio in Chromium: what each button does to the letter, and that nothing gets out of its frame."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.cli.command import entry, papers_file
from tests.support.studio import RunningStudio, studio

pytestmark = pytest.mark.browser
PAPER, DARK_PAPER = "rgb(245, 244, 241)", "rgb(18, 18, 17)"
TITLE = 'Evil: </script><img src=x onerror="document.title=1"><b>bold</b> {{ 1 }}'
PICTURES_OF_THE_DAY = {"https://cdn-thumbnails.huggingface.co/social-thumbnails/papers/2409.06820.png"}
MINE = "mine/email/foot.mjml.j2"
EVIL = (
    "<mj-raw><script>document.title = 'ran'</script><img src='https://pictures.example.org/x.png' alt='A picture' "
    "onerror=\"document.title = 'ran'\"/><iframe src='https://frames.example.org/'></iframe>"
    "<form action='https://forms.example.org/'><button id='sent'>Send</button></form></mj-raw>"
)


class Looked:
    """A page of the studio, with what it complained of and what it asked of other machines."""

    def __init__(
        self, browser: Any, running: RunningStudio, *, width: int = 1280, scheme: str = "light"
    ) -> None:
        self.running = running
        self.page = browser.new_page(viewport={"width": width, "height": 860}, color_scheme=scheme)
        self.complaints: list[str] = []
        self.asked: list[str] = []
        self.page.on(
            "console", lambda said: self.complaints.append(said.text) if said.type == "error" else None
        )
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.route(re.compile(r"^https?://(?!127\.0\.0\.1)"), self._stop)

    def _stop(self, route: Any) -> None:
        """Note a request that would leave this machine (one that a policy forbids never comes so far)."""
        self.asked.append(route.request.url)
        route.abort()

    def open(self, state: str = "") -> None:
        """Open the page and wait for the letter."""
        self.page.goto(self.running.address + state)
        self.page.wait_for_selector("body[data-phase=shown]")
        if "view" not in state:
            self.settle()

    def settle(self) -> None:
        """Wait until no frame is on its way."""
        self.page.wait_for_function(
            "() => document.querySelectorAll('iframe').length === 1 && !document.querySelector('iframe.next')"
        )

    def has_no_complaint(self) -> None:
        """Check that nothing is wrong but pictures that are blocked, or that no network brings."""
        assert [said for said in self.complaints if "img-src" not in said and "ERR_FAILED" not in said] == []

    def press(self, name: str) -> None:
        """Press a button by its words."""
        self.page.get_by_role("button", name=name, exact=True).click()
        if self.page.locator("#glass").is_visible():
            self.settle()

    def pressed(self) -> list[str]:
        """Return the buttons that are pressed."""
        return [found.inner_text() for found in self.page.locator("[aria-pressed=true]").all()]

    @property
    def letter(self) -> Any:
        """The frame of the letter."""
        return self.page.query_selector("iframe:not(.next)").content_frame()

    def paper(self) -> str:
        """Return the letter's background inside its frame."""
        return str(self.letter.evaluate("getComputedStyle(document.querySelector('.pg')).backgroundColor"))

    def lead_width(self) -> int:
        """Return how wide the letter's window is."""
        return int(self.letter.evaluate("document.documentElement.clientWidth"))


@contextmanager
def begun(folder: Path) -> Iterator[RunningStudio]:
    (folder / "newsletter.toml").write_text(
        '[theme]\ntemplates = "mine"\n[editions.daily]\nimages = "none"\n'
    )
    (folder / "mine").mkdir()
    with studio(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningStudio]:
    """Return a studio in whose folder nothing changes."""
    with begun(tmp_path_factory.mktemp("studio")) as opened:
        yield opened


@pytest.fixture
def looked(browser: Any, running: RunningStudio) -> Iterator[Looked]:
    looked = Looked(browser, running)
    yield looked
    looked.page.close()


@pytest.fixture
def edited(browser: Any, tmp_path: Path) -> Iterator[Looked]:
    """Return a page of a studio whose templates may be changed."""
    with begun(tmp_path) as opened:
        edited = Looked(browser, opened)
        yield edited
        edited.page.close()


def test_each_button_and_key_does_what_it_says(looked: Looked) -> None:
    looked.open()
    assert looked.pressed() == ["Letter", "Pictures", "Desktop", "Light"]
    assert (looked.lead_width(), looked.paper()) == (700, PAPER)
    looked.press("Phone")
    assert looked.lead_width() == 375
    looked.press("Dark")
    assert looked.paper() == DARK_PAPER
    assert looked.letter.evaluate("getComputedStyle(document.documentElement).colorScheme") == "dark"
    assert (
        looked.letter.evaluate("getComputedStyle(document.querySelector('h1')).color") == "rgb(241, 240, 236)"
    )
    looked.press("Inverted")
    assert looked.paper() == PAPER
    assert "invert" in looked.letter.evaluate("getComputedStyle(document.documentElement).filter")
    looked.press("Light")
    assert looked.letter.evaluate("getComputedStyle(document.documentElement).filter") == "none"
    looked.press("Text")
    looked.page.wait_for_function(
        "() => document.querySelector('#plain').innerText.includes('arxiv.org/abs/2409.06820')"
    )
    assert looked.page.get_by_role("button", name="Pictures").is_disabled()
    looked.press("Markdown")
    looked.page.wait_for_function("() => document.querySelector('#plain').textContent.startsWith('#')")
    for key, pressed in [("t", "Text"), ("t", "Letter"), ("1", "Phone"), ("2", "Desktop"), ("d", "Dark"), ("d", "Light"),
                         ("v", "Inverted"), ("m", "Markdown")]:  # fmt: skip
        looked.page.keyboard.press(key)
        assert pressed in looked.pressed(), key
    looked.page.keyboard.press("m")
    looked.page.keyboard.press("i")
    assert "Pictures" not in looked.pressed()
    looked.has_no_complaint()
    assert set(looked.asked) <= PICTURES_OF_THE_DAY


def test_no_picture_is_asked_for_when_they_are_off(browser: Any, tmp_path: Path) -> None:
    with studio(tmp_path) as running:
        looked = Looked(browser, running)
        looked.open("#pictures=off")
        assert looked.asked == []
        looked.press("Pictures")
        looked.page.wait_for_function(
            "() => document.querySelector('[data-name=pictures]').ariaPressed === 'true'"
        )
        looked.page.wait_for_timeout(300)
        assert looked.asked, "the lead of the bundled day has a picture"
        looked.page.close()


def test_what_is_chosen_outlives_a_reload(looked: Looked) -> None:
    looked.open()
    looked.press("Phone")
    looked.press("Dark")
    looked.press("Pictures")
    before = looked.pressed()
    looked.page.reload()
    looked.page.wait_for_selector("body[data-phase=shown]")
    looked.settle()
    assert looked.pressed() == before == ["Letter", "Phone", "Dark"]
    assert looked.paper() == DARK_PAPER
    looked.open("#scheme=purple&width=phone&view=%3Cscript%3E")
    assert "Phone" in looked.pressed()


def test_dark_is_the_letters_own_whatever_the_machine_likes(browser: Any, running: RunningStudio) -> None:
    for scheme in ("light", "dark"):
        looked = Looked(browser, running, scheme=scheme)
        looked.open("#scheme=light")
        assert looked.paper() == PAPER
        looked.press("Dark")
        assert looked.paper() == DARK_PAPER
        looked.page.close()


def test_it_follows_edits_and_shows_faults_in_the_letters_place(edited: Looked) -> None:
    edited.open()
    edited.running.write(
        MINE, "<mj-section><mj-column><mj-text>Edited<br/></mj-text></mj-column></mj-section>"
    )
    edited.page.frame_locator("iframe:not(.next)").get_by_text("Edited").wait_for(timeout=15_000)
    edited.running.write(MINE, "{% if <b>x</b> %}")
    edited.page.get_by_text("foot.mjml.j2, line 1").wait_for(timeout=15_000)
    assert not edited.page.locator("#screen").is_visible()
    assert edited.page.locator("#fault-line b").count() == 0
    edited.running.write(MINE, "<mj-section><mj-column><mj-text>Mended</mj-text></mj-column></mj-section>")
    edited.page.frame_locator("iframe:not(.next)").get_by_text("Mended").wait_for(timeout=15_000)
    assert not edited.page.locator("#fault").is_visible()
    edited.has_no_complaint()


def test_nothing_of_a_letter_runs_or_gets_out(edited: Looked) -> None:
    edited.running.write(MINE, EVIL)
    edited.running.when("pictures.example.org")
    edited.open("#pictures=off")
    assert edited.letter.evaluate("document.querySelectorAll('script').length") == 1
    edited.page.frame_locator("iframe").locator("#sent").click()
    edited.page.wait_for_timeout(300)
    assert edited.letter.evaluate("document.title") != "ran"
    assert edited.letter.evaluate("window.origin") == "null"
    assert edited.asked == []
    assert edited.page.evaluate("document.querySelector('iframe').contentDocument") is None
    assert (
        edited.page.locator("iframe").get_attribute("sandbox")
        == "allow-popups allow-popups-to-escape-sandbox"
    )


def test_a_link_opens_a_tab_of_its_own(looked: Looked) -> None:
    looked.open()
    with looked.page.expect_popup() as opened:
        looked.letter.locator("a[href*='arxiv.org/abs']").first.click()
    assert opened.value.evaluate("window.opener") is None
    assert looked.lead_width() == 700


def test_words_of_a_paper_stay_words(browser: Any, tmp_path: Path) -> None:
    papers = papers_file(tmp_path / "p.json", [entry("2601.00001", TITLE)])
    with studio(tmp_path, "--from", papers) as running:
        looked = Looked(browser, running)
        looked.open()
        subject = looked.page.locator("#inbox .subject")
        assert "</script><img src=x" in subject.inner_text()
        assert looked.page.locator("#inbox img, #inbox b, aside li b").count() == 0
        assert looked.page.title().startswith("Evil: </script>")
        looked.has_no_complaint()
        looked.page.close()


@pytest.mark.parametrize("width", [320, 375, 800, 1280, 1600])
def test_the_page_itself_fits_every_width(browser: Any, running: RunningStudio, width: int) -> None:
    looked = Looked(browser, running, width=width)
    for state in ("#width=phone", "#width=desktop", "#width=desktop&view=text"):
        looked.open(state)
        assert looked.page.evaluate("document.documentElement.scrollWidth - window.innerWidth") <= 0
        if "view" not in state:
            assert looked.lead_width() == (375 if "phone" in state else 700), (
                "it is drawn smaller, not narrower"
            )
        looked.page.goto("about:blank")
    looked.page.close()
