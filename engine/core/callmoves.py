"""The moves of one live attempt: what is done, written and timed when a phase is entered or the call ends.

Each move is an entry action that may be made again after a restart. Which event leads to which move stands in
callflow.py; the phases stand in callphase.py.
"""

from __future__ import annotations

from dataclasses import replace

from engine.core import retry
from engine.core.callphase import ANNOUNCEMENT, FREE_LATERS, REFUSED_GRACE_SECONDS, Phase, Step, phase_of
from engine.core.effects import (
    Connect,
    Dismantle,
    Effect,
    Farewell,
    HoldWithMusic,
    Play,
    Release,
    RingAgent,
    Voice,
)
from engine.core.events import LegEnded
from engine.core.facts import (
    AgentFreed,
    AgentMissed,
    AgentRinging,
    AgentWanted,
    Answered,
    Bridged,
    Closing,
    Confirmed,
    Dialled,
    Fact,
    Finished,
)
from engine.core.model import Agent, AgentId, Attempt, Callback, CallbackState, LegId, Outcome, PromptId, Service

_BEFORE_CONFIRMED = ("ring", "silent", "enter", "announcement", "confirm")
_AFTER_CONFIRMED = ("agent_ring", "music", "hold", "whisper", "bridge")
STEP_TIMERS = (*_BEFORE_CONFIRMED, *_AFTER_CONFIRMED)
"""Every timer of a call that goes on; one that is closing has none of them."""


