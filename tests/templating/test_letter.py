"""The letter in all its forms: golden files, hostile content, origins, languages, overrides."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from newsletter.errors import RenderError
from newsletter.models.issues import Occasion
from newsletter.models.papers import PaperKind, SummaryOrigin
from newsletter.templating.issue import Design, fill, issue_json, render
from newsletter.templating.text import one_line
from newsletter.templating.theme import Layout, theme_of
from tests.templating.samples import DESIGN, VALUES, Page, entry, html_of, issue_of, many, sample

GOLDEN = Path(__file__).resolve().parents[1] / "data" / "templating"
HOSTILE = (
    "<script>alert(1)</script> & <b>bold</b>",
    "{{ 7 * 7 }} {% if %} {# no #} {{ letter.name }}",
    "</mj-text></mj-column> <mj-include path='/etc/passwd'/> <mj-raw>",
    "A title\r\nBcc: victim@example.org",
    "\"Quotes\" and 'quotes' > attributes=\"x\" onclick='y'",
    "Bounds in $O(n^2)$ and $\\alpha < \\beta$",
    "נייר על \u202eמודלים\u202c: שלום",
    "A 🦙 with ‍ joiners 👩‍🔬 and ]]> --> <!-- ends",
    "x" * 250,
    "&lt;already&gt; &amp; escaped &#x41;",
)


def check(name: str, text: str) -> None:
    """Compare text with a golden file; ``UPDATE_GOLDEN=1`` writes it instead."""
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8"), f"{name} differs; UPDATE_GOLDEN=1 writes it anew"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_letter_is_the_golden_one(language: str) -> None:
    rendered = render(sample(language), DESIGN)
    check(f"letter.{language}.html", rendered.html)
    check(f"letter.{language}.txt", rendered.text)
    check(f"inbox-line.{language}.txt", f"{rendered.subject}\n{rendered.preheader}\n")


def test_the_archive_forms_are_the_golden_ones() -> None:
    check("issue.md", render(sample(), DESIGN).markdown)
    check("issue.json", json.dumps(issue_json(sample()), ensure_ascii=False, indent=2) + "\n")


def test_the_folded_letter_is_the_golden_one() -> None:
    check("letter.folded.html", html_of(many(14), Design(name="Daily Papers", full=3)))


def test_the_same_issue_gives_the_same_bytes() -> None:
    assert render(sample("ko"), DESIGN) == render(sample("ko"), DESIGN)


@pytest.mark.parametrize("title", HOSTILE)
@pytest.mark.parametrize("full", [0, 1])
def test_a_hostile_title_stays_text(title: str, full: int) -> None:
    first, second = entry(1, title, keywords=(title[:20],)), entry(2, title, organization=title)
    sections = {title[:40]: title}
    issue = issue_of(
        first, second, entry(3, "Third", sections=sections), entry(4, "Fourth", sections=sections)
    )
    plain, usual = Page(html_of(issue, Design(name="N", full=full))), " ".join(title.split())
    assert plain.text.count(usual) >= 2
    harmless = Page(html_of(issue_of(*[entry(n, "Title", organization="o") for n in (1, 2, 3, 4)])))
    assert {tag for tag, _ in plain.tags} <= {tag for tag, _ in harmless.tags}
    rendered = render(issue, DESIGN)
    assert usual in " ".join(rendered.text.split()) or len(title) > 72
    assert "\n" not in rendered.subject + rendered.preheader
    assert "\r" not in rendered.subject + rendered.text + rendered.html


@settings(max_examples=40)
@given(title=st.text(max_size=200), told=st.text(max_size=300), author=st.text(max_size=60))
def test_any_text_stays_text(title: str, told: str, author: str) -> None:
    issue = issue_of(entry(1, title, authors=(author,), sections={"": told}), entry(2, title))
    rendered = render(issue, DESIGN)
    filled = Page(fill(rendered.html, VALUES, html=True)).text
    for word in one_line(title).split()[:5]:
        assert word in filled
    for text in (rendered.html, rendered.text, rendered.markdown, rendered.subject, rendered.preheader):
        text.encode()
        assert not any(character < " " and character not in "\n\t" for character in text)


def test_content_cannot_hold_a_placeholder() -> None:
    forged = "\ue000address\ue001"
    issue = issue_of(
        entry(1, f"A {forged}", sections={forged: forged}, authors=(forged,), organization=forged)
    )
    rendered = render(issue, Design(name=forged, postal_address=forged))
    assert rendered.html.count("\ue000") == 2  # unsubscribe_url and address, both of the foot
    assert rendered.text.count("\ue000") == 2
    assert "\ue000" not in rendered.subject + rendered.preheader + rendered.markdown


def test_filling_escapes_values_for_html_alone() -> None:
    rendered = render(sample(), DESIGN)
    values = VALUES | {"address": '"<b>"@example.org'}
    html, text = fill(rendered.html, values, html=True), fill(rendered.text, values, html=False)
    assert "&lt;b&gt;" in html
    assert "<b>&quot;" not in html
    assert VALUES["unsubscribe_url"] in Page(html).links
    assert f"\n{VALUES['unsubscribe_url']}\n" in text
    assert '"<b>"@example.org' in text
    assert "\ue000" not in html + text


def test_a_placeholder_without_a_value_is_an_error() -> None:
    with pytest.raises(RenderError, match="no value for address"):
        fill(render(sample(), DESIGN).text, {"unsubscribe_url": "https://example.org/"}, html=False)


@pytest.mark.parametrize(
    "address",
    ["javascript:alert(1)", " java\nscript:alert(1)", "data:text/html,x", "/avatars/x.svg", "//example.org", "",
     "https://paypal.example@evil.example/", "http://[bad", "file:///etc/passwd", "https:///path"],
)  # fmt: skip
def test_only_web_addresses_become_links(address: str) -> None:
    issue = issue_of(entry(1, "Lead", url=address, image=address), entry(2, "Second", url=address))
    page = Page(html_of(issue))
    assert page.links == ["\ue000unsubscribe_url\ue001"]
    assert not [tag for tag, _ in page.tags if tag == "img"]
    assert "Lead" in page.text
    assert "Second" in page.text


def test_an_address_cannot_leave_its_attribute() -> None:
    url = 'https://example.org/a"><img src=x onerror=y>?q=1&r={{ 2 }}'
    page = Page(html_of(issue_of(entry(1, "Lead", url=url))))
    assert "https://example.org/a%22%3E%3Cimg%20src=x%20onerror=y%3E?q=1&r=%7B%7B%202%20%7D%7D" in page.links
    assert not [tag for tag, _ in page.tags if tag == "img"]


def test_attributes_keep_every_character() -> None:
    title = "Cafe\u0301 \\alpha 👩\u200d🔬\u00a0한글 \u202eabc\u202c"
    page = Page(html_of(issue_of(entry(1, title, image="https://example.org/e\u0301.png"))))
    picture = next(attributes for tag, attributes in page.tags if tag == "img")
    assert picture["alt"] == f"First page of {one_line(title)}"
    assert picture["src"] == "https://example.org/e\u0301.png"


def test_the_other_package_of_the_same_name_is_told_apart() -> None:
    script = "import sys, types; sys.modules['mjml'] = types.ModuleType('mjml'); import newsletter.templating.engine"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "hidden by the package `mjml`" in done.stderr


def test_where_a_summary_came_from_is_said_where_it_matters() -> None:
    told = {"What's New": "We hear an echo."}
    extract = entry(1, "T", sections=told, origin=SummaryOrigin.EXTRACT)
    digest = entry(2, "U", sections=told)
    alone = Page(html_of(issue_of(extract))).text
    mixed = Page(html_of(issue_of(extract, digest))).text
    given = Page(html_of(issue_of(digest))).text
    bare = Page(html_of(issue_of(entry(1, "T", sections=told, origin=SummaryOrigin.TITLE)))).text
    assert "Excerpts, in each paper’s own words" in alone
    assert "In the paper’s own words" not in alone, "said once"
    assert mixed.count("In the paper’s own words") == 1
    assert "Excerpts" not in mixed
    assert "own words" not in given + bare
    assert "echo" in given
    assert "echo" not in bare


def test_every_section_stands_in_html_text_and_markdown() -> None:
    issue = sample()
    rendered = render(issue, DESIGN)
    flat = {
        form: " ".join(text.split()) for form, text in (("text", rendered.text), ("md", rendered.markdown))
    }
    flat["html"] = Page(rendered.html).text
    for told in (section for item in issue.entries for section in item.summary.sections):
        assert [form for form, text in flat.items() if told.text not in text] == []


def test_text_is_marked_where_it_is_in_another_language() -> None:
    tags = Page(html_of(sample("en"))).tags
    assert [attributes["lang"] for tag, attributes in tags if tag == "p" and "lang" in attributes] == [
        "ko",
        "ko",
    ]
    korean = Page(html_of(sample("ko"))).tags
    assert ("html", "ko") in [(tag, attributes.get("lang")) for tag, attributes in korean]
    assert {attributes.get("lang") for tag, attributes in korean if tag == "h2"} >= {"en"}


def test_right_to_left_turns_the_letter_and_isolates_latin_titles() -> None:
    html = html_of(sample("ar"))
    tags = Page(html).tags
    assert ("html", "rtl") in [(tag, attributes.get("dir")) for tag, attributes in tags]
    assert [attributes.get("dir") for tag, attributes in tags if tag == "a"][1] == "ltr"
    assert "←" in html
    assert "padding-left:4px" in html


def test_many_authors_are_shortened_but_never_lost() -> None:
    names = tuple(f"Author{n} Name{n}" for n in range(664))
    issue = issue_of(entry(1, "Everybody: A Paper", authors=names))
    rendered = render(issue, DESIGN)
    short = "Author0 Name0, Author1 Name1, … Author663 Name663 and\u00a0661\u00a0more"
    assert short in rendered.html
    assert short.replace("\u00a0", " ") in " ".join(rendered.text.split())
    assert f"Authors: {', '.join(names)}\n" in rendered.markdown
    four = Page(html_of(issue_of(entry(1, "Four", authors=("A B", "C D", "E F", "G H"))))).text
    assert "A B, C D, E F, G H" in four


def test_votes_are_shown_where_there_are_any() -> None:
    without = render(issue_of(*(entry(n, f"T{n}", votes=None) for n in (1, 2, 3))), DESIGN)
    assert "▲" not in without.html
    assert "vote" not in without.text
    assert 'role="img"' not in without.html
    assert "Vote: -" in without.markdown
    zero = Page(html_of(issue_of(entry(1, "T", votes=0), entry(2, "U", votes=0)))).text
    assert "▲ 0" in zero


def test_an_issue_without_entries_is_still_a_letter() -> None:
    rendered = render(issue_of(), DESIGN)
    assert rendered.subject == "Daily Papers, 14 September 2024"
    assert "14 September" in Page(rendered.html).text


@pytest.mark.parametrize(
    ("occasion", "said"),
    [
        (Occasion.QUIET, "No papers today: nobody submitted any."),
        (Occasion.ROLL_UP, "A quiet day. These are the best papers of the last days"),
        (Occasion.PARTIAL, "The day was not complete when this letter was made."),
    ],
)
def test_a_letter_that_is_not_as_others_are_says_why(occasion: Occasion, said: str) -> None:
    told = [] if occasion is Occasion.QUIET else [replace(entry(1, "T"), carried_from=date(2024, 9, 11))]
    rendered = render(replace(issue_of(*told), occasion=occasion), DESIGN)
    assert said in Page(rendered.html).text
    assert said in " ".join(rendered.text.split())
    if not told:
        assert rendered.subject == "Daily Papers: no papers on 14 September 2024"
        assert rendered.preheader.startswith("No papers today")
        assert said in rendered.markdown


def test_a_carried_paper_says_from_when() -> None:
    issue = issue_of(
        entry(1, "Now", votes=9), replace(entry(2, "Then", votes=4), carried_from=date(2024, 9, 11))
    )
    rendered = render(replace(issue, collected=5, source_url="https://example.org/day"), DESIGN)
    page = Page(rendered.html).text
    assert "from 11 September" in page
    assert "from 11 September" in rendered.text
    assert "1 of 5 papers · 1 of earlier days · 13 votes" in page
    assert "The other 4 are on the web. See all 5 papers" in page


def test_folded_papers_say_from_when_too() -> None:
    day = many(14)
    old = tuple(replace(each, carried_from=date(2024, 9, 11)) for each in day.entries[1:])
    issue = replace(day, entries=(day.entries[0], *old), collected=1)
    for full in (0, 3):
        assert Page(html_of(issue, Design(name="N", full=full))).text.count("from 11 September") == 13
    korean = Page(html_of(replace(issue, language="ko"), Design(name="N", full=3))).text
    assert korean.count("9월 11일 논문") == 13


def test_a_roll_up_does_not_link_to_a_page_without_papers() -> None:
    told = {"What's New": "This stands for much. " * 2_500}
    old = (replace(entry(n, f"T{n}", sections=told), carried_from=date(2024, 9, 11)) for n in range(1, 6))
    day = issue_of(*old, source_url="https://example.org/day")
    roll_up = replace(day, collected=0, occasion=Occasion.ROLL_UP)
    page = Page(html_of(roll_up, Design(name="N", max_bytes=72_000)))
    assert "And 4 more, in the plain-text part" in page.text
    assert "https://example.org/day" not in page.links


@pytest.mark.parametrize(
    ("occasion", "said"),
    [
        (Occasion.QUIET, "오늘은 올라온 논문이 없습니다."),
        (Occasion.ROLL_UP, "논문이 올라오지 않은 날입니다."),
        (Occasion.PARTIAL, "그날의 목록은 아직 다 차지 않았습니다."),
    ],
)
def test_the_korean_letter_says_why_in_korean(occasion: Occasion, said: str) -> None:
    told = [] if occasion is Occasion.QUIET else [entry(1, "T")]
    rendered = render(replace(issue_of(*told, language="ko"), occasion=occasion), DESIGN)
    assert said in Page(rendered.html).text
    assert said in " ".join(rendered.text.split())
    if not told:
        assert rendered.subject == "Daily Papers: 2024년 9월 14일에는 논문이 없습니다"
        assert rendered.preheader.startswith("오늘은 올라온 논문이 없습니다.")


def test_subject_and_preheader_name_the_first_papers() -> None:
    long = "Name: " + "a long title of many words " * 9
    rendered = render(
        issue_of(entry(1, long), entry(2, "Beta: Two"), entry(3, "Gamma"), entry(4, "D")), DESIGN
    )
    assert len(rendered.subject) <= 70
    assert rendered.subject.startswith("Name: a long title")
    assert rendered.preheader == "Also: Beta, Gamma and 1 more."
    two = render(issue_of(entry(1, "One"), entry(2, "Beta: Two")), DESIGN)
    assert (two.subject, two.preheader) == ("One and Beta", "Also: Beta. Paper 1 says something new.")
    four = render(issue_of(entry(1, "One"), entry(2, "Beta: Two"), entry(3, "C"), entry(4, "D")), DESIGN)
    assert four.subject == "One, Beta and 2 more"


def test_a_long_subject_ends_where_a_phrase_does() -> None:
    title = (
        "PingPong: A Benchmark for Role-Playing Language Models with User Emulation and Multi-Model Judges"
    )
    subject = render(issue_of(entry(1, title)), DESIGN).subject
    assert subject == "PingPong: A Benchmark for Role-Playing Language Models"
    assert render(issue_of(entry(1, "W" * 5_000)), DESIGN).subject == "W" * 69 + "…"


def test_subject_and_preheader_follow_their_templates() -> None:
    issue = issue_of(entry(1, "Alpha: One"), entry(2, "Beta: Two"), entry(3, "C {title}"), entry(4, "D"))
    design = replace(
        DESIGN,
        subject="{newsletter} {date}: {name} ({votes})",
        preheader="{title} | {second} | {third} | {n}",
    )
    rendered = render(issue, design)
    assert rendered.subject == "Daily Papers 14 September: Alpha (230)"
    for count, subject in (
        (4, "T1, T2 and 2 others"), (3, "T1, T2 and 1 others"), (2, "T1 and T2"), (1, "T1"),
    ):  # fmt: skip
        few = issue_of(*(entry(rank, f"T{rank}") for rank in range(1, count + 1)))
        assert render(few, replace(DESIGN, subject="{name}, {second} and {n} others")).subject == subject
    assert rendered.preheader == "Alpha: One | Beta | C {title} | 1"
    quiet = render(replace(issue, entries=(), collected=0, occasion=Occasion.QUIET), design)
    assert quiet.subject == "Daily Papers: no papers on 14 September 2024"


def test_links_to_pages_that_do_not_exist_are_not_printed() -> None:
    links = Page(html_of(sample())).links
    allowed = (
        "https://arxiv.org/abs/",
        "https://arxiv.org/pdf/",
        "https://example.org/tidal/code",
        "https://example.org/day",
        "\ue000",
    )
    assert [link for link in links if not link.startswith(allowed)] == []


def test_an_entry_links_what_its_paper_has() -> None:
    told = entry(
        1, "Alpha: One", page_url="https://huggingface.co/papers/2409.00001", code_url="https://example.org/code",
        project_url="https://example.org/project", comments=2, discussion_url="https://huggingface.co/p#community",
    )  # fmt: skip
    quiet = entry(
        2, "Beta: Two", comments=1, discussion_url="https://huggingface.co/q#community", page_url="data:x"
    )
    rendered = render(issue_of(told, quiet), DESIGN)
    page = Page(rendered.html)
    for label, url in (
        ("PDF", "https://arxiv.org/pdf/2409.00001"), ("Hugging Face", "https://huggingface.co/papers/2409.00001"),
        ("Code", "https://example.org/code"), ("Project page", "https://example.org/project"),
        ("2 comments", "https://huggingface.co/p#community"),
    ):  # fmt: skip
        assert ("a", url, f"{label}, Alpha") in [
            (tag, attributes.get("href"), attributes.get("aria-label")) for tag, attributes in page.tags
        ]
        assert f"{label}: {url}\n" in rendered.text
    assert "community" not in " ".join(link for link in page.links if "/q" in link)
    assert "data:" not in rendered.html + rendered.text


def test_the_kind_of_a_paper_is_a_pill() -> None:
    first = entry(1, "Alpha: One")
    kind = replace(first, summary=replace(first.summary, kind=PaperKind.BENCHMARK))
    for language, word in (("en", "Benchmark"), ("de", "Benchmark"), ("ko", "벤치마크")):
        rendered = render(issue_of(kind, language=language), DESIGN)
        assert word in Page(rendered.html).text
        assert word in rendered.text
    assert "Benchmark" not in Page(html_of(issue_of(first))).text


def test_a_letter_without_pictures_has_none() -> None:
    theme = theme_of("", "", "", "https://example.org/logo.png")
    shown = html_of(sample(), replace(DESIGN, theme=theme))
    assert "logo.png" in shown
    assert "tidal.png" in shown
    bare = html_of(sample(), replace(DESIGN, theme=theme, pictures=False))
    assert "<img" not in bare
    assert "Daily Papers" in Page(bare).text


def test_a_brief_letter_is_a_list_of_titles() -> None:
    rendered = render(many(12), replace(DESIGN, layout=Layout.BRIEF))
    page = Page(rendered.html)
    assert page.text.count("Others Did Before") == 12
    assert "A gate decides" not in page.text
    assert rendered.text.count("A gate decides") == 12  # one sentence of each
    assert rendered.markdown.count("A gate decides") == 24


def test_sections_below_the_lead_keep_whole_sentences() -> None:
    sentence = "This one is here to be read by you. "
    papers = (entry(n, f"T{n}", sections={"What's New": sentence * 20}) for n in (1, 2))
    page = Page(html_of(issue_of(*papers))).text.partition("T1")[2]
    assert page.count(sentence.strip()) == 20 + 5
    assert "…" not in page


def test_a_particle_stays_with_its_bracket() -> None:
    html = html_of(
        issue_of(
            entry(1, "T", language="ko", sections={"": "주의(Attention)의 힘을 <b> 봅니다."}), language="ko"
        )
    )
    assert '(Attention<span class="n">)의</span> 힘을 &lt;b&gt;' in html


def test_one_file_replaces_one_partial(tmp_path: Path) -> None:
    folder = tmp_path / "email"
    folder.mkdir()
    (folder / "foot.mjml.j2").write_text(
        '<mj-section><mj-column><mj-text>Bye, {{ placeholder("address") }} '
        "<a href='{{ placeholder(\"unsubscribe_url\") }}'>leave</a></mj-text></mj-column></mj-section>"
    )
    page = Page(fill(html_of(sample(), Design(name="N", templates=tmp_path)), VALUES, html=True))
    assert "Bye, reader@example.org leave" in page.text
    assert "You get this letter" not in page.text
    assert "TidalCache" in page.text
    assert VALUES["unsubscribe_url"] in page.links


@pytest.mark.parametrize(
    ("source", "problem", "line"),
    [
        ("<mj-raw></mj-raw>\n{% if %}", "Expected an expression", 2),
        ("\n\n{{ nobody }}", "'nobody' is undefined", 3),
        ("\n{{ letter.colour }}", "has no attribute 'colour'", 2),
        ("{{ 1 / 0 }}", "division by zero", 1),
        ("\n{{ letter.name | safe }}", "No filter named 'safe'", 2),
        ("\n{{ letter.__class__.__mro__ }}", "is unsafe", 2),
        ('\n{% include "email/nothing.mjml.j2" %}', "no template email/nothing.mjml.j2", 2),
        ("\n<mj-section><mj-column><mj-blink>x</mj-blink></mj-column></mj-section>", "<mj-blink>", 2),
    ],
)
def test_a_bad_template_names_its_file_and_line(tmp_path: Path, source: str, problem: str, line: int) -> None:
    folder = tmp_path / "email"
    folder.mkdir()
    (folder / "rest.mjml.j2").write_text(source)
    with pytest.raises(RenderError) as caught:
        html_of(sample(), Design(name="N", templates=tmp_path))
    assert problem in caught.value.problem
    assert caught.value.subject == f"{folder / 'rest.mjml.j2'}, line {line}"


@pytest.mark.parametrize("source", ["<mj-section>", "<mj-text a=b>x</mj-text>", '<mj-include path="x"/>'])
def test_broken_mjml_is_one_clear_error(tmp_path: Path, source: str) -> None:
    folder = tmp_path / "email"
    folder.mkdir()
    (folder / "rest.mjml.j2").write_text(source)
    with pytest.raises(RenderError, match="MJML cannot be read"):
        html_of(sample(), Design(name="N", templates=tmp_path))


@pytest.mark.parametrize(
    ("language", "face", "office"),
    [("ja", "Hiragino Sans", "Yu Gothic"), ("zh-Hans", "PingFang SC", "Microsoft YaHei")],
)
def test_chinese_characters_have_the_forms_of_the_letters_language(
    language: str, face: str, office: str
) -> None:
    html = html_of(sample(language))
    assert face in html
    assert f"Segoe UI,{office}" in html
    assert "Malgun Gothic" not in html
    own = html_of(sample(language), replace(DESIGN, theme=theme_of("", "Inter, Noto Sans KR", "", "")))
    assert re.search(rf"font-family:Inter,[^;]*{face}[^;]*,sans-serif", own)
    assert "Malgun Gothic" in html_of(sample("ko"))


def test_quotes_in_running_text_of_overrides_change_no_attribute(tmp_path: Path) -> None:
    folder = tmp_path / "email"
    folder.mkdir()
    own = Path(__file__).resolve().parents[2] / "templates/email"
    for name in ("masthead", "foot"):
        text = (own / f"{name}.mjml.j2").read_text()
        (folder / f"{name}.mjml.j2").write_text(
            text.replace("<tr><td", '<tr><td>5" disk</td></tr><tr><td', 1)
        )
    lead = entry(1, "Cafe\u0301Net: A \\alpha", image="https://example.org/a.png")
    html = html_of(issue_of(lead, entry(2, "Two"), language="ko"), Design(name="N", templates=tmp_path))
    assert "u{301}" not in html
    assert '5" disk' in Page(html).text


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% autoescape false %}{{ letter.name }}{% endautoescape %}", "cannot be turned off"),
        ('{% include "email/letter.txt.j2" %}', "is plain text"),
    ],
)
def test_an_override_cannot_print_what_is_not_escaped(tmp_path: Path, template: str, said: str) -> None:
    folder = tmp_path / "email"
    folder.mkdir()
    (folder / "rest.mjml.j2").write_text(template)
    with pytest.raises(RenderError, match=said):
        html_of(sample(), Design(name="<script>", templates=tmp_path))


def test_an_override_may_print_a_list_and_an_editor_may_lock_it(tmp_path: Path) -> None:
    folder = tmp_path / "email"
    folder.mkdir()
    (folder / "rest.mjml.j2").write_text(
        "<mj-section><mj-column><mj-text>{{ [1, '<'] }}</mj-text></mj-column></mj-section>"
    )
    (folder / ".#foot.mjml.j2").symlink_to("nobody@nowhere")
    assert "[1, '<']" in Page(html_of(sample(), Design(name="N", templates=tmp_path))).text


def test_what_is_not_on_the_days_page_is_linked_by_its_number() -> None:
    day = many(140)
    old = tuple(replace(each, carried_from=date(2024, 9, 13)) for each in day.entries[20:])
    issue = replace(day, entries=(*day.entries[:20], *old), collected=20)
    page = Page(html_of(issue, Design(name="N")))
    rest = re.search(r"And (\d+) more, in the plain-text part of this letter\.((?: \d+)+)", page.text)
    assert rest is not None
    assert len(rest[2].split()) == int(rest[1]) > 0
    assert "on the web" not in page.text  # all of the day's own are shown
    assert len({link for link in page.links if "arxiv.org/abs" in link}) == 140


def test_the_weight_counts_what_readers_get() -> None:
    values = {"unsubscribe_url": "https://example.org/" + "x" * 280, "address": "a" * 250 + "@example.org"}
    for count in (90, 126, 300):
        html = html_of(many(count, source_url=None), Design(name="N", full=0, postal_address="P" * 76))
        assert len(fill(html, values, html=True).encode()) <= 95_000


def test_a_section_of_another_direction_keeps_its_label_apart() -> None:
    told = {"What's New": "4DAnyone addresses both."}
    html = html_of(issue_of(*(entry(n, f"T{n}", sections=told) for n in (1, 2)), language="ar"))
    assert '<b class="s" lang="ar" dir="rtl"' in html
