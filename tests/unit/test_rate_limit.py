"""How many requests one client address may make."""

import pytest
from aiohttp.test_utils import make_mocked_request

from engine.api import rate_limit
from engine.api.rate_limit import AddressLimit, client_address


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_so_many_at_once_then_as_they_come_back() -> None:
    clock = Clock()
    limit = AddressLimit(2, clock)
    assert [limit.take("10.0.0.1") for _ in range(3)] == [None, None, 30]
    clock.now = 29.0
    assert limit.take("10.0.0.1") == 1
    clock.now = 30.0
    assert limit.take("10.0.0.1") is None
    assert limit.take("10.0.0.1") is not None


def test_each_address_has_its_own() -> None:
    limit = AddressLimit(1, Clock())
    assert limit.take("10.0.0.1") is None
    assert limit.take("10.0.0.2") is None
    assert limit.take("10.0.0.1") is not None
    assert limit.take("::ffff:10.0.0.1") is not None


def test_an_ipv6_client_cannot_multiply_itself() -> None:
    limit = AddressLimit(1, Clock())
    assert limit.take("2001:db8::1") is None
    assert limit.take("2001:db8::ffff:1") is not None
    assert limit.take("2001:db8:0:1::1") is None


def test_the_port_that_a_proxy_adds_makes_nobody_else_of_a_client() -> None:
    limit = AddressLimit(1, Clock())
    assert limit.take("192.0.2.1:50001") is None
    assert limit.take("192.0.2.1:50002") is not None
    assert limit.take("[2001:db8::1]:50001") is None
    assert limit.take("2001:db8::2") is not None


def test_memory_is_bounded_and_the_quietest_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rate_limit, "MAX_ADDRESSES", 3)
    limit = AddressLimit(1, Clock())
    for n in range(10):
        limit.take(f"10.0.0.{n}")
    assert len(limit._buckets) == 3
    assert limit.take("10.0.0.9") is not None


@pytest.mark.parametrize(
    ("trusted", "forwarded", "expected"),
    [
        ((), "1.1.1.1", "10.0.0.1"),
        (("10.0.0.1",), "", "10.0.0.1"),
        (("10.0.0.1",), "1.1.1.1", "1.1.1.1"),
        (("10.0.0.1",), "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        (("10.0.0.1", "10.0.0.2"), "6.6.6.6, 1.1.1.1, 10.0.0.2", "1.1.1.1"),
    ],
)
def test_only_a_trusted_proxy_is_believed(trusted: tuple[str, ...], forwarded: str, expected: str) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = make_mocked_request("POST", "/", headers=headers).clone(remote="10.0.0.1")
    assert client_address(request, trusted) == expected


def test_to_look_counts_nothing() -> None:
    clock = Clock()
    limit = AddressLimit(1, clock)
    assert [limit.wait("10.0.0.1") for _ in range(3)] == [None, None, None]
    assert limit.take("10.0.0.1") is None
    assert [limit.wait("10.0.0.1") for _ in range(2)] == [60, 60]
    clock.now = 60.0
    assert limit.wait("10.0.0.1") is None
