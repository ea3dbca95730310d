"""What the pages of the subscription share: the parts they work with, and how they read and write."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from starlette.requests import Request
from starlette.responses import Response

from newsletter.database import Database
from newsletter.delivery.tokens import LinkKeys
from newsletter.settings import Web
from newsletter.web.bounds import Address, Network, SignUpLimits, client_of, network_of
from newsletter.web.forms import COOKIE, Browser, FormKeys, Seen, fields
from newsletter.web.pages import Pages
from newsletter.web.writing import Writer
from subscribers.requests import Requests

if TYPE_CHECKING:
    from sqlalchemy import Connection

_Value = TypeVar("_Value")


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The parts. ``wake`` says that there is mail to send."""

    pages: Pages
    database: Database
    people: Requests
    links: LinkKeys
    forms: FormKeys
    settings: Web
    proxies: tuple[Network, ...]
    limits: SignUpLimits
    writer: Writer[tuple[bytes, int]]
    wake: Callable[[], None]
    clock: Callable[[], datetime]

    async def write(self, work: Callable[[Connection], _Value]) -> _Value:
        """Do some work in a transaction, and return its result once the disk has it."""
        return await asyncio.wrap_future(self.writer.submit(work))

    async def leave(self, link: tuple[bytes, int]) -> None:
        """End what a link names by one click, together with others."""
        await asyncio.wrap_future(self.writer.add(link))

    async def read(self, work: Callable[[Connection], _Value]) -> _Value:
        """Look something up, beside the event loop."""

        def looked() -> _Value:
            with self.database.read() as connection:
                return work(connection)

        return await asyncio.to_thread(looked)

    def client(self, request: Request) -> Address | None:
        """Return the address that a request comes from, None where nobody can tell."""
        peer = request.client.host if request.client else ""
        return client_of(peer, request.headers.getlist("x-forwarded-for"), self.proxies)

    def network(self, request: Request) -> str:
        """Return the network that a request comes from."""
        return network_of(self.client(request))

    async def form(self, request: Request, purpose: str) -> tuple[dict[str, str], Seen]:
        """Return what a form sent, and what its token says."""
        sent = fields(request.headers.get("content-type", ""), await request.body())
        browser = Browser.of(request.cookies, request.headers)
        return sent, self.forms.read(sent.get("token", ""), purpose, browser, now=self.clock())

    def with_form(
        self, request: Request, purpose: str, name: str, language: str, *, began: datetime | None = None,
        status: int = 200, lang_links: bool = False, **values: object,
    ) -> Response:  # fmt: skip
        """Return a page that holds a form, with the form's token and the browser's cookie.

        ``began`` is when the form was first shown, now if not given.
        """
        browser = Browser.of(request.cookies, request.headers)
        known = browser.known()
        token = self.forms.sign(purpose, known, now=began or self.clock())
        answer = self.pages.page(name, language, status=status, lang_links=lang_links, token=token, **values)
        if known is not browser:
            look = self.pages.look
            answer.set_cookie(
                COOKIE, known.cookie, path=look.prefix or "/", httponly=True, samesite="lax",
                secure=look.public_url.startswith("https:"),
            )  # fmt: skip
        return answer
