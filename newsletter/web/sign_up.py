"""The sign-up page. Its answer tells nobody whether an address is known, and a form of a machine writes nothing."""

from __future__ import annotations

import asyncio
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from newsletter.delivery import notices
from newsletter.delivery.notices import SignUp
from newsletter.delivery.tokens import VALID
from newsletter.web.forms import TOO_FAST, Seen
from newsletter.web.site import Site
from subscribers.addresses import parse_address
from subscribers.errors import InvalidAddress
from subscribers.kinds import is_disposable, is_role
from subscribers.models import Address

if TYPE_CHECKING:
    from sqlalchemy import Connection

PURPOSE = "subscribe"
TRAP = "subject"  # a field that people do not see
# the version of the words beside the form, kept with a consent; they are those of templates/web/sign-up.html.j2
WORDS = 1
ANSWER_SECONDS = 0.25  # no answer leaves earlier: what is written and what is not take the same time
_LONGEST_SHOWN = 300


class SignUpPages:
    """Shows the form, and takes it."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("/", self.show),
            Route("/subscribe", self.show),
            Route("/subscribe", self.take, methods=["POST"]),
            Route("/embed", self.embed),
        ]

    def _language(self, request: Request) -> str:
        wish = request.query_params.get("lang", "")
        return self._site.pages.language(wish, request.headers.get("accept-language", ""))

    async def show(self, request: Request) -> Response:
        """Show the form."""
        language = self._language(request)
        edition = self._edition(request.query_params.get("edition", ""), language)
        return self._form(request, language, edition)

    async def embed(self, request: Request) -> Response:
        """Show the lines that put the form on somebody's own page."""
        return self._site.pages.page("embed", self._language(request), lang_links=True)

    async def take(self, request: Request) -> Response:
        """Take the form: the same page for every address that is one."""
        began, language, site = monotonic(), self._language(request), self._site
        sent, seen = await site.form(request, PURPOSE)
        edition = self._edition(sent.get("edition", ""), language)
        typed = sent.get("email", "").strip()[:_LONGEST_SHOWN]
        if seen in {Seen.MISSING, Seen.FOREIGN}:
            return self._form(request, language, edition, typed=typed, note="check", again=True)
        address, fault = self._address(typed)
        if address is None:
            return self._form(request, language, edition, typed=typed, fault=fault, again=True, status=422)
        network = site.network(request)
        if seen is Seen.GOOD and not sent.get(TRAP) and site.limits.take(network, site.clock()):
            sign_up = SignUp(
                edition=edition, language=site.pages.spoken_by(edition), source="form",
                text_version=f"{WORDS}/{language}", network=(network or None) if site.settings.keep_network else None,
                at=site.clock(),
            )  # fmt: skip
            await site.write(partial(notices.ask, address=address.email, sign_up=sign_up))
            site.wake()
        else:
            await site.write(_nothing)
        await asyncio.sleep(max(0.0, began + ANSWER_SECONDS - monotonic()))
        return site.pages.page("sent", language, days=VALID.days)

    def _edition(self, name: str, language: str) -> str:
        """Return the edition that is meant, the one of the page's language if there is none of that name."""
        pages = self._site.pages
        return name if name in pages.look.editions else pages.edition_in(language)

    def _form(
        self, request: Request, language: str, edition: str, *, typed: str = "", fault: str = "", note: str = "",
        again: bool = False, status: int = 200,
    ) -> Response:  # fmt: skip
        """Return the form; shown ``again``, it may be sent at once: the typing was done before."""
        pages = self._site.pages
        editions = [(name, pages.label(name), name == edition) for name in pages.look.editions]
        return self._site.with_form(
            request, PURPOSE, "sign-up", language, status=status, lang_links=True, typed=typed, fault=fault, note=note,
            editions=editions, trap=TRAP, began=self._site.clock() - TOO_FAST if again else None,
        )  # fmt: skip

    def _address(self, typed: str) -> tuple[Address | None, str]:
        """Return the address, or what keeps it from being taken."""
        try:
            address = parse_address(typed)
        except InvalidAddress:
            return None, "invalid"
        if self._site.settings.role_addresses == "refuse" and is_role(address):
            return None, "role"
        if self._site.settings.disposable == "refuse" and is_disposable(address):
            return None, "disposable"
        return address, ""


def _nothing(_connection: Connection) -> None:
    """Write nothing, in the same queue."""
