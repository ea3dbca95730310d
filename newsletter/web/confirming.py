"""The page behind the link of a confirmation mail: a button, since scanners of mail open every link."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.delivery import notices
from newsletter.delivery.tokens import Purpose
from newsletter.errors import ExpiredLink, InvalidLink
from newsletter.web.forms import Seen
from newsletter.web.site import Site
from subscribers.requests import Answer, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection


class ConfirmPages:
    """Asks, and confirms."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/c/{token}", self.show),
            Route("/c/{token}", self.confirm, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the button."""
        found = await self._consent(request)
        return found if isinstance(found, Response) else self._button(request, found[1])

    async def confirm(self, request: Request) -> Response:
        """Confirm what the link names."""
        found = await self._consent(request)
        if isinstance(found, Response):
            return found
        consent, language = found
        _, seen = await self._site.form(request, self._purpose(request))
        if seen not in {Seen.GOOD, Seen.FAST}:
            return self._button(request, language, again=True)
        site, now = self._site, self._site.clock()

        def confirmed(connection: Connection) -> Asked:
            asked = site.people.confirm(connection, consent, now=now)
            notices.welcome(connection, asked, language, now)
            return asked

        asked = await site.write(confirmed)
        if asked.answer is Answer.REFUSED:
            return site.pages.page("useless", language, status=410)
        site.wake()
        return site.pages.page("confirmed", language)

    async def _consent(self, request: Request) -> tuple[int, str] | Response:
        """Return the consent that a link names with its edition's language, or the page that says what is wrong."""
        site, token = self._site, request.path_params["token"]
        browsers = site.pages.language("", request.headers.get("accept-language", ""))
        try:
            consent = site.links.read(token, Purpose.CONFIRM, now=site.clock())
        except ExpiredLink:
            return site.pages.page("useless", browsers, status=410)
        except InvalidLink:
            return site.pages.page("broken", browsers, status=404)
        wanted = await site.read(lambda connection: site.people.asked_for(connection, consent))
        if wanted is None:
            return site.pages.page("useless", browsers, status=410)
        return consent, site.pages.spoken_by(wanted.edition)

    def _button(self, request: Request, language: str, *, again: bool = False) -> Response:
        return self._site.with_form(
            request, self._purpose(request), "confirm", language, status=403 if again else 200, again=again
        )

    def _purpose(self, request: Request) -> str:
        return f"c {request.path_params['token']}"
