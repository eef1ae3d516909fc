"""Agents' phones: what Asterisk says of each endpoint, and which agents cannot be called there now.

Facts of the moment: never written down, unknown after a start. An unknown phone counts as usable, so that losing the
view of them stops nobody from being served. Agents may share an endpoint; what is true of it is true of all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from engine.core.configuration import Agent
from engine.core.terms import AgentId, PhoneState

_UNUSABLE = (PhoneState.BUSY, PhoneState.UNREGISTERED)


class Phones:
    """`unusable`: the agents whose phone is busy, in our menu or not registered; `unregistered`: those whose is not.

    Both are the same sets as long as this lives; others only look.
    """

    def __init__(self) -> None:
        self.unusable: set[AgentId] = set()
        self.unregistered: set[AgentId] = set()
        self._states: dict[str, PhoneState] = {}
        self._in_menu: Counter[str] = Counter()
        self._agents: dict[str, list[AgentId]] = {}

    def configure(self, agents: Mapping[AgentId, Agent]) -> None:
        """The agents, or their endpoints, are others; what is known of endpoints stays true."""
        self._agents = {}
        for agent in agents.values():
            self._agents.setdefault(agent.endpoint, []).append(agent.id)
        self.unusable.clear()
        self.unregistered.clear()
        for endpoint in self._agents:
            self._judge(endpoint)

    def of(self, endpoint: str) -> PhoneState:
        return self._states.get(endpoint, PhoneState.UNKNOWN)

    def seen(self, states: Mapping[str, PhoneState]) -> list[AgentId]:
        """The whole picture: what is not in it is unknown. Returns the agents for whom something has changed."""
        before, self._states = self._states, dict(states)
        return [
            agent
            for endpoint, agents in self._agents.items()
            if before.get(endpoint, PhoneState.UNKNOWN) is not self._judge(endpoint)
            for agent in agents
        ]

    def changed(self, endpoint: str, state: PhoneState) -> Iterable[AgentId]:
        """One phone; returns the agents for whom something has changed."""
        if self.of(endpoint) is state:
            return ()
        self._states[endpoint] = state
        self._judge(endpoint)
        return self._agents.get(endpoint, ())

    def dials_menu(self, endpoint: str) -> Iterable[AgentId]:
        """It is in a call to our own menu, which we know before Asterisk tells it; returns whose phone it is."""
        self._in_menu[endpoint] += 1
        self._judge(endpoint)
        return self._agents.get(endpoint, ())

    def left_menu(self, endpoint: str) -> Iterable[AgentId]:
        """That call is over."""
        self._in_menu -= Counter((endpoint,))  # a phone may have several calls; what is not positive is dropped
        self._judge(endpoint)
        return self._agents.get(endpoint, ())

    def _judge(self, endpoint: str) -> PhoneState:
        """Note which of its agents can be called; the state of the phone."""
        state, agents = self.of(endpoint), self._agents.get(endpoint, ())
        self.unusable.difference_update(agents)
        self.unregistered.difference_update(agents)
        if state in _UNUSABLE or endpoint in self._in_menu:
            self.unusable.update(agents)
        if state is PhoneState.UNREGISTERED:
            self.unregistered.update(agents)
        return state
