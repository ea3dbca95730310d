"""How much may be handed over, how often it is tried and what ends it, as the settings say it."""

from __future__ import annotations

from datetime import date

from newsletter.delivery.breaker import Threshold
from newsletter.delivery.limits import Limits, WarmUp
from newsletter.delivery.patience import Patience
from newsletter.errors import ConfigError
from newsletter.settings.base import duration, interval
from newsletter.settings.delivery import Delivery


def limits(settings: Delivery) -> Limits:
    """Return the limits of a send; raise `ConfigError` for a plan that begins on no day."""
    plan = settings.warm_up
    try:
        begins = date.fromisoformat(plan.begins) if plan.begins else None
    except ValueError as error:
        raise ConfigError(
            f"there is no day {plan.begins}",
            subject="delivery.warm_up.begins",
            remedy="write it as YYYY-MM-DD",
        ) from error
    warm_up = (
        WarmUp(begins=begins, first=plan.first, growth=plan.growth, until=plan.until) if begins else None
    )
    domains = {
        _domain(domain): step
        for domain, rate in settings.domains.items()
        if (step := interval(rate)) is not None
    }
    return Limits(
        interval=interval(settings.rate), domains=domains, per_day=settings.per_day or None, warm_up=warm_up
    )


def _domain(name: str) -> str:
    """Return a domain as the list writes it; raise `ConfigError` for one that no address can have."""
    from subscribers.addresses import parse_address
    from subscribers.errors import InvalidAddress

    try:
        return parse_address(f"reader@{name}").email.rpartition("@")[2]
    except InvalidAddress as error:
        raise ConfigError(
            f"{name!r} is no domain of an address", subject="delivery.domains", remedy="write it as gmail.com"
        ) from error


def patience(settings: Delivery) -> Patience:
    """Return how long a temporary refusal is tried again."""
    return Patience(first=duration(settings.retry), give_up=duration(settings.give_up))


def threshold(settings: Delivery) -> Threshold:
    """Return what stops a send."""
    own = settings.breaker
    return Threshold(rejected=own.rejected, failed=own.failed, bounced=own.bounced, complained=own.complained)
