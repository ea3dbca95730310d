"""Cut a text into its sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Abbreviations after which a sentence never ends, and those after which it ends where an opener follows.
_NEVER_LAST = _words(
    "e.g i.e eg ie cf vs w.r.t a.k.a viz approx resp ca prof "
    "fig figs eq eqs eqn ref refs thm def lem prop alg vol"
)
_TITLES = _words("Dr Mr Mrs Ms St Gen Col Rep Jan Feb Aug Sept Oct Nov Dec")  # written just so
_SELDOM_LAST = _words("al etc avg inc ltd corp co jr sr u.s u.k e.u u.s.a ph.d m.sc b.sc a.m p.m est")
_LAST_WITHOUT_NUMBER = _words("no nos sec secs tab app ch chap art")  # No. 3, but: the answer is no.
_OPENERS = _words(
    "a all also although an and as at because besides beyond both building but by code compared despite "
    "each every experiments extensive finally first for from furthermore given here how however if in "
    "instead is it its many moreover most our over project recent results second several since some such "
    "that the their then there these they this those through thus to today under unlike using we what "
    "when where while with yet"
)
_BOUNDARY = re.compile(
    r"""(?<![.!?…])(?P<stop>[.!?…]++)(?P<close>["'”’»)\]]*+)(?=\s)   # a stop before a space
      | (?<![。！？．])[。！？．]++(?![」』][とっ、])[」』”’）"']*+    # CJK stops need no space
      | (?<=[다요음함됨])\.(?=[^\W\d_])                   # Korean endings before a forgotten space
      | (?<=[a-z]{3})\.(?=[A-Z][A-Za-z]*\s)               # "pattern.ECHO demonstrates"
      | (?<=[a-z]['’"”)])\.(?=[A-Z][A-Za-z]*\s)           # "step'.This approach"
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"\S+")
_LONGEST_TOKEN = 80  # how far back a word before a stop is looked for; bounds the work on endless tokens
_DIGITS_OF_ITEM = 2  # "1." and "12." at the head of a list's item; "2023." is a year


def split(text: str) -> list[str]:
    """Return the sentences of a text, each as it stands there but for runs of white space, which become one.

    Every sentence is a part of ``" ".join(text.split())``, in order, and nothing but spaces lies between.
    """
    text = " ".join(text.split())
    sentences: list[str] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        if _ends_sentence(text, start, match):
            sentences.append(text[start : match.end()].strip())
            start = match.end()
    if rest := text[start:].strip():
        sentences.append(rest)
    return sentences


def placed(text: str) -> list[tuple[int, str]]:
    """Return the sentences of a text, each with the place in it where it begins; runs of white space are one space."""
    flat = " ".join(text.split())
    places: Sequence[int] = range(len(text))
    if flat != text:
        words = [match.span() for match in _WORD.finditer(text)]
        places = [place for start, end in words for place in (*range(start, end), end)]
    found: list[tuple[int, str]] = []
    at = 0
    for sentence in split(text):
        at = flat.index(sentence, at)
        found.append((places[at], sentence))
        at += len(sentence)
    return found


def _ends_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    token = _token_before(text, start, match.start())
    following = text[match.end() : match.end() + _LONGEST_TOKEN].split(None, 1)
    after = following[0] if following else ""
    if match["stop"] is None:
        return "/" not in token and "://" not in token  # torch/nn.Module and addresses stay whole
    if "." not in match["stop"] or len(match["stop"]) > 1:
        return not after[:1].islower()  # Yahoo! search; and so on ... and so forth
    if match["close"] and after[:1].islower():
        return False
    before = match.start() - len(token) - 1  # the space before the token
    numbers_item = before < start or text[before - 1] in ":;,"
    if numbers_item and token.isdigit() and len(token) <= _DIGITS_OF_ITEM:
        return False
    return _period_ends(token.lstrip("([\"'“‘«"), after)


def _period_ends(token: str, after: str) -> bool:
    """Tell whether the period after ``token`` and before ``after`` ends a sentence."""
    word = token.lower()
    if not word or word in _NEVER_LAST or token in _TITLES:
        return False
    if word in _LAST_WITHOUT_NUMBER:
        return not (after[:1].isdigit() or after[:1] == "(")
    if (
        word in _SELDOM_LAST
        or (len(token) == 1 and token.isupper())
        or re.fullmatch(r"(?:[A-Z]\.)+[A-Z]", token)
    ):
        return after[:1].isupper() and after.lower().strip(",:;.") in _OPENERS
    return True


def _token_before(text: str, start: int, end: int) -> str:
    begin = max(start, end - _LONGEST_TOKEN)
    space = text.rfind(" ", begin, end)
    return text[space + 1 if space >= 0 else begin : end]
