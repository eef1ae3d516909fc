"""How many requests one client address may make, and how often logging in may fail: token buckets in bounded memory.

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
        left = self._left(address)
        wait = self._wait(left)
        self._buckets.pop(_counted(address), None)
        self._buckets[_counted(address)] = (left if wait else left - 1, self._clock())
        if len(self._buckets) > MAX_ADDRESSES:
            self._buckets.popitem(last=False)
        return wait

    def wait(self, address: str) -> int | None:
        """The same without counting."""
        return self._wait(self._left(address))

    def _left(self, address: str) -> float:
        now = self._clock()
        left, at = self._buckets.get(_counted(address), (self._size, now))
        return min(self._size, left + (now - at) * self._per_second)

    def _wait(self, left: float) -> int | None:
        return None if left >= 1 else max(1, math.ceil((1 - left) / self._per_second))


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


class FailureLimit:
    """How often logging in may fail, for each address and for each username, whether or not there is such a user."""

    def __init__(self, per_address: AddressLimit, per_username: AddressLimit, trusted_proxies: Collection[str]) -> None:
        self._per_address = per_address
        self._per_username = per_username
        self._proxies = frozenset(trusted_proxies)

    def refuse(self, request: web.Request, username: str) -> None:
        """Raise ProblemError `too-many-requests` if it failed too often lately."""
        waits = (
            self._per_address.wait(client_address(request, self._proxies)),
            self._per_username.wait(f"user {username}"),
        )
        wait = max((each for each in waits if each is not None), default=None)
        if wait is not None:
            raise ProblemError(
                Code.TOO_MANY_REQUESTS,
                f"logging in failed too often; try again in {wait} s",
                headers={"Retry-After": str(wait)},
            )

    def count(self, request: web.Request, username: str) -> None:
        """It has failed."""
        self._per_address.take(client_address(request, self._proxies))
        self._per_username.take(f"user {username}")


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
