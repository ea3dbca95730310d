"""How many sign-ups are taken, and from whom a request comes."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

from newsletter.errors import ConfigError

_MOST_KNOWN = 20_000  # networks that are remembered
_LONGEST_CHAIN = 20  # addresses of a forwarded request that are looked at
_HOUR, _MINUTE = timedelta(hours=1), timedelta(minutes=1)
_BITS = {4: 24, 6: 48}
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class SignUpLimits:
    """Counts sign-ups, in this process. One network comes to its own bound before it can fill everybody's."""

    def __init__(self, *, per_network: int, per_minute: int) -> None:
        self._per_network = per_network
        self._per_minute = per_minute
        self._networks: OrderedDict[str, tuple[datetime, int]] = OrderedDict()
        self._minute: tuple[datetime | None, int] = (None, 0)

    def take(self, network: str, now: datetime) -> bool:
        """Count a sign-up; return whether it is within the bounds."""
        began, count = self._networks.get(network, (now, 0))
        if now - began >= _HOUR:
            began, count = now, 0
        if count >= self._per_network:
            return False
        if self._minute[0] is None or now - self._minute[0] >= _MINUTE:
            self._minute = (now, 0)
        if self._minute[1] >= self._per_minute:
            return False
        self._minute = (self._minute[0], self._minute[1] + 1)
        self._networks[network] = (began, count + 1)
        self._networks.move_to_end(network)
        while len(self._networks) > _MOST_KNOWN:
            self._networks.popitem(last=False)
        return True


def networks(texts: Sequence[str], setting: str) -> tuple[Network, ...]:
    """Return the networks of a setting, which is named; raise `ConfigError` for one that is none."""
    found = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text.strip(), strict=False))
        except ValueError as error:
            raise ConfigError(
                f"{text[:60]!r} is no network", subject=setting, remedy="write it as 10.0.0.0/8"
            ) from error
    return tuple(found)


def client_of(peer: str, forwarded: Sequence[str], trusted: Sequence[Network]) -> Address | None:
    """Return the address that a request comes from, None where nobody can tell.

    ``forwarded`` are the X-Forwarded-For headers in order. The chain is read from its end, as far as our own proxies
    wrote it: what stands before the first foreign address is that stranger's word.
    """
    chain = [part.strip() for header in forwarded for part in header.split(",")][-_LONGEST_CHAIN:]
    address = _address(peer)
    while address is not None and chain and any(address in network for network in trusted):
        address = _address(chain.pop())
    return address


def network_of(client: Address | None) -> str:
    """Return the network of an address: /24, or /48 of IPv6; empty where nobody can tell."""
    if client is None:
        return ""
    return str(ipaddress.ip_network((client, _BITS[client.version]), strict=False))


def _address(text: str) -> Address | None:
    bare = text.removeprefix("[").partition("]")[0] if text.startswith("[") else text
    if bare.count(":") == 1:  # some proxies write the port, too
        bare = bare.partition(":")[0]
    try:
        address = ipaddress.ip_address(bare.partition("%")[0])
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address
