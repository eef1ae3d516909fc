"""How a customer on the phone comes to an agent and talks, whoever called whom: the moves, and what a flow holds.

    WAITING -> WHISPERING -> BRIDGING -> CONNECTED
       ^____ agent missed ____|

The customer hears music until the agent, whose phone is rung, has heard the whisper. What becomes of a customer for
whom nobody comes, and how the call ends, is the business of the two kinds of call: `callends` for those we made,
`callerends` for those who rang in. Which event leads to which move stands in meeting.py.
"""

from __future__ import annotations

from typing import Generic, TypeVar

from engine.core.callphase import Phase, Step
from engine.core.configuration import Agent, Service
from engine.core.effects import Connect, Dismantle, Effect, HoldWithMusic, Play, Record, Release, RingAgent, Voice
from engine.core.events import LegEnded
from engine.core.facts import AgentFreed, AgentMissed, AgentRinging, AgentWanted, Bridged, Fact
from engine.core.records import Attempt, InboundCall
from engine.core.terms import AgentId, LegId, Prompt, PromptId, ScreeningMode
from engine.core.values import replace

R = TypeVar("R", Attempt, InboundCall)


class Handover(Generic[R]):
    """One customer's leg, and one agent's after another until one of them talks.

    `heard`: whether Asterisk can be heard at the moment; the dispatcher sets it. `caller_id`: what agents see.

    What few calls ever change has its first value in the class: an object with few values of its own is made faster.
    """

    heard = True
    halves: frozenset[LegId] = frozenset()
    _left_halves: frozenset[LegId] = frozenset()
    _left: tuple[LegEnded, ...] = ()
    _replaced_by: LegId | None = None
    _given_at: float | None = None
    _agent_leg_live = False
    _agent_unreached = False
    _connect_under_way = False
    _connect_refused = False
    _stopping = False

    def __init__(
        self, call: R, phase: Phase, service: Service, voice: Voice, caller_id: str | None, agent: Agent | None
    ) -> None:
        self.call: R = call
        self.phase = phase
        self.service = service
        self._limits = service.call_limits
        self._voice = voice
        self._caller_id = caller_id
        self._agent = agent
        if agent is not None and call.agent_legs > 0:
            self._agent_leg_live = True
        if call.given_to is not None:
            self.halves = frozenset({call.given_to})
        if call.transferred_at is not None:
            self._given_at = call.transferred_at
        self._step = Step()

    @property
    def agent(self) -> AgentId | None:
        return self._agent.id if self._agent else None

    # ---- what the two kinds of call decide themselves ---------------------------------------------------

    def _first_waits_until(self) -> float | None:
        """When the customer is let go for whom nobody has come and who has not talked; None: they do not wait yet."""
        raise NotImplementedError

    def _nobody_came(self, now: float) -> None:
        """Let the customer go who has waited as long as they may."""
        raise NotImplementedError

    def _break_off(self, now: float) -> None:
        """Let the customer go for a fault of ours, with an apology."""
        raise NotImplementedError

    def _customer_left(self, cause: int | None, sip_code: int | None, now: float) -> None:
        """The customer's leg is gone."""
        raise NotImplementedError

    def _agent_left(self, now: float) -> None:
        """The agent's leg is gone, or no longer the agent's."""
        raise NotImplementedError

    def _talked(self, now: float, *, unobserved: bool = False) -> None:
        """The call is over, and they have talked, or may have."""
        raise NotImplementedError

    # ---- the agent comes ---------------------------------------------------------------------------------

    def give_agent(self, agent: Agent, now: float) -> Step:
        """An agent was reserved for the customer who waits on the phone."""
        self._agent = agent
        self._ring_agent(now)
        return self._taken()

    def _ring_agent(self, now: float) -> None:
        agent = self._agent
        assert agent is not None  # noqa: S101 - the callers have just reserved one
        rung = agent.id if self.call.bridged_at is None else self.call.agent
        self.call = replace(self.call, agent=rung, agent_legs=self.call.agent_legs + 1)
        self._agent_leg_live = True
        self._agent_unreached = False
        self._do(
            RingAgent(
                self.call.id,
                self.call.agent_leg,
                agent.id,
                agent.endpoint,
                self._caller_id,
                self._voice,
                self.service.agent_ring_seconds,
                self._agent_limit(),
            )
        )
        self._arm("agent_ring", now + self.service.agent_ring_seconds)
        self._tell(AgentRinging(agent.id))

    def _whisper(self, now: float) -> None:
        self.phase = Phase.WHISPERING
        self._arm("agent_ring", None)
        self._arm("whisper", now + self._limits.whisper_seconds)
        self._do(Play(self.call.id, self.call.agent_leg, (PromptId.WHISPER,), self._voice, "whisper"))

    def _connect(self, now: float) -> None:
        """From here on they may talk, and who may have talked is never called again: written before it is done."""
        self.phase = Phase.BRIDGING
        self.call = replace(self.call, bridging_at=now)
        self._connect_under_way = True
        self._connect_refused = False
        for name in ("whisper", "comfort", "music"):
            self._arm(name, None)
        self._arm("bridge", now + self._limits.bridge_seconds)
        call = self.call
        self._do(
            Connect(
                call.id,
                call.bridge,
                call.customer_leg,
                call.agent_leg,
                self._limits.conversation_seconds,
                self._waiting_limit(),
                self._is_listened_to,
            )
        )

    @property
    def _is_listened_to(self) -> bool:
        """Whether Asterisk was asked to report what it hears of the customer."""
        return self.service.screening.mode is not ScreeningMode.OFF

    def _connected(self, now: float) -> None:
        self.phase = Phase.CONNECTED
        if self.call.bridged_at is None:
            self.call = replace(self.call, bridged_at=now)
        self.call = replace(self.call, waits_again_at=None)
        self._arm("bridge", None)
        self._arm("hold", None)
        if self._agent is not None:
            self.call = replace(self.call, agent=self._agent.id)
            self._tell(Bridged(self._agent.id))
        self._record()

    def _record(self) -> None:
        if self.service.recording is None:
            return
        prompts = (PromptId.RECORDED,) if self.service.recording.announce else ()
        name = f"ringback-{self.call.id}-{self.call.agent_legs}"
        limit = self._limits.conversation_seconds
        self._do(Record(self.call.id, self.call.bridge, name, prompts, self._voice, limit))

    # ---- or does not ---------------------------------------------------------------------------------------

    def _agent_missed(self, now: float) -> None:
        self._drop_agent_leg()
        bridging = self.phase is Phase.BRIDGING
        if bridging:
            self.call = replace(self.call, bridging_at=None)
            self._do(Dismantle(self.call.id, self.call.bridge))
        self.phase = Phase.WAITING
        for name in ("agent_ring", "whisper", "bridge"):
            self._arm(name, None)
        if self._agent is not None:
            self._tell(AgentMissed(self._agent.id))
            self._agent = None
        if not self._wait_is_over(now):
            if bridging:
                self._music()  # the bridge may have come about and stopped it
                self._comfort_in_time(now)
            self._tell(AgentWanted())

    def _agent_not_reached(self, now: float) -> None:
        """Nobody knows whether the agent's phone rang: no fault of the agent's."""
        if not self._wait_is_over(now):
            self._wait_again(now)

    def _wait_is_over(self, now: float) -> bool:
        """Whether the customer, whose agent did not come, is let go instead of waiting for another one."""
        until = self._waits_until()
        if self._stopping:
            self._break_off(now)
        elif until is not None and now >= until:
            self._nobody_came(now)
        return self.phase is Phase.CLOSING

    def _wait_again(self, now: float) -> None:
        """Nobody knows how far the agent's side had come: music for the customer, and an agent anew."""
        self.phase = Phase.WAITING
        self.call = replace(self.call, bridging_at=None)
        for name in ("agent_ring", "whisper", "bridge"):
            self._arm(name, None)
        # The limit may have passed, and its timer with it, while an agent was about to be connected.
        self._hold_until(now)
        if self.call.agent_legs:
            # Also a leg that no look found: its dial may be queued, or on its way to Asterisk.
            self._agent_leg_live = True
            self._drop_agent_leg()
            self._do(Dismantle(self.call.id, self.call.bridge))
        if self._replaced_by is not None:
            # Whom the agent sent in their place has not met the customer either.
            self._hang_up(self._replaced_by)
            self._replaced_by = None
        self._music()
        self._free_agent()
        self._tell(AgentWanted())

    # ---- the wait ------------------------------------------------------------------------------------------

    def _waits_until(self) -> float | None:
        """When the customer is let go, also one who has talked and waits again; None: they do not wait yet."""
        again_at = self.call.waits_again_at
        return self._first_waits_until() if again_at is None else again_at + self.service.hold_limit_seconds

    def _hold_until(self, at_least: float) -> None:
        """The limit of the wait, but not before this moment."""
        until = self._waits_until()
        if until is not None:
            self._arm("hold", max(at_least, until))

    def music_now(self) -> HoldWithMusic:
        """What lets the customer hear music."""
        return HoldWithMusic(self.call.id, self.call.customer_leg, (), self._voice)

    def _music(self) -> None:
        self._arm("music", None)
        self._do(self.music_now())

    @property
    def _comfort_seconds(self) -> float | None:
        """How often the customer is told that they are not forgotten; None: never."""
        return self.service.comfort_seconds

    def _comforting(self) -> tuple[Prompt, ...]:
        """What they are told then."""
        return (PromptId.COMFORT,)

    def _comfort_in_time(self, now: float) -> None:
        if self._comfort_seconds is not None:
            self._arm("comfort", now + self._comfort_seconds)

    def _comfort(self, now: float) -> None:
        """Not while an agent is about to come: nobody is to be kept from talking by a sentence about waiting."""
        until = self._waits_until()
        if until is not None and now >= until:
            return
        if self.phase is Phase.WAITING and not self._agent_leg_live:
            self._do(HoldWithMusic(self.call.id, self.call.customer_leg, self._comforting(), self._voice))
        self._comfort_in_time(now)

    # ---- letting go ------------------------------------------------------------------------------------------

    def release_now(self, *prompts: PromptId) -> Release:
        """What lets the customer go."""
        return Release(self.call.id, self.call.customer_leg, prompts, self._voice)

    def _release_customer(self, *prompts: PromptId) -> None:
        self._do(self.release_now(*prompts))

    def _free_agent(self) -> None:
        if self._agent is not None:
            self._tell(AgentFreed(self._agent.id))
            self._agent = None

    def _drop_agent_leg(self) -> None:
        if self._agent_leg_live:
            self._agent_leg_live = False
            self._hang_up(self.call.agent_leg)

    def _hang_up(self, leg: LegId) -> None:
        """Of anybody but the customer."""
        self._do(Release(self.call.id, leg, (), self._voice))

    # ---- bookkeeping -----------------------------------------------------------------------------------------

    def _agent_limit(self) -> float:
        """From an agent's ring to the conversation."""
        limits = self._limits
        return self.service.agent_ring_seconds + limits.enter_seconds + limits.whisper_seconds

    def _waiting_limit(self) -> float:
        """From the beginning of the wait to the conversation."""
        raise NotImplementedError

    def _is_agent(self, leg: LegId) -> bool:
        """Whether it is the agent leg in use; one that was given up says nothing any more."""
        return self._agent_leg_live and leg == self.call.agent_leg

    def _was_given_up(self, leg: LegId) -> bool:
        """Whether it is an agent leg not in use any more; one that shows itself was made after its release."""
        earlier = (f"{self.call.id}.agent.{n}" for n in range(1, self.call.agent_legs + 1))
        return leg != self.call.customer_leg and not self._is_agent(leg) and leg in earlier

    def _do(self, effect: Effect) -> None:
        self._step.effects.append(effect)

    def _arm(self, name: str, due_at: float | None) -> None:
        self._step.timers[name] = due_at

    def _tell(self, *facts: Fact) -> None:
        self._step.facts.extend(facts)

    def _taken(self) -> Step:
        step, self._step = self._step, Step()
        return step
