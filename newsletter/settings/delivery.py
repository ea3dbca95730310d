"""How letters go out: limits, patience, when a send is stopped."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from newsletter.settings.base import DURATION, RATE, Table


class WarmUp(Table, frozen=True):
    begins: Annotated[
        str,
        Meta(
            description="First day (UTC) of the plan of a new sender, as YYYY-MM-DD; empty means no plan.",
            pattern=r"^$|^\d{4}-\d{2}-\d{2}$",
        ),
    ] = ""
    first: Annotated[int, Meta(description="Messages on that day, over all processes.", ge=1)] = 200
    growth: Annotated[
        float, Meta(description="How many times as many each day has as the day before.", gt=1, le=10)
    ] = 2.0
    until: Annotated[int, Meta(description="Messages a day at which the plan is through.", ge=1)] = 100_000


class Breaker(Table, frozen=True):
    rejected: Annotated[
        float,
        Meta(
            description="Share of the last 200 recipients that may be refused before the issue is paused; 1 for all.",
            gt=0,
            le=1,
        ),
    ] = 0.2
    failed: Annotated[
        float,
        Meta(description="Share that may fail for a while, or without an answer.", gt=0, le=1),
    ] = 0.5  # fmt: skip
    bounced: Annotated[
        float,
        Meta(
            description="Share of the accepted letters that may bounce for good; fewer than 200 count as 200.",
            gt=0,
            le=1,
        ),
    ] = 0.05
    complained: Annotated[
        float,
        Meta(description="Share of them that may be complained about, from 5 complaints on.", gt=0, le=1),
    ] = 0.003


class Delivery(Table, frozen=True):
    rate: Annotated[
        str,
        Meta(
            description="Most messages in a time, over all processes, such as 600/min or 20/s; empty means no bound.",
            pattern=RATE,
        ),
    ] = ""
    domains: Annotated[
        dict[str, Annotated[str, Meta(pattern=RATE)]],
        Meta(description="Such a bound for the recipients at a domain (gmail.com: 120/min), by domain."),
    ] = msgspec.field(default_factory=dict)
    per_day: Annotated[
        int, Meta(description="Most messages a day (UTC), over all processes; 0 means no bound.", ge=0)
    ] = 0
    at_cap: Annotated[
        Literal["carry", "hold"],
        Meta(
            description="What becomes of an issue that does not fit into its day: the next day's runs carry it on, or "
            "it is held until `issues resume`."
        ),
    ] = "carry"
    wait: Annotated[
        str,
        Meta(
            description="How far away the next try may be for `run` to wait for it (30 s, 30 min, 12 h, 2 d).",
            pattern=DURATION,
        ),
    ] = "30 min"
    retry: Annotated[
        str,
        Meta(
            description="Pause after a first temporary refusal, a second at least; it doubles up to an hour.",
            pattern=rf"(?=[1-9]){DURATION}",
        ),
    ] = "1 min"
    give_up: Annotated[
        str,
        Meta(
            description="How long a temporary refusal is tried again before it counts as refused.",
            pattern=DURATION,
        ),
    ] = "12 h"
    keep: Annotated[
        str,
        Meta(
            description="How long it is kept what became of each delivery of an issue; then only their counts are. "
            "Empty: for good.",
            pattern=rf"^$|{DURATION}",
        ),
    ] = "365 d"
    warm_up: WarmUp = WarmUp()
    breaker: Breaker = Breaker()
