"""Requests about an Asterisk itself: is it there, which one is it, since when, with which modules."""

from dataclasses import dataclass
from datetime import datetime

from engine.asterisk.ari import wire
from engine.asterisk.ari.results import Result
from engine.asterisk.ari.transport import Transport


@dataclass(frozen=True, slots=True)
class AsteriskInfo:
    """`version` as Asterisk writes it; another `startup_time` than before means that all its calls are gone."""

    version: str
    entity_id: str
    name: str
    startup_time: datetime
    last_reload_time: datetime


@dataclass(frozen=True, slots=True)
class Ping:
    """Asterisk's answer to a ping: its entity id and its clock."""

    asterisk_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Module:
    """A module of Asterisk: `name` such as `app_amd.so`, `status` `Running` or `Not Running`."""

    name: str
    description: str
    use_count: int
    status: str
    support_level: str


class AsteriskResource:
    """`/asterisk` of one Asterisk."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    async def info(self) -> Result[AsteriskInfo]:
        """Version, ids and times."""
        return await self._transport.request("GET", "/asterisk/info", _read_info)

    async def ping(self) -> Result[Ping]:
        """The cheapest question that shows Asterisk is alive and our password right."""
        return await self._transport.request("GET", "/asterisk/ping", _read_ping)

    async def modules(self) -> Result[tuple[Module, ...]]:
        """Every module that Asterisk knows."""
        return await self._transport.request("GET", "/asterisk/modules", wire.each(_read_module, "modules"))

    async def get_variable(self, name: str) -> Result[str]:
        """A global variable or function, empty when it is not set."""
        return await self._transport.request("GET", "/asterisk/variable", _read_value, query={"variable": name})


def _read_info(answer: object) -> AsteriskInfo:
    source = wire.as_object(answer, "info")
    system = wire.as_object(source.get("system"), "system")
    config = wire.as_object(source.get("config"), "config")
    status = wire.as_object(source.get("status"), "status")
    return AsteriskInfo(
        version=wire.text(system, "version"),
        entity_id=wire.text(system, "entity_id"),
        name=wire.optional_text(config, "name"),
        startup_time=wire.moment(status, "startup_time"),
        last_reload_time=wire.moment(status, "last_reload_time"),
    )


def _read_ping(answer: object) -> Ping:
    source = wire.as_object(answer, "ping")
    return Ping(asterisk_id=wire.text(source, "asterisk_id"), at=wire.moment(source, "timestamp"))


def _read_module(answer: object) -> Module:
    source = wire.as_object(answer, "module")
    return Module(
        name=wire.text(source, "name"),
        description=wire.text(source, "description"),
        use_count=wire.integer(source, "use_count"),
        status=wire.text(source, "status"),
        support_level=wire.text(source, "support_level"),
    )


def _read_value(answer: object) -> str:
    return wire.text(wire.as_object(answer, "variable"), "value")
