"""Whose the numbers are that callers dial. Read anew with each configuration."""

from __future__ import annotations

from collections.abc import Mapping

from engine.core.configuration import Service
from engine.core.terms import ServiceId


class DialledNumbers:
    """The numbers of all services that take calls, however trunks write them."""

    def __init__(self, services: Mapping[ServiceId, Service]) -> None:
        taking = [(service, service.inbound.numbers) for service in services.values() if service.inbound is not None]
        self._services: dict[str, Service] = {}
        for service, numbers in taking:
            for number in numbers:
                self._services.setdefault(_digits(number), service)
        others = [service for service, numbers in taking if not numbers]
        self._other = others[0] if len(others) == 1 else None

    def service_of(self, dialled: str) -> Service | None:
        """Whose number it is; else the only service that takes what no other takes."""
        return self._services.get(_digits(dialled), self._other)

    def are_ours(self, phone: str) -> bool:
        """Whether who calls this number comes to us."""
        return _digits(phone) in self._services


def _digits(number: str) -> str:
    """As trunks write numbers: with or without +, 00 or blanks."""
    return "".join(each for each in number if each.isdecimal()).removeprefix("00")
