"""The page behind a letter's unsubscribe link, and the one-click POST of mail programs (RFC 8058).

A link that names nobody gets the same answers. GET never unsubscribes: scanners of mail follow links.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from newsletter.delivery.recipients import key_of
from newsletter.web.forms import Seen, fields
from newsletter.web.site import Site
from subscribers.checks import LONGEST_TEXT
from subscribers.models import SubscriptionState, Through
from subscribers.requests import Answer, Asked

if TYPE_CHECKING:
    from sqlalchemy import Connection

ONE_CLICK = ("List-Unsubscribe", "One-Click")
ONE_CLICK_ANSWER = "You are unsubscribed.\n"
REASONS = {  # what the page offers, and what is kept with the step
    "many": "too many letters",
    "other": "not what was expected",
    "never": "did not sign up",
    "done": "no time to read it",
}
_LONGEST_NUMBER = 9  # digits


class LeavePages:
    """Asks, ends a subscription, takes that back, and takes a reason."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/u/{key}/{number}", self.show),
            Route("/u/{key}/{number}", self.take, methods=["POST"]),
        ]

    async def show(self, request: Request) -> Response:
        """Show the button."""
        return self._button(request, await self._language(request))

    async def take(self, request: Request) -> Response:
        """Do what a button says, or what a mail program asks for."""
        if _is_one_click(request.headers.get("content-type", ""), await request.body()):
            link = _link(request)
            if link is not None:
                await self._site.leave(link)
            return PlainTextResponse(ONE_CLICK_ANSWER)
        language = await self._language(request)
        sent, seen = await self._site.form(request, self._purpose(request))
        if seen not in {Seen.GOOD, Seen.FAST}:
            return self._button(request, language, again=True)
        match sent.get("action"):
            case "undo":
                return await self._undo(request, language)
            case "reason":
                await self._keep_reason(request, _reason(sent))
                return self._left(request, language, thanks=True)
            case _:
                await self._leave(request)
                return self._left(request, language)

    async def _leave(self, request: Request) -> None:
        link, site = _link(request), self._site
        if link is None:
            return
        now = site.clock()
        await site.write(
            lambda connection: site.people.leave(connection, *link, through=Through.FORM, now=now)
        )

    async def _keep_reason(self, request: Request, reason: str) -> None:
        link, site = _link(request), self._site
        if link is None or not reason:
            return
        now = site.clock()

        def kept(connection: Connection) -> None:
            found = site.people.by_link(connection, *link, lock=True)
            if found is not None and found[1].state is SubscriptionState.UNSUBSCRIBED:
                site.people.leave(connection, *link, through=Through.FORM, now=now, reason=reason)

        await site.write(kept)

    async def _undo(self, request: Request, language: str) -> Response:
        link, site = _link(request), self._site
        asked = Asked(answer=Answer.REFUSED)
        if link is not None:
            now = site.clock()
            asked = await site.write(lambda connection: site.people.come_back(connection, *link, now=now))
        if asked.answer is Answer.REFUSED or asked.subscription is None:
            return site.pages.page("useless", language, status=410)
        pending = asked.subscription.state is SubscriptionState.PENDING
        return site.pages.page("back", language, pending=pending)

    async def _language(self, request: Request) -> str:
        link, site = _link(request), self._site
        if link is None:
            return site.pages.spoken_by(None)
        number = link[1]
        return site.pages.spoken_by(
            await site.read(lambda connection: site.people.edition_name(connection, number))
        )

    def _button(self, request: Request, language: str, *, again: bool = False) -> Response:
        return self._site.with_form(
            request, self._purpose(request), "leave", language, status=403 if again else 200, again=again
        )

    def _left(self, request: Request, language: str, *, thanks: bool = False) -> Response:
        return self._site.with_form(
            request, self._purpose(request), "left", language, thanks=thanks, longest=LONGEST_TEXT // 2
        )

    def _purpose(self, request: Request) -> str:
        return f"u {request.path_params['key']} {request.path_params['number']}"


def _link(request: Request) -> tuple[bytes, int] | None:
    """Return what a link names; None for what can be no link of ours."""
    key, number = key_of(request.path_params["key"]), request.path_params["number"]
    if key is None or not (number.isascii() and number.isdigit() and len(number) <= _LONGEST_NUMBER):
        return None
    return key, int(number)


def _is_one_click(kind: str, body: bytes) -> bool:
    """Tell whether a body is that of RFC 8058, whatever case a mail service writes it in."""
    name, value = ONE_CLICK
    if body == b"List-Unsubscribe=One-Click":
        return True
    found = next((text for each, text in fields(kind, body).items() if each.lower() == name.lower()), "")
    return found.strip().lower() == value.lower()


def _reason(sent: dict[str, str]) -> str:
    """Return the reason of a form as the list keeps it: what was chosen, then the person's own words."""
    own = "".join(part if part.isprintable() else " " for part in sent.get("words", ""))
    told = [REASONS.get(sent.get("reason", ""), ""), " ".join(own.split())[: LONGEST_TEXT // 2]]
    return ": ".join(part for part in told if part)
