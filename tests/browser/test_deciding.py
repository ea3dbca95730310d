"""A draft is approved and held in Chromium, as an operator does it on a phone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.test_pages import SMALL, Reader
from tests.cli.command import SAMPLE
from tests.gallery.test_axe import violations
from tests.support.drafts import newsletter
from tests.support.serving import Served
from tests.web.test_deciding import link, sent, state
from tools import nodejs
from tools.chromium import Scheme

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(
    ("button", "heading", "after", "letters"),
    [("Approve and send", "Approved", "finished", 1), ("Hold it back", "Held", "held", 0)],
)
def test_a_draft_is_decided_on_a_phone(
    browser: Any, office: Served, button: str, heading: str, after: str, letters: int
) -> None:
    reader = Reader(browser)
    reader.page.goto(office.address + link(office))
    assert reader.heading == "Send this issue?"
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 375
    reader.page.get_by_role("button", name=button).click()
    assert reader.heading == heading
    assert reader.complaints == []
    reader.context.close()
    newsletter(office.folder, "run", "--if-due", "--from", str(SAMPLE))
    assert (state(office), sent(office)) == (after, letters)


@pytest.mark.parametrize("scheme", list(Scheme))
def test_everybody_can_use_the_page(browser: Any, office: Served, scheme: Scheme) -> None:
    if lack := nodejs.missing():
        pytest.skip(lack)
    reader = Reader(browser, width=320, scheme=scheme, script=True)
    reader.page.goto(office.address + link(office))
    copy = browser.new_page(viewport={"width": 320, "height": 760}, color_scheme=scheme.value)
    copy.set_content(
        reader.page.content()
    )  # the policy lets no script in, so axe looks at a copy of the page
    assert violations(copy) == []
    copy.close()
    assert reader.page.evaluate(SMALL) == []
    assert reader.page.evaluate("document.documentElement.scrollWidth") <= 320
    reader.context.close()