class CallMoves:
    """The attempt's record, its legs and its timers. Each move adds to the Step that is being made.

    `heard`: whether Asterisk can be heard at the moment; the dispatcher sets it.
    """

    def __init__(self, attempt: Attempt, callback: Callback, service: Service, agent: Agent | None) -> None:
        self.attempt = attempt
        self.service = service
        self.phase = phase_of(attempt, callback.state)
        self.heard = True
        self._dial_known = callback.state is CallbackState.DIALING
        self._limits = service.call_limits
        self._callback = callback
        self._phone = callback.request.phone
        self._voice = Voice(service.id, callback.request.language)
        self._agent = agent
        self._agent_leg_live = agent is not None and attempt.agent_legs > 0
        self._announcement = ""
        self._repeats_left = service.confirmation.repeats
        self._media_failed = False
        self._stopping = False
        self._rang_out = False
        self._agent_unreached = False
        self._connect_under_way = False
        self._connect_refused = False
        self._left: list[LegEnded] = []
        self._step = Step()

    @property
    def agent(self) -> AgentId | None:
        return self._agent.id if self._agent else None

    # ---- the customer's side --------------------------------------------------------------------------------

    def _dialled(self) -> None:
        """The customer's leg exists."""
        self._dial_known = True
        self._tell(Dialled())

    def _customer_answered(self, now: float) -> None:
        self.attempt = replace(self.attempt, answered_at=now)
        for name in ("ring", "silent"):
            self._arm(name, None)
        self._await_entry(now)
        self._tell(Dialled())

    def _await_entry(self, now: float) -> None:
        """The customer has answered and is kept by the dialplan."""
        self.phase = Phase.ANSWERED
        for name in ("announcement", "confirm"):
            self._arm(name, None)
        self._arm("enter", now + self._limits.enter_seconds)

    def _announce(self, now: float) -> None:
        if self.attempt.answered_at is None:
            self.attempt = replace(self.attempt, answered_at=now)
        self.phase = Phase.ANNOUNCING
        self._media_failed = False
        for name in ("ring", "silent", "enter", "confirm"):
            self._arm(name, None)
        self._arm("announcement", now + self._limits.announcement_seconds)
        # Each has its own name, also after a restart; the same decision made again gives it the same one.
        self._announcement = f"announcement.{now:.3f}"
        self._do(Play(self.attempt.id, self.attempt.customer_leg, ANNOUNCEMENT, self._voice, self._announcement))
        self._tell(Dialled(), Answered())

    def _announced(self, now: float, *, complete: bool = True) -> None:
        if not complete:
            self._media_failed = True
            self._arm("announcement", now + REFUSED_GRACE_SECONDS)
            return
        self._arm("announcement", None)
        self._arm("confirm", now + self.service.confirmation.wait_seconds)

    def _may_call_later(self, now: float) -> bool:
        """Only what will be kept is promised."""
        history = (*self._callback.outcomes, Outcome.LATER)
        if history.count(Outcome.LATER) > FREE_LATERS:
            return False
        service, ended_at = self.service, now + self._limits.last_words_seconds
        decided = retry.decide(
            service.attempts, service.confirmation, history, self.attempt, ended_at, permitted=lambda at: at
        )
        life_ends_at = self._callback.created_at + service.life_seconds
        return isinstance(decided, retry.RetryDecision) and decided.at < life_ends_at

    def _confirmed(self, now: float) -> None:
        self.phase = Phase.CONFIRMED
        self.attempt = replace(self.attempt, confirmed_at=now)
        self._arm("announcement", None)
        self._arm("confirm", None)
        self._arm("hold", now + self.service.hold_limit_seconds)
        self._do(HoldWithMusic(self.attempt.id, self.attempt.customer_leg, (PromptId.CONNECTING,), self._voice))
        self._tell(Confirmed())
        if self._agent is None:
            self._tell(AgentWanted())
        else:
            self._ring_agent(now)

    def _music(self) -> None:
        self._arm("music", None)
        self._do(HoldWithMusic(self.attempt.id, self.attempt.customer_leg, (), self._voice))

    # ---- the agent's side -----------------------------------------------------------------------------------

    def _ring_agent(self, now: float) -> None:
        agent = self._agent
        assert agent is not None  # noqa: S101 - the callers have just reserved one
        self.attempt = replace(self.attempt, agent=agent.id, agent_legs=self.attempt.agent_legs + 1)
        self._agent_leg_live = True
        self._agent_unreached = False
        self._do(
            RingAgent(
                self.attempt.id,
                self.attempt.agent_leg,
                agent.id,
                agent.endpoint,
                self._phone,
                self._voice,
                self.service.agent_ring_seconds,
                self.service.agent_ring_seconds + self._limits.enter_seconds + self._limits.whisper_seconds,
            )
        )
        self._arm("agent_ring", now + self.service.agent_ring_seconds)
        self._tell(AgentRinging(agent.id))

    def _whisper(self, now: float) -> None:
        self.phase = Phase.WHISPERING
        self._arm("agent_ring", None)
        self._arm("whisper", now + self._limits.whisper_seconds)
        self._do(Play(self.attempt.id, self.attempt.agent_leg, (PromptId.WHISPER,), self._voice, "whisper"))

    def _connect(self, now: float) -> None:
        """From here on they may talk, and who may have talked is never called again: written before it is done."""
        self.phase = Phase.BRIDGING
        self.attempt = replace(self.attempt, bridging_at=now)
        self._connect_under_way = True
        self._connect_refused = False
        self._arm("whisper", None)
        self._arm("bridge", now + self._limits.bridge_seconds)
        attempt = self.attempt
        self._do(
            Connect(
                attempt.id,
                attempt.bridge,
                attempt.customer_leg,
                attempt.agent_leg,
                self._limits.conversation_seconds,
                self._waiting_limit(),
            )
        )

    def _connected(self, now: float) -> None:
        self.phase = Phase.CONNECTED
        self.attempt = replace(self.attempt, bridged_at=now)
        self._arm("bridge", None)
        self._arm("hold", None)
        if self._agent is not None:
            self._tell(Bridged(self._agent.id))

    def _agent_missed(self, now: float) -> None:
        self._drop_agent_leg()
        bridging = self.phase is Phase.BRIDGING
        if bridging:
            self.attempt = replace(self.attempt, bridging_at=None)
            self._do(Dismantle(self.attempt.id, self.attempt.bridge))
        self.phase = Phase.CONFIRMED
        for name in ("agent_ring", "whisper", "bridge"):
            self._arm(name, None)
        if self._agent is not None:
            self._tell(AgentMissed(self._agent.id))
            self._agent = None
        confirmed_at = self.attempt.confirmed_at
        if self._stopping:
            self._close(Outcome.INTERRUPTED, now, PromptId.APOLOGY)
        elif confirmed_at is not None and now >= confirmed_at + self.service.hold_limit_seconds:
            self._close(Outcome.NO_AGENT, now, PromptId.APOLOGY)
        else:
            if bridging:
                self._music()  # the bridge may have come about and stopped it
            self._tell(AgentWanted())

    def _free_agent(self) -> None:
        if self._agent is not None:
            self._tell(AgentFreed(self._agent.id))
            self._agent = None

    def _drop_agent_leg(self) -> None:
        if self._agent_leg_live:
            self._agent_leg_live = False
            self._do(Release(self.attempt.id, self.attempt.agent_leg, (), self._voice))

    def _wait_again(self, now: float) -> None:
        """Nobody knows how far the agent's side had come: music for the customer, and an agent anew."""
        self.phase = Phase.CONFIRMED
        self.attempt = replace(self.attempt, bridging_at=None)
        for name in ("agent_ring", "whisper", "bridge"):
            self._arm(name, None)
        if self.attempt.confirmed_at is not None:
            # The limit may have passed, and its timer with it, while an agent was about to be connected.
            self._arm("hold", max(now, self.attempt.confirmed_at + self.service.hold_limit_seconds))
        if self.attempt.agent_legs:
            # Also a leg that no look found: its dial may be queued, or on its way to Asterisk.
            self._agent_leg_live = True
            self._drop_agent_leg()
            self._do(Dismantle(self.attempt.id, self.attempt.bridge))
        self._music()
        self._free_agent()
        self._tell(AgentWanted())

    # ---- endings --------------------------------------------------------------------------------------------

    def _close(self, outcome: Outcome, now: float, *prompts: PromptId) -> None:
        """The outcome stands; let the customer go, with a few last words or without."""
        self._release_customer(*prompts)
        self._closing(
            outcome,
            now + (self._limits.last_words_seconds if prompts else self._limits.closing_seconds),
        )

    def _keep_wish(self, outcome: Outcome, now: float, prompt: PromptId) -> None:
        """The customer pressed a key that ends the call: say that it counts, once it is written."""
        self._do(Farewell(self.attempt.id, self.attempt.customer_leg, (prompt,), self._voice))
        self._closing(outcome, now + self._limits.last_words_seconds)

    def _closing(self, outcome: Outcome, limit: float) -> None:
        self.phase = Phase.CLOSING
        self.attempt = replace(self.attempt, outcome=outcome)
        for name in STEP_TIMERS:
            self._arm(name, None)
        self._arm("closing", limit)
        self._tell(Closing())
        self._drop_agent_leg()
        if self.attempt.answered_at is not None:
            self._free_agent()  # while a phone may still ring, its agent stays reserved

    def _shows_itself(self, now: float) -> None:
        """The leg of a dial that was given up is there, or may be: the release may have come before it."""
        if self.attempt.answered_at is None:
            self.attempt = replace(self.attempt, rang=True)
            self._release_again(now)

    def _release_again(self, now: float) -> None:
        self._release_customer()
        self._arm("closing", now + self._limits.closing_seconds)

    def _closed(self, now: float) -> None:
        outcome = self.attempt.outcome
        assert outcome is not None  # noqa: S101 - nothing closes without one
        self._finish(outcome, now)

    def _finish(self, outcome: Outcome, now: float, *, unobserved: bool = False) -> None:
        self.phase = Phase.ENDED
        self.attempt = replace(self.attempt, outcome=outcome, ended_at=now)
        self._drop_agent_leg()
        if self.attempt.agent_legs:
            self._do(Dismantle(self.attempt.id, self.attempt.bridge))
        may_have_talked = unobserved or self.attempt.bridged_at is not None
        talked = self._agent.id if self._agent and may_have_talked else None
        if talked is None:
            self._free_agent()
        self._tell(Finished(self.attempt, outcome, talked, unobserved))

    def _ended_unobserved(self, now: float) -> None:
        """They talked, or may have, and nobody watched the end of it."""
        self._finish(Outcome.CONNECTED, now, unobserved=True)

    def release_now(self, *prompts: PromptId) -> Release:
        """What lets the customer go."""
        return Release(self.attempt.id, self.attempt.customer_leg, prompts, self._voice)

    def _release_customer(self, *prompts: PromptId) -> None:
        self._do(self.release_now(*prompts))

    # ---- bookkeeping ----------------------------------------------------------------------------------------

    def _waiting_limit(self) -> float:
        """From the confirmation to the conversation."""
        limits, service = self._limits, self.service
        return service.hold_limit_seconds + service.agent_ring_seconds + limits.whisper_seconds + limits.bridge_seconds

    def _announcement_limit(self) -> float:
        confirmation = self.service.confirmation
        return (1 + confirmation.repeats) * (self._limits.announcement_seconds + confirmation.wait_seconds)

    def _is_agent(self, leg: LegId) -> bool:
        """Whether it is the agent leg in use; one that was given up says nothing any more."""
        return self._agent_leg_live and leg == self.attempt.agent_leg

    def _do(self, effect: Effect) -> None:
        self._step.effects.append(effect)

    def _arm(self, name: str, due_at: float | None) -> None:
        self._step.timers[name] = due_at

    def _tell(self, *facts: Fact) -> None:
        self._step.facts.extend(facts)

    def _taken(self) -> Step:
        step, self._step = self._step, Step()
        return step
