"""What machines ask: whether the server is alive and ready, what a search engine may read, the icon."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from newsletter.database import Database
from newsletter.errors import NewsletterError
from newsletter.sqlite_file import SCHEMA_REVISION
from newsletter.web.pages import Look

READY_SECONDS = 5.0


class Probes:
    """Answers in one line."""

    def __init__(self, database: Database, look: Look) -> None:
        self._database = database
        self._look = look

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/health", self.health),
            Route("/ready", self.ready),
            Route("/robots.txt", self.robots),
            Route("/icon.svg", self.icon),
        ]

    async def health(self, _request: Request) -> Response:
        """Say that the server answers."""
        return PlainTextResponse("alive\n")

    async def ready(self, _request: Request) -> Response:
        """Say whether the database answers and has this program's schema."""
        try:
            found = await asyncio.wait_for(asyncio.to_thread(self._database.revision), READY_SECONDS)
        except (NewsletterError, TimeoutError):
            return PlainTextResponse("the database does not answer\n", 503)
        if found != SCHEMA_REVISION:
            return PlainTextResponse("the database has another schema\n", 503)
        return PlainTextResponse("ready\n")

    async def robots(self, _request: Request) -> Response:
        """Keep search engines from the pages that belong to one person."""
        prefix = self._look.prefix
        lines = f"User-agent: *\nDisallow: {prefix}/c/\nDisallow: {prefix}/u/\n"
        return PlainTextResponse(lines, headers={"Cache-Control": "max-age=86400"})

    async def icon(self, _request: Request) -> Response:
        """Draw the shape of a day, in the newsletter's colours."""
        light = self._look.theme.light
        drawn = (
            '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">'
            f'<rect width="16" height="16" rx="3" fill="{light.ink}"/><path fill="{light.marker}" d="M3 3h3v10H3z"/>'
            f'<path fill="{light.page}" d="M7 6h2v7H7z"/><path fill="{light.bar}" d="M10 9h2v4h-2z"/></svg>'
        )
        return Response(drawn, media_type="image/svg+xml", headers={"Cache-Control": "max-age=86400"})
