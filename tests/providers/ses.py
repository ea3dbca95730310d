"""Amazon SES as the tests reach it."""

from __future__ import annotations

from typing import Any

from newsletter.protocols import OnUncertain
from newsletter.providers.ses import SesProvider, SesSettings
from tests.servers.ses import KEY_ID, REGION, SECRET, SesServer


def ses_provider(server: SesServer, on_uncertain: OnUncertain = OnUncertain.HOLD, **more: Any) -> SesProvider:
    """Return a provider of a local server."""
    known: dict[str, Any] = {
        "region": REGION, "base_url": server.url, "access_key_id": KEY_ID, "secret_access_key": SECRET,
        "timeout": 10.0, "ca_file": server.ca_file,
    }  # fmt: skip
    return SesProvider(SesSettings(**{**known, **more}), on_uncertain)
