"""Where papers come from."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from newsletter.settings.base import Secret, Table


class HuggingFace(Table, frozen=True):
    base_url: Annotated[str, Meta(description="Where the daily papers API is.", pattern=r"^https?://")] = (
        "https://huggingface.co"
    )
    closes_at: Annotated[
        str,
        Meta(
            description="UTC time, as HH:MM, at which a day has all its papers.",
            pattern=r"^([01]\d|2[0-3]):[0-5]\d$",
        ),
    ] = "16:00"
    token: Annotated[
        Secret, Meta(description="Access token, for a higher rate limit; better set by the environment.")
    ] = Secret("")
    timeout: Annotated[
        float, Meta(description="Seconds that fetching one page may take in all.", gt=0, le=600)
    ] = 60.0


class Arxiv(Table, frozen=True):
    categories: Annotated[
        list[str], Meta(description="Categories whose feed is read, all in one request.", min_length=1)
    ] = msgspec.field(default_factory=lambda: ["cs.AI", "cs.CL", "cs.LG"])
    announce: Annotated[
        list[Literal["new", "cross", "replace"]],
        Meta(description="Announcements that count: new papers, cross-lists, replacements.", min_length=1),
    ] = msgspec.field(default_factory=lambda: ["new"])
    feed_url: Annotated[str, Meta(description="Where arXiv's feeds are.", pattern=r"^https?://")] = (
        "https://rss.arxiv.org"
    )
    api_url: Annotated[
        str,
        Meta(description="Where arXiv's API is; it is asked for what a feed lacks.", pattern=r"^https?://"),
    ] = "https://export.arxiv.org"
    pause: Annotated[
        float, Meta(description="Seconds between two requests to arXiv, over all processes.", ge=0, le=60)
    ] = 3.0


class Feed(Table, frozen=True):
    url: Annotated[str, Meta(description="Address of an RSS, Atom or JSON feed.", pattern=r"^https?://")]


class Sources(Table, frozen=True):
    use: Annotated[
        list[str],
        Meta(description="Sources of a day, merged: huggingface, arxiv, or names of feeds.", min_length=1),
    ] = msgspec.field(default_factory=lambda: ["huggingface"])
    history_days: Annotated[
        int, Meta(description="Earlier days whose votes a run observes again.", ge=0, le=60)
    ] = 14
    keep_raw_days: Annotated[
        int, Meta(description="Days that the sources' answers are kept for `newsletter replay`.", ge=0)
    ] = 30
    huggingface: HuggingFace = HuggingFace()
    arxiv: Arxiv = Arxiv()
    feeds: dict[str, Feed] = msgspec.field(default_factory=dict)
