"""After a start: who was ready before it and is not there any more is set to not ready, and nobody waits for them.

There is whose screen is connected, and whose phone is registered or of unknown state: losing sight of phones logs
nobody out. It is looked at once, when the grace is over. A start that dies before that begins with a new grace.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection

import structlog

from engine.core.dispatcher import Dispatcher
from engine.core.events import PresenceRequested
from engine.core.terms import AgentId, PhoneState, Presence
from engine.errors import StoreError

log = structlog.get_logger()

ABSENT = "system"
"""Why they are not ready, as people see it."""


def ready_ones(dispatcher: Dispatcher) -> Collection[AgentId]:
    """Who is ready, by what is written of them."""
    return [status.id for status in dispatcher.desks.statuses() if status.ready]


def absent_ones(
    dispatcher: Dispatcher, ready_before: Collection[AgentId], connected: Callable[[AgentId], bool]
) -> list[AgentId]:
    """Those of them who are still ready, with neither a screen nor a phone. Who holds a call is there."""
    found = []
    for agent_id in ready_before:
        agent, status = dispatcher.desks.agent(agent_id), dispatcher.desks.status(agent_id)
        if agent is None or status is None or not status.ready or status.work is not None or connected(agent_id):
            continue
        if dispatcher.desks.phones.of(agent.endpoint) is PhoneState.UNREGISTERED:
            found.append(agent_id)
    return found


async def send_absent_ones_away(
    dispatcher: Callable[[], Dispatcher],
    submit: Callable[[PresenceRequested], Awaitable[object]],
    connected: Callable[[AgentId], bool],
    grace_seconds: float,
) -> None:
    """Begin at the start; ends when all have been looked at. What cannot be written then is left to the next start."""
    ready_before = ready_ones(dispatcher())
    await asyncio.sleep(grace_seconds)
    for agent in absent_ones(dispatcher(), ready_before, connected):
        log.warning("agent.absent", agent=agent, grace_seconds=grace_seconds)
        try:
            await submit(PresenceRequested(agent, Presence.NOT_READY, ABSENT))
        except StoreError as error:
            log.error("agent.absent_unwritten", agent=agent, why=str(error))
