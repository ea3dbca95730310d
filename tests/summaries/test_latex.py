"""LaTeX to text: a table of what abstracts hold, and what must hold for any text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.summaries.latex import to_text

TABLE = {
    "plain text stays": "plain text stays",
    "two\n  lines become\tone": "two lines become one",
    r"$\alpha$-weighted loss": "α-weighted loss",
    r"cost of $O(n^{2})$ and $\mathcal{O}(n \log n)$": "cost of O(n²) and O(n log n)",
    r"$x_{12}$, $x_{max}$ and snake_case": "x₁₂, x_max and snake_case",
    r"$\frac{1}{2}$ of $\frac{a+b}{c}$, $\sqrt{2}$": "1/2 of (a+b)/c, √2",
    r"\frac12 and 10^5--10^{6}": "1/2 and 10⁵–10⁶",
    r"\emph{all} \textbf{of \textit{it}} {\em here}": "all of it here",
    r"a gain of 5\% \& more \#1 \_x": "a gain of 5% & more #1 _x",
    "a bare 5% stays": "a bare 5% stays",
    "``quoted'' -- and --- so": "“quoted” – and — so",
    r"Pok\'emon, na\"{\i}ve, Erd\H{o}s": "Pokémon, naïve, Erdős",
    r"Fran\c{c}ois, \v{S}koda, \L{}\'od\'z": "François, Škoda, Łódź",
    r"an object\'s pose": "an object's pose",
    r"we call it \ours, and \ours{} wins": "we call it, and wins",
    r"as shown \cite{one,two} in Fig.~\ref{fig:a}": "as shown in Fig.",
    "models~(LLMs) with ~5% more": "models (LLMs) with ~5% more",
    r"\href{https://example.org/~a_b}{our page}": "our page",
    "https://example.org/~user/a_b--c^2 stays": "https://example.org/~user/a_b--c^2 stays",
    "https://example.org/x{https://example.org/x}": "https://example.org/x",
    "costs $5 and $10, or $5-$10": "costs $5 and $10, or $5-$10",
    r"only \$400 for $n$ runs": "only $400 for n runs",
    r"$\sim$1.05$\times$ faster": "~1.05× faster",
    "texttt{D}ual-texttt{H}ead, 1.20times, {sim}3": "Dual-Head, 1.20×, ~3",
    "pi_{0.5} over 360{\\deg}": "pi_0.5 over 360°",
    r"the norm \( L_{2} \) and \[ x \]": "the norm L₂ and x",
    r"\eg cats, \ie felines, by Ng \etal": "e.g. cats, i.e. felines, by Ng et al.",
    r"left \\ right\,side": "left right side",
    "연구는 $\\beta$ 값을 쓴다.": "연구는 β 값을 쓴다.",
    "": "",
}


@pytest.mark.parametrize("source", TABLE)
def test_table(source: str) -> None:
    assert to_text(source) == TABLE[source]


PIECES = r"\ { } $ ^ _ ~ % & ' ` - -- '' `` \\ \' \" \frac \sqrt \cite \emph{ \alpha \ours x 12 times sim"
LATEX = st.lists(st.sampled_from(PIECES.split(" ")) | st.text(max_size=5), max_size=40).map("".join)


@given(LATEX | st.text())
def test_it_never_raises_and_gives_one_tidy_line(source: str) -> None:
    text = to_text(source)
    assert text == " ".join(text.split())


@given(st.text(alphabet="abc ABC 0123 .,;:!?()éñ한국"))
def test_text_without_latex_is_only_tidied(source: str) -> None:
    assert to_text(source) == " ".join(source.split())


@pytest.mark.parametrize(
    "piece",
    ["{", "}", "{x", "$", "$ \\a", "\\frac", "\\'{", "\\cite{", "^{", "http://", "``", "-", "textbf{"],
)
@pytest.mark.timeout(20)  # a hang fails
def test_hostile_text_takes_no_more_than_its_length(piece: str) -> None:
    to_text(piece * (200_000 // len(piece)))


def test_a_macro_that_was_a_word_leaves_a_hole_where_one_is_asked_for() -> None:
    text = r"We call it \ours, and \ours{} wins by \textbf{far} \xspace in \mathcal{O}(n)."
    assert to_text(text, hole="#") == "We call it #, and # wins by far in O(n)."
    assert to_text(text) == "We call it, and wins by far in O(n)."
