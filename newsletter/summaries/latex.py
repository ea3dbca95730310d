r"""LaTeX to plain text, as far as abstracts use it: without dependencies, in one pass.

Much of what is met is half LaTeX: the daily papers API strips dollars and, inside formulas, backslashes, and
leaves ``texttt{D}ual``, ``1.20times`` and ``{sim}5`` behind. These are taken care of too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

_Change = Callable[[str], str]


def _pairs(text: str) -> dict[str, str]:
    words = text.split()
    return dict(zip(words[::2], words[1::2], strict=True))


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SYMBOLS = _pairs(r"""
    alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ
    lambda λ mu μ nu ν xi ξ pi π rho ρ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω
    Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω ell ℓ hbar ℏ
    times × cdot · cdots ⋯ ldots … dots … pm ± mp ∓ div ÷ ast ∗ star ⋆ circ ∘ bullet • deg ° degree ° prime ′
    le ≤ leq ≤ leqslant ≤ ge ≥ geq ≥ geqslant ≥ ll ≪ gg ≫ ne ≠ neq ≠ simeq ≃ approx ≈ equiv ≡ propto ∝
    to → rightarrow → leftarrow ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ mapsto ↦ uparrow ↑ downarrow ↓
    in ∈ notin ∉ subset ⊂ subseteq ⊆ cup ∪ cap ∩ emptyset ∅ forall ∀ exists ∃ neg ¬ land ∧ lor ∨
    sum ∑ prod ∏ int ∫ nabla ∇ partial ∂ infty ∞ oplus ⊕ otimes ⊗ odot ⊙ langle ⟨ rangle ⟩ perp ⊥ top ⊤
    lVert ‖ rVert ‖ Vert ‖ vert | mid | checkmark ✓ dagger † S § P ¶ copyright © pounds £ euro €
    textregistered ® textendash – textemdash — textasciitilde ~
    ss ß ae æ AE Æ oe œ OE Œ o ø O Ø aa å AA Å l ł L Ł i ı j ȷ
    log log exp exp min min max max arg arg sin sin cos cos tanh tanh lim lim det det Pr Pr
    LaTeX LaTeX TeX TeX eg e.g. ie i.e. wrt w.r.t. aka a.k.a. vs vs. percent % sim ~
    -- – --- — `` “ '' ” times × {sim} ~ | ‖
