"""Faults that a text shows by itself: LaTeX or template text, a copied prompt, an end in the middle, a script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from itertools import islice

from newsletter.summaries.sentences import split

Span = tuple[int, int]

_LATEX = re.compile(
    r"""\\(?:[A-Za-z]+|[()\[\]{}$%&_^])                      # \mlee, \(, \%
      | \$(?=\S)(?!\d)[^$\s]{1,40}\$                          # $x$; not a price
      | \$(?!\d+(?:[\s,.;)]|$))[^$\n]{0,60}[\\^_{}][^$\n]{0,60}\$  # $10^5$; not $5 for a_b and $6
      | (?:emph|(?:text|math|bold)(?:bf|it|tt|sc|rm|sf|cal|bb|frak|symbol)?)\{  # its backslash lost
      | \b(?:cite[pt]?|eqref|ref|label|footnote)\{
      | [_^]\{ | [}\w]\^?\$: | \}\$
      | \{[^{},:;\s"']{1,40}\}                                # {x_n}; not {0, 1}
    """,
    re.VERBOSE,
)
_TEMPLATE = re.compile(
    r"""\{\{ | \}\} | \{% | %\} | <\|[a-z_]+\|> | ```
      | \[(?i:insert|your|title|abstract|paper|summary|placeholder|여기에|제목|초록)\b[^\]]{0,60}\]
      | </?(?:title|abstract|paper|source|summary|section|instructions?)>
      | \b(?:TODO|TBD|FIXME)\b | \blorem\ ipsum\b
    """,
    re.VERBOSE,
)
_MARKS_OF_TEMPLATES = ("{{", "}}", "{%", "%}", "<", "```", "[", "TODO", "TBD", "FIXME", "orem")
_OF_PROMPT = re.compile(
    r"""\bas\ an\ AI(?:\ language)?\ (?:model|assistant),
      | \bI\ (?:cannot|can't|can’t|am\ unable\ to|do\ not\ have|don't\ have)
        \ (?:summari|access|provide|see\ |read\ |view|find|any\ |enough)
      | \bhere(?:'s|’s|\ is)\ (?:a|the|your)\ (?:\w+\ )?(?:summary|translation)\b
      | \bplease\ (?:provide|share|paste)\ (?:the|your|me|a)\b
      | (?:^|[.!?]\ )(?:please\ )?(?:summari[sz]e|translate)\ the\ (?:following|text|abstract|paper)\b
      | (?:^|[.!?]\ )(?:please\ )?(?:summari[sz]e|describe|explain)\ the
        \ (?:\w+\ ){1,6}(?:paper|method|abstract|study)\b
      | \bno\ (?:abstract|text|paper)\ (?:was|is|has\ been)\ (?:provided|given)\b
      | (?:^|[.!?]\ )(?:please\ )?(?:write|answer|respond|reply)\ in
        \ (?:korean|english|japanese|chinese|german|french)\b
      | \b(?:\d|two|three)(?:\s?[-–]\s?\d|\ to\ \w+)?\ sentences\ (?:on|about|describing)\b
      | 죄송합니다
      | (?:초록|논문|본문|내용|텍스트)(?:이|가)?\ ?(?:제공되지\ 않|주어지지\ 않)[^.]{0,20}(?:요약|없|습니다)
      | (?:초록|논문|본문|내용|텍스트)(?:을|를)\ ?(?:제공|입력|공유)해\ ?(?:주세요|주시면|주십시오)
      | 요약해\ ?(?:주세요|주십시오|드리겠|드릴게)
      | AI\ ?언어\ ?모델로서 | \d~?\d?문장(?:으로|\ 이내로)\ (?:작성|요약)(?:해|하[세십])
      | (?:한국어|영어|일본어|중국어)로\ (?:작성|번역|답변)(?:해\ ?주세요|하세요|하십시오)
      | 申し訳(?:ありません|ございません) | 要約してください | 抱歉，我 | 请提供(?:论文|摘要|文本|内容)
      | 作为(?:一个)?(?:AI|人工智能)(?:语言)?(?:模型|助手)，
    """,
    re.VERBOSE | re.IGNORECASE,
)
_HINTS = (  # one of which stands in every match: looking for plain strings is fast
    "an ai", "i can", "i am unable", "i do", "here's", "here’s", "here is", "please", "summari", "translate",
    "describe the", "explain the",
    "no abstract", "no text", "no paper", "write in", "answer in", "respond in", "reply in", "sentences", "죄송", "않",
    "해 주", "해주", "요약", "언어모델로서", "언어 모델로서", "세요", "하십시오", "申し訳", "要約", "抱歉",
    "请提供", "作为",
)  # fmt: skip
_ASCII_HINTS = tuple(hint for hint in _HINTS if hint.isascii())
_NOTHING = re.compile(
    r"(?:none|null|n/?a|nan|undefined|not (?:available|provided|stated|specified)|[-–—.…*\s]*"
    r"|없음|해당 ?(?:사항 ?)?없음|なし|該当なし|无|暂无)[.。]?",
    re.IGNORECASE,
)
_ENDS = frozenset(".!?。！？．؟…”’\"'」』)]）】›»*`|")
_CLOSING = "”’\"'」』)]）】›»*`"
_DOTS = ("...", "…", "..")
_OPEN_AT_END = re.compile(
    r"""(?:[,，、;:(\[（「『–—-]|\b(?:the|a|an|of|and|or|to|in|on|with|for|by|from|that|which|is|are|as|at|than|its|their|our|we)
      |(?:\s|[가-힣])(?:및|또는|그리고|하여|하고|하며|이며|에서|에게|으로서|를|을))$""",
    re.IGNORECASE | re.VERBOSE,
)
_ADDRESS_AT_END = re.compile(r"(?:https?://|www\.)\S+$|\b[\w-]+\.(?:com|org|io|ai|dev|net|edu)(?:/\S*)?$")
_LONG_ENOUGH = 60  # characters: a heading-like phrase without a full stop is shorter
_LONGEST_ADDRESS = 200
_FRAGMENT = re.compile(r"[^.!?。]{1,40}:\s[^.!?。]{1,60}(?:\d[%\w.]*|\Z)")  # "Accuracy on LogBench: +4.2%"
_BULLETS = ("- ", "* ", "• ", "+ ")
_PATH_OR_PATTERN = re.compile(r"[(\[\"'`“‘]*(?:[A-Za-z]:\\|\\\\\w+\\|\S*\\[dwsDWS][+*\]\\]|\S*\$\{[A-Z_]+\})")
_MOST_FAULTS = 20  # of a kind that are told of one section


def latex_or_template(text: str) -> Iterator[Span]:
    """Yield where LaTeX or a template's own text was left."""
    if "{" in text or "\\" in text or "$" in text:
        found = (match.span() for match in _LATEX.finditer(text) if not _is_path(text, match.start()))
        yield from islice(found, _MOST_FAULTS)
    if any(map(text.__contains__, _MARKS_OF_TEMPLATES)):
        yield from (match.span() for match in _TEMPLATE.finditer(text))


def _is_path(text: str, place: int) -> bool:
    """Tell whether a place is within a Windows path, a regular expression or a shell variable."""
    start = max(text.rfind(" ", 0, place), text.rfind("\n", 0, place)) + 1
    return _PATH_OR_PATTERN.match(text, start, start + _LONGEST_ADDRESS) is not None


def may_be_of_prompt(text: str) -> bool:
    """Tell whether `of_prompt` can find anything: a fast look."""
    lower = text.lower()
    hints = _ASCII_HINTS if text.isascii() else _HINTS
    return any(map(lower.__contains__, hints))


def of_prompt(text: str) -> Iterator[Span]:
    """Yield where a text repeats an instruction, or answers one, instead of summarising."""
    for match in _OF_PROMPT.finditer(text):
        yield match.span()


def says_nothing(text: str) -> bool:
    """Tell whether a section is empty, or only says that it is."""
    return _NOTHING.fullmatch(text.strip()) is not None


def cut_at(text: str, *, others_end: bool) -> Span | None:
    """Return the last words of a section that was cut in the middle, None if it ends as a text does.

    ``others_end`` is whether other sections of the entry end with a full stop: then this one should.
    """
    text = text.rstrip()
    bare = text.rstrip(_CLOSING)
    if bare.endswith(_DOTS) and not bare.endswith("etc..."):
        return _last_words(text)
    if ends_as_text(text):
        return None
    if _OPEN_AT_END.search(text):
        return _last_words(text)
    if text.lstrip().startswith(_BULLETS) or _FRAGMENT.match(text):
        return None
    return _last_words(text) if others_end or len(split(text)) > 1 else None


def lacks_end(text: str, *, others_end: bool) -> bool:
    """Tell whether a text may have been cut: it has no full stop, and others have or it is long for a heading."""
    return (others_end or len(text) >= _LONG_ENOUGH) and not ends_as_text(text)


def ends_as_text(text: str) -> bool:
    """Tell whether a text ends as texts do: with a full stop, another mark that ends one, a sign or an address."""
    text = text.rstrip()
    last = text[-1:]
    if last in _ENDS or _ADDRESS_AT_END.search(text[-_LONGEST_ADDRESS:]):
        return True
    return bool(last) and not last.isalnum() and unicodedata.category(last)[0] == "S"


def _last_words(text: str) -> Span:
    start = text.rfind(" ", 0, max(0, len(text) - 20)) + 1
    return start, len(text)
