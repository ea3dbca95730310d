"""The page behind the link of the operator's mail about a draft: it shows the issue, and its buttons decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.delivery import drafts
from newsletter.delivery.drafts import Decision, Draft, Standing
from newsletter.errors import ExpiredLink, InvalidLink
from newsletter.web.forms import Seen
from newsletter.web.site import Site

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LANGUAGE = "en"  # the operator's pages and mails are in English, as the command is
_STATUS = {Standing.OLDER: 410, Standing.DECIDED: 409}
_BY = "the link that was mailed"


class DecidePages:
    """Asks, and decides."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/d/{token}", self.show),
            Route("/d/{token}", self.decide, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the issue and the buttons."""
        token = request.path_params["token"]

        def looked(connection: Connection) -> Draft:
            return drafts.read(connection, self._site.links, token, now=self._site.clock())

        try:
            draft = await self._site.read(looked)
        except (InvalidLink, ExpiredLink) as error:
            return self._useless(error)
        return self._page(request, draft)

    async def decide(self, request: Request) -> Response:
        """Do what the button says."""
        token, site = request.path_params["token"], self._site
        sent, seen = await site.form(request, self._purpose(request))
        decision = next((each for each in Decision if each.value == sent.get("decision")), None)

        def decided(connection: Connection) -> tuple[Draft, bool]:
            now = site.clock()
            draft = drafts.read(connection, site.links, token, now=now, lock=True)
            if decision is None or seen not in {Seen.GOOD, Seen.FAST} or draft.standing is not Standing.WAITS:
                return draft, False
            record = drafts.decide(connection, draft.record, decision, actor=_BY, now=now)
            return Draft(record=record, standing=Standing.DECIDED, prepared=draft.prepared), True

        try:
            draft, done = await site.write(decided)
        except (InvalidLink, ExpiredLink) as error:
            return self._useless(error)
        return self._page(request, draft, done=done, again=not done)

    def _page(self, request: Request, draft: Draft, *, done: bool = False, again: bool = False) -> Response:
        values: dict[str, Any] = {
            "record": draft.record,
            "prepared": draft.prepared,
            "standing": draft.standing.value,
        }
        if draft.standing is Standing.WAITS:
            return self._site.with_form(
                request, self._purpose(request), "decide", _LANGUAGE, status=403 if again else 200, again=again,
                done=done, **values,
            )  # fmt: skip
        status = 200 if done else _STATUS[draft.standing]
        return self._site.pages.page(
            "decide", _LANGUAGE, status=status, again=False, done=done, token="", **values
        )

    def _useless(self, error: InvalidLink) -> Response:
        late = isinstance(error, ExpiredLink)
        return self._site.pages.page("undecided", _LANGUAGE, status=410 if late else 404, late=late)

    def _purpose(self, request: Request) -> str:
        return f"d {request.path_params['token']}"
