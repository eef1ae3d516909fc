"""One live attempt, step by step: reserve mode.

The flow owns the attempt's record, its legs and its timers, and nothing else: it reports facts, and the dispatcher
moves the callback and the agent. Each phase answers only the events that mean something in it; all others are late or
doubled news and change nothing. Every phase that waits for the outside has a timer that ends on the human's side.

The phases and limits stand in callphase.py. The module is long because the machine is one: splitting it further would
tear phases from the timers that end them.
"""

from __future__ import annotations

from dataclasses import replace

from engine.core import outcomes, retry
from engine.core.callphase import (
    ANNOUNCEMENT,
    FREE_LATERS,
    REFUSED_GRACE_SECONDS,
    Phase,
    Step,
    phase_of,
)
from engine.core.effects import (
    Connect,
    DialCustomer,
    Dismantle,
    Effect,
    Farewell,
    HoldWithMusic,
    Play,
    Release,
    RingAgent,
    Voice,
)
from engine.core.events import (
    EffectEnded,
    Event,
    KeyPressed,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegRinging,
    LegSeen,
    PlayingFinished,
    ResultKind,
)
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
from engine.core.model import Agent, AgentId, Attempt, Callback, LegId, Outcome, PromptId, Service


class CallFlow:
    """The state machine of one attempt. Methods take the event and the time and return a Step."""

    def __init__(self, attempt: Attempt, callback: Callback, service: Service, agent: Agent | None) -> None:
        self.attempt = attempt
        self.service = service
        self._limits = service.call_limits
        self.phase = phase_of(attempt)
        self._callback = callback
        self._phone = callback.request.phone
        self._voice = Voice(service.id, callback.request.language)
        self._agent = agent
        self._agent_leg_live = agent is not None and attempt.agent_legs > 0
        self._announced_times = 0
        self._media_failed = False
        self._stopping = False
        self._step = Step()

    @property
    def agent(self) -> AgentId | None:
        return self._agent.id if self._agent else None

    # ---- what the dispatcher asks for ----------------------------------------------------------------

    def start(self, now: float) -> Step:
        """Dial the customer; the agent is reserved."""
        before_connect = (
            self.service.ring_timeout_seconds
            + self._limits.enter_seconds
            + self._announcement_limit()
            + self.service.hold_limit_seconds
            + self.service.agent_ring_seconds
            + self._limits.whisper_seconds
            + self._limits.bridge_seconds
        )
        self._do(
            DialCustomer(
                self.attempt.id,
                self.attempt.customer_leg,
                self._phone,
                self.service.caller_id,
                self._voice,
                self.service.ring_timeout_seconds,
                before_connect,
            )
        )
        self._arm("ring", now + self.service.ring_timeout_seconds)
        return self._taken()

    def give_agent(self, agent: Agent, now: float) -> Step:
        """An agent was reserved for the customer who waits on the phone."""
        self._agent = agent
        self._ring_agent(now)
        return self._taken()

    def withdraw_agent(self, now: float) -> Step:
        """The reserved agent left before their phone rang."""
        agent = self._agent
        if agent is None or self.phase not in (Phase.DIALING, Phase.ANSWERED, Phase.ANNOUNCING):
            return self._taken()
        if self.phase is Phase.DIALING:
            self._close(Outcome.NO_AGENT, now)
        else:
            self._free_agent()
        return self._taken()

    def end_politely(self, now: float) -> Step:
        """The engine stops: end what is not about to be a conversation, or as soon as it is not."""
        self._stopping = True
        if self.phase in (Phase.DIALING, Phase.ANSWERED):
            self._close(Outcome.INTERRUPTED, now)
        elif self.phase in (Phase.ANNOUNCING, Phase.CONFIRMED):
            self._close(Outcome.INTERRUPTED, now, PromptId.APOLOGY)
        return self._taken()

    def resume(self, customer: LegSeen, agent: LegSeen, now: float, *, bridged: bool = False) -> Step:
        """After a start: go on from what Asterisk still has. Entry actions are repeatable, dialling is not."""
        self._agent_leg_live = agent is not LegSeen.GONE and self.attempt.agent_legs > 0
        if customer is LegSeen.GONE:
            self._gone_unseen(now)
        elif self.phase is Phase.CLOSING:
            self._release_again(now)
            self._drop_agent_leg()
        elif self.phase is Phase.CONNECTED:
            if agent is LegSeen.GONE:
                self._release_customer()
                self._finish(Outcome.CONNECTED, now, unobserved=True)
        elif self.phase in (Phase.CONFIRMED, Phase.WHISPERING, Phase.BRIDGING):
            if bridged and self._agent_leg_live and self._agent is not None:
                self._found_connected(now)
            else:
                self._wait_again(now)
        elif customer is LegSeen.ENTERED:
            self._announce(now)
        elif self.phase is Phase.ANSWERED:
            self._arm("enter", now + self._limits.enter_seconds)
        elif self.phase is Phase.DIALING:
            self.attempt = replace(self.attempt, rang=True)
            self._tell(Dialled())
        return self._taken()

    def _gone_unseen(self, now: float) -> None:
        """The customer's leg ended while nobody listened."""
        if self.phase is Phase.CONNECTED:
            self._finish(Outcome.CONNECTED, now, unobserved=True)
            return
        # It may have rung: who knows no better has to believe so.
        self.attempt = replace(self.attempt, rang=True)
        if self.phase is Phase.CLOSING:
            self._closed(now)
        else:
            self._finish(Outcome.INTERRUPTED, now)

    def _found_connected(self, now: float) -> None:
        """They were bridged just before the engine died, and talk: leave them alone."""
        for name in ("agent_ring", "music", "whisper"):
            self._arm(name, None)
        self._connected(now)

    def _wait_again(self, now: float) -> None:
        """Nobody knows how far the agent's side had come: music for the customer, and an agent anew."""
        if self._stopping:
            self._close(Outcome.INTERRUPTED, now, PromptId.APOLOGY)
            return
        self.phase = Phase.CONFIRMED
        for name in ("agent_ring", "whisper", "bridge"):
            self._arm(name, None)
        if self.attempt.confirmed_at is not None:
            # The limit may have passed, and its timer with it, while an agent was about to be connected.
            self._arm("hold", max(now, self.attempt.confirmed_at + self.service.hold_limit_seconds))
        self._drop_agent_leg()
        if self.attempt.agent_legs:
            self._do(Dismantle(self.attempt.id, self.attempt.bridge))
        self._music()
        self._free_agent()
        self._tell(AgentWanted())

    # ---- what happens on the legs --------------------------------------------------------------------

    def handle(self, event: Event, now: float) -> Step:
        """Facts from Asterisk about this attempt's legs, and results of its effects."""
        match event:
            case EffectEnded(effect=effect, result=result):
                self._effect_ended(effect, result, now)
            case LegRinging(leg=leg) if leg == self.attempt.customer_leg and self.phase is Phase.DIALING:
                self.attempt = replace(self.attempt, rang=True)
                self._tell(Dialled())
            case LegAnswered(leg=leg) if leg == self.attempt.customer_leg and self.phase is Phase.DIALING:
                self._customer_answered(now)
            case LegEntered(leg=leg) if leg == self.attempt.customer_leg:
                if self.phase is Phase.DIALING:
                    self._customer_answered(now)
                if self.phase is Phase.ANSWERED:
                    self._announce(now)
                if self.phase is Phase.CLOSING:
                    self._shows_itself(now)
            case LegRinging(leg=leg) | LegAnswered(leg=leg) if leg == self.attempt.customer_leg:
                if self.phase is Phase.CLOSING:
                    self._shows_itself(now)
            case LegEntered(leg=leg) if self._is_agent(leg) and self.phase is Phase.CONFIRMED:
                self._whisper(now)
            case LegEnded(leg=leg, cause=cause, sip_code=sip_code) if leg == self.attempt.customer_leg:
                self._customer_left(cause, sip_code, now)
            case LegEnded(leg=leg) if self._is_agent(leg):
                self._agent_left(now)
            case KeyPressed(leg=leg, digit=digit) if leg == self.attempt.customer_leg:
                if self.phase is Phase.ANNOUNCING:
                    self._key(digit, now)
            case PlayingFinished(leg=leg, tag=tag, complete=complete) if leg == self.attempt.customer_leg:
                if self.phase is Phase.ANNOUNCING and tag == self._announcement:
                    self._announced(now, complete=complete)
            case PlayingFinished(leg=leg, tag="whisper") if self._is_agent(leg):
                if self.phase is Phase.WHISPERING:
                    self._connect(now)
            case _:
                pass
        return self._taken()

    def timer(self, name: str, now: float) -> Step:
        """One of this attempt's timers fired."""
        self._arm(name, None)
        match self.phase, name:
            case Phase.DIALING, "ring":
                self._close(Outcome.NO_ANSWER, now)
            case Phase.ANSWERED, "enter":
                self._close(Outcome.INTERRUPTED, now)
            case Phase.ANNOUNCING, "announcement":
                self._announcement_overdue(now)
            case Phase.ANNOUNCING, "confirm":
                self._nothing_pressed(now)
            case Phase.CONFIRMED, "agent_ring":
                self._agent_missed(now)
            case Phase.CONFIRMED | Phase.WHISPERING, "music":
                self._music()
            case Phase.CONFIRMED, "hold":
                self._close(Outcome.NO_AGENT, now, PromptId.APOLOGY)
            case Phase.WHISPERING, "whisper":
                self._connect(now)
            case Phase.BRIDGING, "bridge":
                self._close(Outcome.INTERRUPTED, now, PromptId.APOLOGY)
            case Phase.CLOSING, "closing":
                self.attempt = replace(self.attempt, rang=True)  # nobody saw it end, so nobody can say it did not
                self._closed(now)
            case _:
                pass
        return self._taken()

    def _effect_ended(self, effect: Effect, result: ResultKind, now: float) -> None:
        match effect, result:
            case DialCustomer(), ResultKind.OK if self.phase is Phase.DIALING:
                self._tell(Dialled())
            case DialCustomer(), ResultKind.REFUSED if self.phase is Phase.DIALING:
                self._finish(Outcome.REFUSED, now)
            case DialCustomer(), ResultKind.UNKNOWN if self.phase is Phase.DIALING:
                self.attempt = replace(self.attempt, rang=True)
                self._close(Outcome.INTERRUPTED, now)
            case DialCustomer(), ResultKind.REFUSED if self.phase is Phase.CLOSING:
                self._closed(now)
            case DialCustomer(), _ if self.phase is Phase.CLOSING:
                self._shows_itself(now)
            case Release(leg=leg) | Farewell(leg=leg), ResultKind.REFUSED if leg == self.attempt.customer_leg:
                if self.phase is Phase.CLOSING:
                    self._arm("closing", now + REFUSED_GRACE_SECONDS)
            case RingAgent(leg=leg), ResultKind.REFUSED | ResultKind.UNKNOWN if self._is_agent(leg):
                if self.phase is Phase.CONFIRMED:
                    self._agent_missed(now)
            case Play(tag=tag), ResultKind.REFUSED | ResultKind.UNKNOWN if tag == self._announcement:
                if self.phase is Phase.ANNOUNCING:
                    self._announced(now, complete=False)
            case HoldWithMusic(), ResultKind.REFUSED | ResultKind.UNKNOWN:
                if self.phase in (Phase.CONFIRMED, Phase.WHISPERING):
                    self._arm("music", now + REFUSED_GRACE_SECONDS)
            case Play(tag="whisper", leg=leg), ResultKind.REFUSED | ResultKind.UNKNOWN if self._is_agent(leg):
                if self.phase is Phase.WHISPERING:
                    self._arm("whisper", now + REFUSED_GRACE_SECONDS)
            case Connect(agent=leg), _ if self._is_agent(leg) and self.phase is Phase.BRIDGING:
                if result is ResultKind.OK:
                    self._connected(now)
                else:
                    self._arm("bridge", now + REFUSED_GRACE_SECONDS)
            case _:
                pass

    # ---- the customer's side -------------------------------------------------------------------------

    def _customer_answered(self, now: float) -> None:
        self.phase = Phase.ANSWERED
        self.attempt = replace(self.attempt, answered_at=now)
        self._arm("ring", None)
        self._arm("enter", now + self._limits.enter_seconds)
        self._tell(Dialled())

    def _announce(self, now: float) -> None:
        if self.attempt.answered_at is None:
            self.attempt = replace(self.attempt, answered_at=now)
        self.phase = Phase.ANNOUNCING
        self._media_failed = False
        for name in ("ring", "enter", "confirm"):
            self._arm(name, None)
        self._arm("announcement", now + self._limits.announcement_seconds)
        self._announced_times += 1
        self._do(Play(self.attempt.id, self.attempt.customer_leg, ANNOUNCEMENT, self._voice, self._announcement))
        self._tell(Dialled(), Answered())

    def _announced(self, now: float, *, complete: bool = True) -> None:
        if not complete:
            self._media_failed = True
            self._arm("announcement", now + REFUSED_GRACE_SECONDS)
            return
        self._arm("announcement", None)
        self._arm("confirm", now + self.service.confirmation.wait_seconds)

    def _announcement_overdue(self, now: float) -> None:
        if self._media_failed:
            self._close(Outcome.INTERRUPTED, now)
        else:
            self._announced(now)

    def _nothing_pressed(self, now: float) -> None:
        if self._announced_times <= self.service.confirmation.repeats:
            self._announce(now)
        else:
            self._close(Outcome.UNCONFIRMED, now, PromptId.UNCONFIRMED_GOODBYE)

    def _key(self, digit: str, now: float) -> None:
        keys = self.service.confirmation.keys
        if digit == keys.connect:
            self._confirmed(now)
        elif digit == keys.later:
            if self._may_call_later(now):
                self._keep_wish(Outcome.LATER, now, PromptId.LATER_CONFIRMED)
        elif digit == keys.cancel:
            self._keep_wish(Outcome.CANCELLED_BY_KEY, now, PromptId.CANCEL_CONFIRMED)
        elif digit == keys.never:
            self._keep_wish(Outcome.NEVER_AGAIN, now, PromptId.NEVER_CONFIRMED)

    def _may_call_later(self, now: float) -> bool:
        """Only what will be kept is promised."""
        history = (*self._callback.outcomes, Outcome.LATER)
        if history.count(Outcome.LATER) > FREE_LATERS:
            return False
        service, ended_at = self.service, now + self._limits.last_words_seconds
        decided = retry.decide(service.attempts, service.confirmation, history, self.attempt, ended_at)
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

    def _customer_left(self, cause: int | None, sip_code: int | None, now: float) -> None:
        if self.phase is Phase.CLOSING:
            self._closed(now)
            return
        self.attempt = replace(self.attempt, cause=cause, sip_code=sip_code)
        match self.phase:
            case Phase.DIALING:
                self._finish(outcomes.of_unanswered(cause, sip_code), now)
            case Phase.ANSWERED | Phase.ANNOUNCING:
                self._finish(Outcome.HUNG_UP, now)
            case Phase.CONFIRMED | Phase.WHISPERING | Phase.BRIDGING:
                self._finish(Outcome.ABANDONED, now)
            case Phase.CONNECTED:
                self._finish(Outcome.CONNECTED, now)
            case Phase.ENDED:
                pass

    def _music(self) -> None:
        self._do(HoldWithMusic(self.attempt.id, self.attempt.customer_leg, (), self._voice))

    # ---- the agent's side ----------------------------------------------------------------------------

    def _ring_agent(self, now: float) -> None:
        agent = self._agent
        assert agent is not None  # noqa: S101 - the callers have just reserved one
        self.attempt = replace(self.attempt, agent=agent.id, agent_legs=self.attempt.agent_legs + 1)
        self._agent_leg_live = True
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
        self.phase = Phase.BRIDGING
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
            )
        )

    def _connected(self, now: float) -> None:
        self.phase = Phase.CONNECTED
        self.attempt = replace(self.attempt, bridged_at=now)
        self._arm("bridge", None)
        self._arm("hold", None)
        if self._agent is not None:
            self._tell(Bridged(self._agent.id))

    def _agent_left(self, now: float) -> None:
        self._agent_leg_live = False
        if self.phase is Phase.CONNECTED:
            self._release_customer()
            self._finish(Outcome.CONNECTED, now)
        elif self.phase in (Phase.CONFIRMED, Phase.WHISPERING, Phase.BRIDGING):
            self._agent_missed(now)

    def _agent_missed(self, now: float) -> None:
        self._drop_agent_leg()
        bridging = self.phase is Phase.BRIDGING
        if bridging:
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

    # ---- endings -------------------------------------------------------------------------------------

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
        for name in ("ring", "enter", "announcement", "confirm", "agent_ring", "music", "hold", "whisper", "bridge"):
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
        talked = self._agent.id if self._agent and self.attempt.bridged_at is not None else None
        if talked is None:
            self._free_agent()
        self._tell(Finished(self.attempt, outcome, talked, unobserved))

    def _free_agent(self) -> None:
        if self._agent is not None:
            self._tell(AgentFreed(self._agent.id))
            self._agent = None

    def _release_customer(self, *prompts: PromptId) -> None:
        self._do(Release(self.attempt.id, self.attempt.customer_leg, prompts, self._voice))

    def _drop_agent_leg(self) -> None:
        if self._agent_leg_live:
            self._agent_leg_live = False
            self._do(Release(self.attempt.id, self.attempt.agent_leg, (), self._voice))

    # ---- bookkeeping ---------------------------------------------------------------------------------

    @property
    def _announcement(self) -> str:
        """The tag of the announcement that plays; each repeat has its own."""
        return f"announcement.{self._announced_times}"

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
