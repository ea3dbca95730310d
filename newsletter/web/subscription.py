"""The web door of the subscription: every page of it, behind the guard."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from starlette.responses import Response
from starlette.routing import Router
from starlette.types import ASGIApp, Scope

from newsletter.protocols import EventReader
from newsletter.web.bounds import Network
from newsletter.web.confirming import ConfirmPages
from newsletter.web.deciding import DecidePages
from newsletter.web.events import MOST_BYTES, PATH, EventPosts
from newsletter.web.guard import Guard
from newsletter.web.leaving import LeavePages
from newsletter.web.metrics import Metrics
from newsletter.web.probes import Probes
from newsletter.web.sign_up import SignUpPages
from newsletter.web.site import Site

_PAGES = {404: "missing", 500: "failed", 503: "failed"}


def subscription(
    site: Site, monitors: Collection[Network], readers: Mapping[str, EventReader], arrived: Callable[[], None],
    log: Callable[[str], None],
) -> ASGIApp:  # fmt: skip
    """Return the application; ``monitors`` may read the metrics, ``log`` gets a line a request.

    ``readers`` are those whose events are taken; ``arrived`` says that there are some.
    """
    routes = [
        *LeavePages(site).routes(),  # first: mail programs send these by the hundred
        *SignUpPages(site).routes(),
        *ConfirmPages(site).routes(),
        *DecidePages(site).routes(),
        *Probes(site.database, site.pages.look).routes(),
        *Metrics(site, monitors).routes(),
        *EventPosts(site, readers, arrived, log).routes(),
    ]

    def fault(scope: Scope, status: int) -> Response:
        header = next((value for name, value in scope["headers"] if name == b"accept-language"), b"")
        language = site.pages.language("", header.decode("latin-1"))
        answer = site.pages.page(_PAGES[status], language, status=status)
        if status == 503:
            answer.headers["Retry-After"] = "30"
        return answer

    router = Router(routes, redirect_slashes=False)
    return Guard(router, prefix=site.pages.look.prefix, fault=fault, log=log, larger={PATH: MOST_BYTES})
