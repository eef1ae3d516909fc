"""Watches the agents' phones and the trunk of one Asterisk through AMI, and tells the core what has changed.

After each login, and now and then later, all endpoints are looked at; between the looks Asterisk tells each change.
Without AMI every phone is unknown, which degrades the engine and stops nothing. Nothing is concluded about an endpoint
that Asterisk does not know or whose state it does not say: that one is unknown too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import structlog

from engine.asterisk.ami.link import AmiLink
from engine.asterisk.ami.session import DEVICE_STATES, AmiAnswer, AmiRefused, AmiSession, AmiSettings
from engine.asterisk.ami.wire import Fields
from engine.asterisk.ari.backoff import Backoff
from engine.core.events import Event, PhoneChanged, PhonesSeen, PhonesUnknown
from engine.core.terms import PhoneState
from engine.metrics import Metrics

log = structlog.get_logger()

LOOK_SECONDS = 30.0
"""Between two looks at everything: what Asterisk did not tell, such as an unloaded module, is noticed after it."""
REST_SECONDS = 0.5
"""Between two looks at least, whatever Asterisk tells meanwhile."""
NOT_CONFIGURED = "not configured: set ami_password_file to see agents' phones; until then all count as usable"

_STATES = {
    "not in use": PhoneState.IDLE,
    "in use": PhoneState.BUSY,
    "busy": PhoneState.BUSY,
    "ringing": PhoneState.BUSY,
    "ring+inuse": PhoneState.BUSY,
    "on hold": PhoneState.BUSY,
    "unavailable": PhoneState.UNREGISTERED,
    # As the events say it:
    "not_inuse": PhoneState.IDLE,
    "inuse": PhoneState.BUSY,
    "ringinuse": PhoneState.BUSY,
    "onhold": PhoneState.BUSY,
}
"""Asterisk's device states, in the words of its lists and of its events; all others are unknown."""


class TrunkState(StrEnum):
    """The trunk, as Asterisk sees it. REACHABLE: it has a contact, and needs no registration of ours."""

    REGISTERED = "registered"
    UNREGISTERED = "unregistered"
    REACHABLE = "reachable"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


