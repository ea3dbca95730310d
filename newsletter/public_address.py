"""Addresses that content names: only public ones are fetched, and what was checked is what is connected to."""

from __future__ import annotations

import ipaddress
import socket

import urllib3
from urllib3.exceptions import LocationValueError
from urllib3.util import parse_url

from newsletter.errors import SourceError


def public_pool(url: str) -> tuple[urllib3.HTTPConnectionPool, str, str]:
    """Return a pool that is connected to the checked address of a URL, its Host header, and the request's path.

    Raise `SourceError` where any address of the name is private, loopback, link-local or otherwise not public: a
    name that mixes both is no accident.
    """
    parts = parse_url(url)
    host, secure = (parts.host or "").strip("[]"), parts.scheme == "https"
    port = parts.port or (443 if secure else 80)
    address = _public_address(host, port, url)
    name = f"[{host}]" if ":" in host else host
    header = name if parts.port is None else f"{name}:{port}"
    if secure:
        pool = urllib3.HTTPSConnectionPool(address, port, server_hostname=host, assert_hostname=host)
        return pool, header, parts.request_uri
    return urllib3.HTTPConnectionPool(address, port), header, parts.request_uri


def _public_address(host: str, port: int, url: str) -> str:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise SourceError(
            f"the name {host} is not known", subject=shown(url), remedy="check the address"
        ) from error
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    for address in addresses:
        if not is_public(address):
            raise SourceError(
                f"leads to {address}, which is not a public address",
                subject=shown(url),
                remedy="it is not fetched",
            )
    return addresses[0]


def shown(url: str) -> str:
    """Return what a log shows of an address: it has no password and no query."""
    try:
        return str(parse_url(url)._replace(auth=None, query=None, fragment=None).url)
    except LocationValueError:
        return url.partition("?")[0]


def is_public(address: str) -> bool:
    """Tell whether an IP address is one of the public internet; what wraps another one is unwrapped first."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or ip
    return ip.is_global and not ip.is_multicast
