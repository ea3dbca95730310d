"""What spam filters that are not asked to look anything up hold against the gallery's letters: nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.gallery.filters import ask_rspamd, lacking, positive, rspamd, spamassassin
from tools.gallery.plates import PLATES, files

KEPT = Path(__file__).parents[2] / "build/rspamd"
# Rules of rspamd that may count this much, and why.
ALLOWED = {
    "MANY_INVISIBLE_PARTS": 0.1,  # two hidden parts: the preheader, and the colon that the lead's layout replaces
    "MIME_BASE64_TEXT": 0.1,  # text that is mostly not ASCII goes as base64, less than half as long
    "R_MIXED_CHARSET": 0.6,  # Arabic sentences with the Latin names of models in them
    "URI_COUNT_ODD": 1.0,  # both parts together have an odd number of links, as half of all letters do
}


def messages() -> dict[str, bytes]:
    """Return the letters as they would be sent now (an old date counts against a message), and a faulty one."""
    now = datetime.now(UTC).replace(microsecond=0)
    written = {plate.name: files(plate, now)["issue.eml"] for plate in PLATES}
    spam = written["three"].replace(b"\r\nSubject: ", b"\r\nSubject: VIAGRA!!! $$$ ", 1)
    return written | {"faulty": spam.replace(b"\r\nFrom: ", b"\r\nFrom: x@example.org\r\nFrom: ", 1)}


def test_spamassassin_counts_nothing(tmp_path: Path) -> None:
    if lack := lacking("spamassassin"):
        pytest.skip(lack)
    scores = spamassassin(messages(), tmp_path)
    assert positive({"faulty": scores.pop("faulty")}) != []  # it looks, and finds
    assert all(scores.values())
    assert positive(scores) == []


def test_rspamd_counts_nothing_of_ours(tmp_path: Path) -> None:
    if lack := lacking("rspamd", "rspamc"):
        pytest.skip(lack)
    with rspamd(tmp_path, KEPT) as port:
        scores = ask_rspamd(port, messages(), tmp_path)
    assert positive({"faulty": scores.pop("faulty")}, ALLOWED) != []
    assert all(scores.values())
    assert positive(scores, ALLOWED) == []
