"""When a server may be asked again, as it says itself. Times are in seconds."""

from __future__ import annotations

import re
import time

import urllib3
from urllib3.exceptions import InvalidHeader
from urllib3.util import Retry

# RateLimit: "api";r=0;t=120, and as older drafts have it: limit=100, remaining=0, reset=120
_REMAINING = re.compile(r"\b(?:r|remaining)\s*=\s*(\d+)")
_RESET = re.compile(r"\b(?:t|reset)\s*=\s*(\d+)")
_EPOCH = 1_000_000_000  # larger resets are times, not seconds


def retry_after(response: urllib3.BaseHTTPResponse) -> float | None:
    """Return what Retry-After says, None where it says nothing that can be read."""
    try:
        return Retry().get_retry_after(response)
    except InvalidHeader:
        return None


def limit_reset(response: urllib3.BaseHTTPResponse) -> float | None:
    """Return in how many seconds a used-up rate limit is reset, None if something remains or nothing is said."""
    said = response.headers.get("ratelimit", "")
    policies = [said] if "remaining" in said else said.split(",")
    resets = [  # of several limits the one that lasts longest counts
        float(reset[1])
        for policy in policies
        if (left := _REMAINING.search(policy)) and int(left[1]) == 0 and (reset := _RESET.search(policy))
    ]
    if resets:
        return max(resets)
    for prefix in ("ratelimit", "x-ratelimit"):
        rest = response.headers.get(f"{prefix}-remaining", "").strip()
        at = response.headers.get(f"{prefix}-reset", "").strip()
        if rest == "0" and at.isdecimal() and len(at) <= 12:
            return max(0.0, float(at) - time.time()) if float(at) > _EPOCH else float(at)
    return None