class PhoneWatch:
    """Started with `run`. `settings` None: no AMI is configured. `endpoints`: the agents', as `PJSIP/agent-1001`.

    `trouble`: why phones are unknown; None while they are seen, and if AMI is not configured.
    """

    def __init__(
        self,
        name: str,
        settings: AmiSettings | None,
        tell: Callable[[Event], None],
        *,
        endpoints: Callable[[], Iterable[str]],
        trunk: str,
        figures: Metrics,
        backoff: Backoff | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self.trunk_state = TrunkState.UNKNOWN
        self._name = name
        self._tell = tell
        self._endpoints = endpoints
        self._trunk = trunk
        self._figures = figures
        self._look_seconds = look_seconds
        self._blind: str | None = None
        self._seen: dict[str, PhoneState] | None = None
        self._changed_since_asked: dict[str, PhoneState] = {}
        self._told: dict[str, PhoneState] = {}
        self._look_now = asyncio.Event()
        self._link: AmiLink | None = None
        if settings is not None:
            self._link = AmiLink(
                name, settings, serve=self._watch, on_event=self._heard, lost=self._lost, backoff=backoff
            )
        self._figures.trunk(name, self.trunk_state)

    @property
    def is_configured(self) -> bool:
        return self._link is not None

    @property
    def trouble(self) -> str | None:
        return None if self._link is None else self._link.trouble or self._blind

    @property
    def detail(self) -> str:
        """For people: what is wrong, or how the trunk is."""
        if self._link is None:
            return NOT_CONFIGURED
        return self.trouble or f"trunk {self.trunk_state}"

    async def run(self) -> None:
        """Until cancelled."""
        if self._link is None:
            await asyncio.Event().wait()
        else:
            await self._link.run()

    def tell_again(self) -> None:
        """The agents are others, or the dispatcher is: tell it all that is known."""
        if self._seen is not None:
            self._tell_seen(self._seen)

    # ---- a session -----------------------------------------------------------------------------------

    async def _watch(self, session: AmiSession) -> None:
        """Look, and look again, until the session is lost or does not answer."""
        while True:
            self._look_now.clear()
            if not await self._look(session):
                return
            await asyncio.sleep(REST_SECONDS)
            try:
                async with asyncio.timeout(self._look_seconds):
                    await self._look_now.wait()
            except TimeoutError:
                continue

    async def _look(self, session: AmiSession) -> bool:
        """Everything as it stands; False if the session is no good any more."""
        self._changed_since_asked.clear()
        told = await session.ask("ModuleCheck", {"Module": DEVICE_STATES})
        if isinstance(told, AmiRefused):
            self._cannot_see(
                f"Asterisk tells no changes of phones ({told.message}): modules.conf: load = {DEVICE_STATES}.so, "
                "and manager.conf: the user needs write = system"
            )
            return True
        listed = await session.ask("PJSIPShowEndpoints")
        if isinstance(listed, AmiRefused):
            self._cannot_see(
                f"Asterisk lists no endpoints ({listed.message}): load = res_pjsip.so, and the user of manager.conf "
                "needs write = system"
            )
            return True
        registrations = await session.ask("PJSIPShowRegistrationsOutbound")
        if not isinstance(told, AmiAnswer) or not isinstance(listed, AmiAnswer):
            return False
        rows = {f"PJSIP/{row.get('objectname')}": row.get("devicestate", "") for row in listed.events}
        # What was told while the list was made is as new as the list, or newer.
        seen = {endpoint: _state(said) for endpoint, said in rows.items()} | self._changed_since_asked
        self._note_trunk(
            _trunk(self._trunk, rows, registrations.events if isinstance(registrations, AmiAnswer) else ())
        )
        self._note_seen(seen)
        return True

    def _note_seen(self, seen: dict[str, PhoneState]) -> None:
        if self._blind is not None or self._seen is None:
            log.info("ami.phones_seen", node=self._name, endpoints=len(seen))
        is_new = self._blind is not None or self._seen is None or self._of_agents(seen) != self._told
        self._blind, self._seen = None, seen
        if is_new:
            self._tell_seen(seen)

    def _tell_seen(self, seen: Mapping[str, PhoneState]) -> None:
        self._told = self._of_agents(seen)
        self._tell(PhonesSeen(dict(self._told)))

    def _of_agents(self, seen: Mapping[str, PhoneState]) -> dict[str, PhoneState]:
        return {endpoint: seen.get(endpoint, PhoneState.UNKNOWN) for endpoint in self._endpoints()}

    def _heard(self, event: Fields) -> None:
        match event.get("event"):
            case "DeviceStateChange":
                self._phone_changed(event.get("device", ""), _state(event.get("state", "")))
            case "Reload" | "Registry" | "FullyBooted":
                self._look_now.set()
            case _:
                pass

    def _phone_changed(self, endpoint: str, state: PhoneState) -> None:
        self._changed_since_asked[endpoint] = state
        if self._seen is None:
            return
        self._seen[endpoint] = state
        if endpoint == self._trunk and (state is PhoneState.UNREGISTERED) != (
            self.trunk_state is TrunkState.UNREACHABLE
        ):
            self._look_now.set()
        if endpoint in self._told and self._told[endpoint] is not state:
            self._told[endpoint] = state
            self._tell(PhoneChanged(endpoint, state))

    def _cannot_see(self, why: str) -> None:
        if why != self._blind:
            log.error("ami.blind", node=self._name, why=why)
        self._blind = why
        self._forget()

    def _lost(self, why: str) -> None:
        log.warning("ami.lost", node=self._name, why=why, mend="until it is back all phones count as usable")
        self._figures.ami_lost(self._name)
        self._forget()

    def _forget(self) -> None:
        """What was seen may be true no more."""
        was_seen, self._seen, self._told = self._seen is not None, None, {}
        self._note_trunk(TrunkState.UNKNOWN)
        if was_seen:
            self._tell(PhonesUnknown())

    def _note_trunk(self, state: TrunkState) -> None:
        if state is not self.trunk_state:
            log.info("trunk.state", node=self._name, trunk=self._trunk, state=state.value)
        self.trunk_state = state
        self._figures.trunk(self._name, state)


def _state(said: str) -> PhoneState:
    return _STATES.get(said.lower(), PhoneState.UNKNOWN)


def _trunk(trunk: str, endpoints: Mapping[str, str], registrations: Iterable[Fields]) -> TrunkState:
    """A registration is the trunk's if it has its name, or names it as its endpoint."""
    name = trunk.removeprefix("PJSIP/")
    states = [row.get("status", "") for row in registrations if name in (row.get("objectname"), row.get("endpoint"))]
    if states:
        return TrunkState.REGISTERED if "Registered" in states else TrunkState.UNREGISTERED
    match _state(endpoints.get(trunk, "")):
        case PhoneState.UNKNOWN:
            return TrunkState.UNKNOWN
        case PhoneState.UNREGISTERED:
            return TrunkState.UNREACHABLE
        case _:
            return TrunkState.REACHABLE
