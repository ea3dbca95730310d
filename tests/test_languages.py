"""Which language serves a tag, and which one is offered first where none does."""

from __future__ import annotations

import pytest

from newsletter.languages import nearest_first, shipped, shipped_as


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("en", "en"),
        ("en-GB", "en"),
        ("KO", "ko"),
        ("ko-KR", "ko"),
        ("de-AT", "de"),
        ("fr-CA", "fr"),
        ("es-419", "es"),
        ("ar-EG", "ar"),
        ("zh", "zh-Hans"),
        ("zh-CN", "zh-Hans"),
        ("zh-SG", "zh-Hans"),
        ("zh-Hans", "zh-Hans"),
        ("ZH-HANS-cn", "zh-Hans"),
        ("zh-Hans-HK", "zh-Hans"),
        ("zh-TW", None),
        ("zh-HK", None),
        ("zh-Hant", None),
        ("zh-Hant-CN", None),
        ("pt-BR", None),
        ("kok", None),
        ("tlh", None),
        ("", None),
        ("ko_KR", None),
        ("ko-", None),
        ("korean", None),
        ("../ko", None),
        ("ko\n", None),
    ],
)
def test_a_tag_is_served_by_its_base(tag: str, expected: str | None) -> None:
    assert shipped_as(tag) == expected


@pytest.mark.parametrize(
    ("tag", "first"),
    [
        ("zh-TW", "zh-Hans"),
        ("zh_CN", "zh-Hans"),
        ("kr", "ko"),
        ("jp", "ja"),
        ("pt-BR", "es"),
        ("nl", "de"),
        ("english", "en"),
        ("ar_EG", "ar"),
        ("kok", "ko"),
        ("!", "en"),
        ("", "en"),
    ],
)
def test_the_nearest_is_offered_first_and_none_is_left_out(tag: str, first: str) -> None:
    offered = nearest_first(tag)
    assert offered[0] == first
    assert sorted(offered) == sorted(shipped())
