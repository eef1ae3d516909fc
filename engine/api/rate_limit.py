"""How many requests one client address may make: a token bucket for each address, in bounded memory.

An IPv6 client is counted by its /64, since it may use every address of it. Addresses that have been quiet longest are
forgotten first, so a flood of addresses costs no more memory than the bound.
"""

from __future__ import annotations

import ipaddress
import math
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Collection

from aiohttp import web

from engine.api.codes import Code
from engine.api.problems import ProblemError

MAX_ADDRESSES = 20_000
_WITH_PORT = re.compile(r"([0-9.]+):[0-9]+|\[([^]]+)\](?::[0-9]+)?")


class AddressLimit:
    """`per_minute` requests, all at once or spread."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = float(per_minute)
        self._per_second = per_minute / 60
        self._clock = clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, address: str) -> int | None:
        """Count a request: None if it may pass, else the whole seconds to wait."""
        now = self._clock()
        key = _counted(address)
        left, at = self._buckets.pop(key, (self._size, now))
        left = min(self._size, left + (now - at) * self._per_second)
        allowed = left >= 1
        self._buckets[key] = (left - 1 if allowed else left, now)
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return None if allowed else max(1, math.ceil((1 - left) / self._per_second))


class CustomerLimit:
    """The same for requests over HTTP, counted for all addresses of the interface together."""

    def __init__(self, limit: AddressLimit, trusted_proxies: Collection[str]) -> None:
        self._limit = limit
        self._proxies = frozenset(trusted_proxies)

    def count(self, request: web.Request) -> None:
        """Count a request. Raises ProblemError `too-many-requests`."""
        wait = self._limit.take(client_address(request, self._proxies))
        if wait is not None:
            raise ProblemError(Code.TOO_MANY_REQUESTS, f"try again in {wait} s", headers={"Retry-After": str(wait)})


def client_address(request: web.Request, trusted_proxies: Collection[str]) -> str:
    """Who asks: the peer, or what a trusted proxy says of it. The nearest address no trusted proxy has counts."""
    address = request.remote or ""
    if address not in trusted_proxies:
        return address
    forwarded = [each.strip() for each in ",".join(request.headers.getall("X-Forwarded-For", ())).split(",")]
    for each in reversed([each for each in forwarded if each]):
        if each not in trusted_proxies:
            return each
    return address


def _counted(address: str) -> str:
    if found := _WITH_PORT.fullmatch(address):
        # Some proxies add the client's port, which is another one each time.
        address = found[1] or found[2]
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(parsed, ipaddress.IPv6Address):
        return (
            str(ipaddress.ip_network((parsed, 64), strict=False))
            if parsed.ipv4_mapped is None
            else str(parsed.ipv4_mapped)
        )
    return str(parsed)