""") | {"etal": "et al.", **dict.fromkeys(["\\", ",", ";", ":", " ", "quad", "qquad", "newline"], " ")}
_SYMBOLS |= dict.fromkeys(["(", ")", "[", "]", "!", "/", "-", "left", "right"], "")
_ACCENTS = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", "=": "\u0304", "u": "\u0306", ".": "\u0307",
    '"': "\u0308", "r": "\u030a", "H": "\u030b", "v": "\u030c", "d": "\u0323", "c": "\u0327", "k": "\u0328",
    "hat": "\u0302", "tilde": "\u0303", "bar": "\u0304", "dot": "\u0307", "vec": "\u20d7",
}  # fmt: skip
_RAISED = dict(zip("0123456789+-=()nik", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵏ", strict=True))
_LOWERED = dict(zip("0123456789+-=()ijnk", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ᵢⱼₙₖ", strict=True))
_WITHOUT_TEXT = _words(  # macros whose first argument is no text
    "cite citep citet citealp label ref eqref cref Cref autoref footnote color textcolor begin end vspace "
    "hspace href input includegraphics"
)

_SILENT = _words(  # macros that say nothing
    "xspace noindent par small large Large huge tiny footnotesize normalsize bf it em rm sf tt sc bfseries itshape "
    "centering displaystyle textstyle limits nolimits protect relax hfill vfill smallskip medskip bigskip item newpage "
    "operatorname mathrm mathbf mathit mathcal mathbb mathsf boldsymbol text textbf textit emph texttt"
)

_SPECIAL = re.compile(r"[\\${}~^_`]|''|--|\dtimes\b|\bsim\d")
_DOLLARS = re.compile(r"(?<!\\)\$+")
_OF_FORMULA = re.compile(r"\\[A-Za-z]|[{^_]")
_LONGEST_FORMULA = 400
_ADDRESS_TWICE = re.compile(r"(https?://[^\s{}]{1,300})\{https?://[^\s{}]{1,300}\}")
_APOSTROPHE = re.compile(r"(?<=[A-Za-z])\\'(?=(?:s|t|re|ve|ll)\b)")  # object\'s: escaped, no accent
_BACKSLASH_LOST = re.compile(
    r"(?<![A-Za-z\\])(?=(?:emph|(?:text|math|bold)(?:bf|it|tt|sc|rm|sf|cal|bb|frak|symbol)?)\{)"
)
_TOKEN = re.compile(
    r"https?://[^\s\\{}$]+|\\[A-Za-z]+\*?|\\.|\{sim\}|[{}~]|[$_^](?=[{\\])|\^[-+]?\d+|``|''|-{2,}"
    r"|(?<=\d)times\b|\bsim(?=\d)",
    re.DOTALL,
)
_SPACE_LEFT = re.compile(r" ([,;:.!?)\]])(?= |$)")  # where a macro before a mark was dropped
_DEEPEST = 32  # groups nested deeper only lose their braces; bounds the work on hostile text


def to_text(source: str, hole: str = "") -> str:
    """Return the text with LaTeX turned into Unicode, and runs of white space into single spaces.

    Unknown macros are dropped, their arguments stay; ``hole`` stands where one was a word of its own, as in
    "we introduce \\ours, a method". Never raises; takes time in proportion to the length.
    """
    source = " ".join(source.split())
    if not _SPECIAL.search(source):
        return source
    source = _ADDRESS_TWICE.sub(r"\1", _APOSTROPHE.sub("'", source))
    source = _BACKSLASH_LOST.sub(r"\\", _without_dollars(source))
    return _SPACE_LEFT.sub(r"\1", " ".join(_Reader(source, hole).read().split()))


def _without_dollars(source: str) -> str:
    """Drop the dollars around formulas and keep those of prices: $5 and $10."""
    first, *parts = _DOLLARS.split(source)
    kept = [first]
    at = 0
    while at < len(parts):
        if at + 1 < len(parts) and _is_formula(parts[at], parts[at + 1]):
            kept += parts[at : at + 2]
            at += 2
        else:
            kept.append(f"${parts[at]}")
            at += 1
    return "".join(kept)


def _is_formula(text: str, after: str) -> bool:
    if not text or len(text) > _LONGEST_FORMULA:
        return False
    return bool(_OF_FORMULA.search(text)) or (text == text.strip() and not after[:1].isdigit())


class _Reader:
    """Reads once from left to right; holds the pieces of every open group and what its end changes."""

    def __init__(self, source: str, hole: str) -> None:
        self._source = source
        self._hole = hole
        self._groups: list[tuple[list[str], _Change]] = [([], _same)]
        self._pending: _Change | None = None  # what a macro does to the character or group after it
        self._too_deep = 0

    def read(self) -> str:
        at = 0
        for match in _TOKEN.finditer(self._source):
            self._add(self._source[at : match.start()])
            self._read_token(match.group(), match.start(), match.end())
            at = match.end()
        self._add(self._source[at:])
        while len(self._groups) > 1:
            self._close()
        return "".join(self._groups[0][0])

    def _read_token(self, mark: str, start: int, end: int) -> None:
        if mark == "{":
            self._open()
        elif mark == "}":
            self._close()
        elif mark == "~":
            tied = start > 0 and self._source[start - 1] not in " ([{"
            self._add(" " if tied else "~")  # "Fig.~2" is tied, "~5%" means about
        elif mark in ("^", "_"):
            self._pending = _raised if mark == "^" else _lowered
        elif mark.startswith("^"):
            self._add(_raised(mark[1:]))
        elif mark.startswith("\\"):
            argument_follows = self._source.startswith("{", end) and not self._source.startswith("{}", end)
            self._macro(mark[1:].rstrip("*") or "*", argument_follows=argument_follows)
        else:
            self._add(_SYMBOLS.get(mark, mark))

    def _macro(self, name: str, *, argument_follows: bool) -> None:
        if name in _ACCENTS:
            self._pending = lambda text: _accented(text, name)
        elif name in _SYMBOLS:
            self._add(_SYMBOLS[name])
        elif name in ("frac", "dfrac", "tfrac"):
            self._pending = self._numerator
        elif name == "sqrt":
            self._pending = lambda text: f"√{_grouped(text)}"
        elif name in _WITHOUT_TEXT and argument_follows:
            self._pending = lambda _: ""
        elif not name.isalpha():
            self._add(name)  # an escaped character stands for itself
        elif self._hole and not argument_follows and name not in _SILENT:
            self._add(self._hole)

    def _add(self, text: str) -> None:
        while self._pending and text.strip():
            text = text.lstrip()
            change, self._pending = self._pending, None
            self._groups[-1][0].append(change(text[0]))
            text = text[1:]
        self._groups[-1][0].append(text)

    def _open(self) -> None:
        if len(self._groups) > _DEEPEST:
            self._too_deep += 1
        else:
            self._groups.append(([], self._pending or _same))
            self._pending = None

    def _close(self) -> None:
        if self._too_deep:
            self._too_deep -= 1
        elif len(self._groups) > 1:
            pieces, change = self._groups.pop()
            self._pending = None
            self._groups[-1][0].append(change("".join(pieces)))

    def _numerator(self, text: str) -> str:
        self._pending = lambda below: f"/{_grouped(below)}"
        return _grouped(text)


def _same(text: str) -> str:
    return text


def _grouped(text: str) -> str:
    return text if text.replace(".", "").isalnum() else f"({text})"


def _accented(text: str, accent: str) -> str:
    letter = {"ı": "i", "ȷ": "j"}.get(text[:1], text[:1])
    if not letter.isalpha():
        return (accent if not accent.isalpha() else "") + text
    return unicodedata.normalize("NFC", letter + _ACCENTS[accent]) + text[1:]


def _raised(text: str) -> str:
    return "".join(map(_RAISED.__getitem__, text)) if set(text) <= _RAISED.keys() else f"^{text}"


def _lowered(text: str) -> str:
    return "".join(map(_LOWERED.__getitem__, text)) if set(text) <= _LOWERED.keys() else f"_{text}"
