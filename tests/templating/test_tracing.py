"""Where a fault in MJML stands: what MJML cannot read has a place, and what has none can be read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mjml import mjml2html

from newsletter.errors import RenderError
from newsletter.templating.engine import LETTER
from newsletter.templating.i18n import words
from newsletter.templating.tags import first_fault
from newsletter.templating.tracing import located

AROUND = (
    "<mjml><mj-body><mj-section><mj-column><mj-text>{}</mj-text></mj-column></mj-section></mj-body></mjml>"
)
PIECES = [
    "<p>", "</p>", "<b>", "</b>", "<br>", "<br/>", '<a href="x">', "</a>", "<i a='b'>", "</i>", "<img src=x>", "<p/>",
    "a", " ", "\n", "<", ">", "&", "&amp;", '"', "'", "--", "<!--", "-->", "<!-- c -->", "]]>", "<![CDATA[x]]>", "<?x?>",
    "<p hidden>", "< p>", "<P>", "</P>", '<p a="1"b="2">', "\0", "</mj-text>", "<mj-text>", "<hr>", "</ p>", "<p a = 'b'>",
]  # fmt: skip


@given(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join)
    | st.text(alphabet="<>/ab=\"'!-& \n[]?", max_size=30)
)
@example("<!-->")
@example("<!--->")
@example("<b></b >")
@example("<?x?>\0")
def test_what_has_no_fault_is_read_by_mjml(body: str) -> None:
    text = AROUND.format(body)
    fault = first_fault(text)
    if fault is None:
        mjml2html(text, fonts={})
    else:
        assert 0 <= fault.at < len(text)
        assert fault.what.isprintable()


@pytest.mark.parametrize(("source", "line"), [("\n<mj-section>", 2), ("<mj-raw>\n\n<a b=c></a></mj-raw>", 3)])
def test_an_error_of_mjml_gets_a_place(tmp_path: Path, source: str, line: int) -> None:
    (tmp_path / "email").mkdir()
    file = tmp_path / LETTER
    file.write_text(f"<mjml><mj-body>{source}</mj-body></mjml>", encoding="utf-8")
    error = RenderError("MJML cannot be read: somewhere", subject=LETTER, remedy="look for it")
    found = located(error, tmp_path, {"words": words("en")})
    assert found.subject == f"{file}, line {line}"
    assert found.remedy == "look for it"
    file.write_text("<mjml><mj-body></mj-body></mjml>", encoding="utf-8")
    assert located(error, tmp_path, {}) is error
    file.write_text("{{ nobody }}", encoding="utf-8")
    assert located(error, tmp_path, {}) is error
