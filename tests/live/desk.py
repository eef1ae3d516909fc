"""One Asterisk's node on a desk of its own: what it told, and the attempts that are said to be live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from itertools import count
from urllib.parse import urlsplit

from engine.asterisk.ari import Ok
from engine.asterisk.ari.snapshots import ChannelState
from engine.asterisk.ear import EarSettings
from engine.asterisk.node import AsteriskNode, NodeSettings
from engine.asterisk.recovery import Journalled
from engine.core.effects import DialCustomer, RingAgent, Voice
from engine.core.events import Event, LegEnded, LegEntered, ResultKind, TelephonyReady
from engine.core.records import Attempt
from engine.core.terms import AgentId, AttemptId, CallbackId, LegId, Prompt, PromptId, ServiceId
from engine.lab import Lab
from engine.metrics import Metrics

VOICE = Voice(ServiceId("billing"), "en")
MISSING = Voice(ServiceId("no-such-sounds"), "en")
_NUMBERS = count(1)


class Sounds:
    """Long announcements, a short sound for everything else, and a service whose sounds do not exist."""

    def __init__(self, lab: Lab) -> None:
        self._announcement = f"sound:{lab.announcement_in_asterisk}"

    def media(self, voice: Voice, prompt: Prompt) -> str:
        if voice == MISSING:
            return f"sound:/no/such/folder/{prompt}"
        return self._announcement if prompt is PromptId.ANNOUNCE else "sound:hello-world"


class Desk:
    """A node with what it told, and the attempts that are live or `ended`. `port` is where it finds Asterisk."""

    def __init__(
        self,
        lab: Lab,
        port: int,
        *attempts: Attempt,
        endpoint: str = "PJSIP/{number}@trunk",
        ended: Collection[Attempt] = (),
        startup_time: str | None = None,
        application: str = "ringback",
        ear: EarSettings | None = None,
        settle_seconds: float = 0.3,
    ) -> None:
        self.lab = lab
        self.told: list[Event] = []
        self.attempts = {attempt.id: attempt for attempt in attempts}
        self.endpoints: list[str] = []
        self.known = set(self.attempts) | {attempt.id for attempt in ended}
        self.startup_times: list[str] = []
        self.figures = Metrics()
        self._changed = asyncio.Event()
        settings = NodeSettings(
            name="lab",
            ari_url=f"http://127.0.0.1:{port}{urlsplit(lab.pbx.ari_url).path}",
            ari_user=lab.pbx.ari_user,
            ari_password=lab.pbx.ari_password,
            application=application,
            customer_endpoint=endpoint,
            settle_seconds=settle_seconds,
            ear=ear or EarSettings(),
        )
        self.node = AsteriskNode(
            settings,
            Sounds(lab),
            self._tell,
            journalled=Journalled(
                live=lambda: list(self.attempts.values()),
                is_live=lambda each: each in self.attempts,
                endpoints=lambda: self.endpoints,
                known=self._known_ones,
                started=self._started,
            ),
            startup_time=startup_time,
            figures=self.figures,
        )

    async def _known_ones(self, attempts: Collection[AttemptId]) -> Collection[str]:
        return self.known & set(attempts)

    async def _started(self, startup_time: str) -> None:
        self.startup_times.append(startup_time)

    def counted(self, operation: str, result: str) -> bool:
        """Whether a request to Asterisk ended like this."""
        line = f'ringback_ari_requests_total{{operation="{operation}",result="{result}"}}'
        return line in self.figures.text().decode()

    def _tell(self, event: Event) -> None:
        self.told.append(event)
        self._changed.set()

    async def until(self, holds: Callable[[], object], limit_seconds: float = 10.0) -> None:
        async with asyncio.timeout(limit_seconds):
            while not holds():
                self._changed.clear()
                await self._changed.wait()

    async def until_ended(self, leg: LegId, limit_seconds: float = 10.0) -> None:
        """Wait for the end of this leg; legs of other stories may end meanwhile."""
        await self.until(
            lambda: any(isinstance(each, LegEnded) and each.leg == leg for each in self.told), limit_seconds
        )

    async def told_of(self, event: Event, limit_seconds: float = 10.0) -> None:
        await self.until(lambda: event in self.told, limit_seconds)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Desk]:
        running = asyncio.create_task(self.node.run())
        try:
            yield self
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    @asynccontextmanager
    async def ready(self) -> AsyncIterator[Desk]:
        async with self.open():
            await self.told_of(TelephonyReady())
            yield self

    async def is_up(self, channel: str) -> bool:
        """Whether this channel has been answered; also one of nobody's."""
        found = await self.node.client.channels.get(channel)
        return isinstance(found, Ok) and found.value.state is ChannelState.UP

    async def tidy(self, *legs: LegId) -> None:
        for leg in legs:
            await self.node.calls.hang_up(leg)

    async def answered(self, attempt: Attempt, phone: str) -> None:
        """Dial a customer and wait until the leg is in our hands."""
        assert await self.node.perform(dial(attempt, phone)) == (ResultKind.OK, "")
        await self.told_of(LegEntered(attempt.customer_leg))


async def deafen(desk: Desk) -> None:
    """Asterisk sends the desk's application nothing any more, and does not say so; the event socket stays open.

    A second socket takes the application over, of which the first is not told, and ends. What is left is the same as
    when Asterisk confuses an old socket's end with a new one's beginning.
    """
    application = desk.node.settings.application
    filtered = await desk.node.client.applications.set_event_filter(application, disallowed=["ApplicationReplaced"])
    assert isinstance(filtered, Ok)
    second = await desk.node.client.open_stream(application, subscribe_all=False, heartbeat_seconds=5.0)
    await second.close()


def new_attempt(*, agent_legs: int = 0) -> Attempt:
    name = f"call{next(_NUMBERS)}"
    return Attempt(AttemptId(f"{name}-1"), CallbackId(name), 1, None, 0.0, agent_legs=agent_legs)


def phone(area: int, digits: str) -> str:
    """Each test has its own area code, so that the network's record tells its calls apart."""
    return f"+1{area}55501{digits}"


def dial(attempt: Attempt, to: str) -> DialCustomer:
    return DialCustomer(attempt.id, attempt.customer_leg, to, None, VOICE, 20.0, 120.0)


def ring(attempt: Attempt, endpoint: str) -> RingAgent:
    leg = attempt.agent_leg
    return RingAgent(attempt.id, leg, AgentId("amy"), endpoint, "+12025550100", VOICE, 10.0, 60.0)


def direct(lab: Lab) -> int:
    port = urlsplit(lab.pbx.ari_url).port
    assert port is not None
    return port
