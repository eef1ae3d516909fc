"""What happens while a customer waits, is handed over and talks, in every kind of call: events, results, timers, looks.

Who has left before it is known whether the two have met is kept until it is known: an end that is told too early must
not turn a conversation into a missed call, nor the other way round.
"""

from __future__ import annotations

from engine.core.callphase import REFUSED_GRACE_SECONDS, Phase, Recovery
from engine.core.conversation import Conversation
from engine.core.effects import Connect, Effect, HoldWithMusic, Play, RingAgent
from engine.core.events import (
    AttemptSeen,
    Event,
    LegAnswered,
    LegEnded,
    LegEntered,
    LegHeld,
    LegReplaced,
    LegRinging,
    LegSeen,
    LegUnheld,
    PlayingFinished,
    ResultKind,
)
from engine.core.handover import R
from engine.core.terms import LegId
from engine.core.values import replace


class Meeting(Conversation[R]):
    """From the wait to the end of the conversation."""

    def _meet(self, event: Event, now: float) -> None:
        """What an event means for a call whose customer waits, is being connected, or talks."""
        match event:
            case LegEnded(leg=leg) if self._meeting_unknown and self._may_have_been_in_it(leg):
                if all(earlier.leg != leg for earlier in self._left):
                    self._left += (event,)
            case LegRinging(leg=leg) | LegAnswered(leg=leg) | LegEntered(leg=leg) if self._was_given_up(leg):
                self._hang_up(leg)
            case LegEntered(leg=leg) if self._is_agent(leg) and self.phase is Phase.WAITING:
                self._whisper(now)
            case LegEnded(leg=leg, cause=cause, sip_code=sip_code) if leg == self.call.customer_leg:
                self._customer_left(cause, sip_code, now)
            case LegEnded(leg=leg) if self._is_agent(leg):
                self._agent_left(now)
            case LegEnded(leg=leg) if self._is_given_to(leg):
                self._half_left(now)
            case LegEnded(leg=leg) if leg in self.halves:
                self._left_halves |= {leg}
            case LegAnswered(leg=leg) if self._is_given_to(leg):
                self._answered_for(now)
            case LegHeld(leg=leg):
                self._held(leg)
            case LegUnheld(leg=leg):
                self._resumed(leg)
            case LegReplaced(leg=leg, by=by):
                self._replaced(leg, by, now)
            case PlayingFinished(leg=leg, tag="whisper") if self._is_agent(leg):
                if self.phase is Phase.WHISPERING:
                    self._connect(now)
            case _:
                pass

    def _meet_in_time(self, name: str, now: float) -> None:
        """What the end of one of the wait's and the hand-over's times means."""
        match self.phase, name:
            case Phase.WAITING, "agent_ring" if self._agent_unreached:
                self._agent_not_reached(now)
            case Phase.WAITING, "agent_ring":
                self._agent_missed(now)
            case Phase.WAITING | Phase.WHISPERING, "music":
                self._music()
            case Phase.WAITING | Phase.WHISPERING, "comfort":
                self._comfort(now)
            case Phase.WAITING, "hold" if self._agent is None:
                self._nobody_came(now)
            case Phase.WHISPERING, "whisper":
                self._connect(now)
            case Phase.BRIDGING, "bridge":
                self._bridge_overdue(now)
            case _:
                pass

    def _meet_or_not(self, effect: Effect, result: ResultKind, now: float) -> None:
        """What the end of an effect means; of those that are done something follows only after Connect."""
        match effect, result:
            case Connect(agent=leg), _ if leg == self.call.agent_leg and self.phase is Phase.BRIDGING:
                self._connect_ended(result, now)
            case _, ResultKind.OK:
                pass
            case RingAgent(leg=leg), ResultKind.REFUSED if self._is_agent(leg) and self.heard:
                if self.phase is Phase.WAITING:
                    self._agent_missed(now)
            case RingAgent(leg=leg), ResultKind.UNKNOWN if self._is_agent(leg) and self.heard:
                if self.phase is Phase.WAITING:
                    self._agent_maybe_unreached(now)
            case HoldWithMusic(leg=leg), _ if self._waits_with_music(leg):
                self._arm("music", now + REFUSED_GRACE_SECONDS)
            case Play(tag="whisper", leg=leg), _ if self._is_agent(leg):
                if self.phase is Phase.WHISPERING:
                    self._arm("whisper", now + REFUSED_GRACE_SECONDS)
            case _:
                pass

    def _agent_maybe_unreached(self, now: float) -> None:
        self._agent_unreached = True
        self._arm("agent_ring", now + REFUSED_GRACE_SECONDS)

    def _waits_with_music(self, leg: LegId) -> bool:
        return self.phase in (Phase.WAITING, Phase.WHISPERING) and leg == self.call.customer_leg

    def _agent_left(self, now: float) -> None:
        self._agent_leg_live = False
        if self.phase is Phase.CONNECTED:
            self._release_customer()
            self._talked(now)
        elif self.phase in (Phase.WAITING, Phase.WHISPERING, Phase.BRIDGING):
            self._agent_missed(now)

    def _may_have_been_in_it(self, leg: LegId) -> bool:
        return leg in (self.call.customer_leg, self._replaced_by) or self._is_agent(leg)

    # ---- whether they have met -------------------------------------------------------------------------------

    @property
    def _meeting_unknown(self) -> bool:
        """Whether only the end of Connect, or a look, can tell if the two have met."""
        return self.phase is Phase.BRIDGING and not self._connect_refused

    def _connect_ended(self, result: ResultKind, now: float) -> None:
        """Now it is known whether they met, except after UNKNOWN: then they are left alone, and a look may tell."""
        self._connect_under_way = False
        left, self._left = self._left, ()
        by, self._replaced_by = self._replaced_by, None
        if by is not None:
            self._given_away_before(by, left, result, now)
            return
        if result is ResultKind.UNKNOWN:
            if left:
                self._met_and_parted(left, now)
            return
        if result is ResultKind.REFUSED:
            self.call = replace(self.call, bridging_at=None)
        if result is ResultKind.OK and left:
            self._met_and_parted(left, now)
        elif result is ResultKind.OK:
            self._connected(now)
        elif left:
            self._parted_before(left, now)
        else:
            # Mostly somebody just left, and the leg's own end says who.
            self._connect_refused = True
            self._arm("bridge", now + REFUSED_GRACE_SECONDS)

    def _given_away_before(self, by: LegId, left: tuple[LegEnded, ...], result: ResultKind, now: float) -> None:
        """The agent gave the customer away before we knew whether they had met."""
        if result is ResultKind.REFUSED:
            self.call = replace(self.call, bridging_at=None)
            self._hang_up(by)
            customers = tuple(event for event in left if event.leg == self.call.customer_leg)
            self._parted_before(customers or (LegEnded(self.call.agent_leg),), now)
        else:
            self._met_and_given_away(by, left, now)

    def _met_and_given_away(self, by: LegId, left: tuple[LegEnded, ...], now: float) -> None:
        """Who is replaced in a bridge has been in it; `left`: who has gone since, in order."""
        gone = {event.leg for event in left}
        if self.call.customer_leg in gone or (by in gone and self.call.transfer_answered_at is not None):
            self._replaced_by = None if by in gone else by
            self._met_and_parted(left, now)
            return
        self._connected(now)
        self._give_away(by, now)
        if by in gone:
            self._half_left(now)

    def _met_and_parted(self, left: tuple[LegEnded, ...], now: float) -> None:
        """They were together, or may have been, before we knew of it: how long they talked is not known."""
        if all(event.leg != self.call.customer_leg for event in left):
            self._release_customer()
        self._agent_leg_live &= all(event.leg != self.call.agent_leg for event in left)
        self._talked(now, unobserved=True)

    def _parted_before(self, left: tuple[LegEnded, ...], now: float) -> None:
        """They never met: the end counts as it would have, had it been heard of in time; the customer's first."""
        self._agent_leg_live &= all(event.leg != self.call.agent_leg for event in left)
        for event in left:
            if event.leg == self.call.customer_leg:
                self._customer_left(event.cause, event.sip_code, now)
                return
        self._agent_left(now)

    def _bridge_overdue(self, now: float) -> None:
        """Asterisk is slow. Who may be talking is left alone; their legs' own ends and limits go on counting."""
        by, left = self._replaced_by, self._left
        if self._connect_refused:
            self._break_off(now)
        elif by is not None:
            self._left = ()
            self._met_and_given_away(by, left, now)
        elif self._left:
            self._met_and_parted(self._left, now)
        else:
            self._arm("bridge", now + self._limits.bridge_seconds)

    # ---- after a start or a lost event socket ------------------------------------------------------------------

    def _note_look(self, customer: LegSeen, agent: LegSeen) -> tuple[LegSeen, LegSeen]:
        """What was seen, corrected by what was told: a look may be older than the end of a leg that was told."""
        left = {event.leg for event in self._left}
        self._left = ()
        customer = LegSeen.GONE if self.call.customer_leg in left else customer
        agent = LegSeen.GONE if self.call.agent_leg in left else agent
        self._agent_leg_live = agent is not LegSeen.GONE and self.call.agent_legs > 0
        return customer, agent

    def _may_have_met(self, agent: LegSeen, bridged: bool) -> bool:  # noqa: FBT001 - a fact about the look
        """An agent who is still there and in no bridge has never been connected."""
        return bridged or self._connect_under_way or (agent is LegSeen.GONE and not self._connect_refused)

    def _met_unseen(self, agent: LegSeen, *, bridged: bool) -> bool:
        """Whether the customer, who is gone, talked or may have."""
        return self.phase is Phase.CONNECTED or (self.phase is Phase.BRIDGING and self._may_have_met(agent, bridged))

    def _meet_again(self, agent: LegSeen, look: AttemptSeen, now: float) -> Recovery | None:
        """Go on with a customer who is still there; None if they had not come as far as waiting for an agent."""
        match self.phase:
            case Phase.CONNECTED:
                return self._talk_on(agent, look, now)
            case Phase.BRIDGING if look.bridged and self._agent is not None:
                self._connected(now)
                if self._replaced_by is not None:
                    self._give_away(self._replaced_by, now)
                return self._talk_on(agent, look, now)
            case Phase.BRIDGING if self._connect_under_way:
                if agent is LegSeen.GONE:
                    self._left += (LegEnded(self.call.agent_leg),)
                return Recovery.LEFT_ALONE
            case Phase.WAITING | Phase.WHISPERING | Phase.BRIDGING if self._stopping:
                self.call = replace(self.call, bridging_at=None)
                self._break_off(now)
                return Recovery.RELEASED
            case Phase.WAITING | Phase.WHISPERING if self._agent is not None and self._agent_leg_live:
                self._keep_agent(agent, now)
                return Recovery.AGENT_KEPT
            case Phase.WAITING | Phase.WHISPERING | Phase.BRIDGING:
                self._wait_again(now)
                # While nobody could be looked for, the limit may have passed: they are looked for at least once.
                self._hold_until(now + self.service.agent_ring_seconds)
                self._comfort_in_time(now)
                return Recovery.AGENT_WANTED
            case _:
                return None

    def _left_by_customer(self, look: AttemptSeen) -> None:
        """The customer is gone: whoever else is in the bridge talks to nobody."""
        if look.other is not None and look.other != self.call.given_to and look.other not in self._left_halves:
            self.halves |= {look.other}
            self._left_halves |= {look.other}
            self._hang_up(look.other)

    def _keep_agent(self, agent: LegSeen, now: float) -> None:
        """Music again for the customer; the agent's phone rings on, or the whisper begins anew."""
        self._music()
        self._hold_until(now)
        self._comfort_in_time(now)
        if agent is LegSeen.ENTERED or self.phase is Phase.WHISPERING:
            # Nobody whispers whose entry was not heard: a look that shows them outside is older.
            self._whisper(now)
            return
        self.phase = Phase.WAITING
        self._agent_unreached = False
        self._arm("whisper", None)
        self._arm("agent_ring", now + self.service.agent_ring_seconds)
