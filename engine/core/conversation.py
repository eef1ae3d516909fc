"""The conversation, in every kind of call: the agent holds it, or gives the customer to somebody else.

    CONNECTED --- the agent gives the customer away ---> CONNECTED, without an agent --- whoever was given them leaves
                                                              |                               (the call is over)
    WAITING <---- nobody answered whom they were given to ----|

An agent transfers with the keys of their phone, and Asterisk puts a channel of its own into our bridge in place of the
agent's leg: `given_to`. Whoever is behind it is none of our agents, so nothing of them is known but that they are
there. The agent is free at once; the call is over when the customer or the other side leaves, and who stays is let go.
The engine may die at any of these moments: what is not written shows in the bridge at the next start (`_talk_on`).
"""

from __future__ import annotations

from engine.core.callphase import Phase, Recovery
from engine.core.effects import Dismantle, Limit
from engine.core.events import AttemptSeen, LegSeen
from engine.core.facts import AgentWanted, GivenAway, Held, NobodyAnswered, Resumed
from engine.core.handover import Handover, R
from engine.core.terms import LegId
from engine.core.values import replace

RINGS_AT_MOST_SECONDS = 35.0
"""Longer than a phone of `ringback-agents` rings that nobody answers (30 s, extensions.conf)."""


class Conversation(Handover[R]):
    """What happens between the two, and to the channel that takes the agent's place.

    `halves`: every such channel of this call. `_left_halves`: those that are gone, which a look may still have seen.
    """

    def _held(self, leg: LegId) -> None:
        """The agent's phone holds the customer, who hears music from Asterisk: only shown."""
        if self.phase is Phase.CONNECTED and self._is_agent(leg) and self._agent is not None:
            self._tell(Held(self._agent.id))

    def _resumed(self, leg: LegId) -> None:
        """Told also of a hold that never was."""
        if self.phase is Phase.CONNECTED and self._is_agent(leg) and self._agent is not None:
            self._tell(Resumed(self._agent.id))

    # ---- a transfer ------------------------------------------------------------------------------------------

    def _replaced(self, leg: LegId, by: LegId, now: float) -> None:
        """Somebody stands where a leg of ours stood."""
        self.halves |= {by}
        bridging = self.phase is Phase.BRIDGING and not self._connect_refused
        if self._is_agent(leg) and bridging:
            self._replaced_by = by  # the end of Connect, or a look, says whether they had met
        elif self._is_agent(leg) and self.phase is Phase.CONNECTED:
            self._give_away(by, now)
        else:
            # Whom the agent sends in their place before they have met the customer is nobody we know.
            self._hang_up(by)
            if self._is_agent(leg):
                self._drop_agent_leg()
                self._agent_left(now)

    def _give_away(self, by: LegId, now: float) -> None:
        """From now on the customer talks to somebody else: the agent is free, and their leg ours to end."""
        self.halves |= {by}
        self._replaced_by = None
        self._given_at = now
        self._part_from_agent(by, now)
        talks_since = now if self.call.bridging_at is None else self.call.bridging_at
        rest = self._limits.conversation_seconds - (now - talks_since)
        self._do(Limit(self.call.id, by, max(1.0, rest)))

    def _part_from_agent(self, by: LegId | None, now: float) -> None:
        self.call = replace(self.call, given_to=by, transferred_at=self.call.transferred_at or now)
        self._drop_agent_leg()
        self._tell(GivenAway(self.agent, by))
        self._agent = None

    def _is_given_to(self, leg: LegId) -> bool:
        return leg == (self.call.given_to if self.phase is Phase.CONNECTED else self._replaced_by)

    def _answered_for(self, now: float) -> None:
        """Somebody talks to the customer in the agent's place."""
        if self.call.transfer_answered_at is None:
            self.call = replace(self.call, transfer_answered_at=now)
            self._step.changed = True

    def _half_left(self, now: float, *, unobserved: bool = False) -> None:
        """Whoever was given the customer has left, or never came."""
        if self.call.given_to is not None:
            self._left_halves |= {self.call.given_to}
        if self._was_answered(now):
            self._release_customer()
            self._talked(now, unobserved=unobserved)
        else:
            self._nobody_answered(now)

    def _was_answered(self, now: float) -> bool:
        """As far as anybody can tell: of who was given to a call that still rang, nobody tells the answer."""
        rang_long = self._given_at is not None and now - self._given_at > RINGS_AT_MOST_SECONDS
        return self.call.transfer_answered_at is not None or rang_long

    def _nobody_answered(self, now: float) -> None:
        """The customer, who has talked to us, is alone in silence: music, and an agent again, before everybody."""
        self.phase = Phase.WAITING
        self._do(Dismantle(self.call.id, self.call.bridge))
        self.call = replace(self.call, given_to=None, transfer_answered_at=None, bridging_at=None, waits_again_at=now)
        self._tell(NobodyAnswered())
        if not self._wait_is_over(now):
            self._hold_until(now)
            self._music()
            self._comfort_in_time(now)
            self._tell(AgentWanted())

    # ---- letting go ------------------------------------------------------------------------------------------

    def _drop_half(self) -> None:
        """The call is over: whoever was given the customer is not left talking to nobody."""
        half, self._replaced_by = self._replaced_by or self.call.given_to, None
        if half is not None and half not in self._left_halves:
            self._left_halves |= {half}
            self._hang_up(half)

    # ---- after a start or a lost event socket ----------------------------------------------------------------

    def _talk_on(self, agent: LegSeen, look: AttemptSeen, now: float) -> Recovery:
        """The customer is there, and they had met. Who else is in the bridge tells what nobody heard."""
        other = look.other if look.other not in self._left_halves else None
        if self.call.given_to is not None:
            self._drop_agent_leg()  # if it is there still, we died before we ended it
        if other is not None:
            if other != self.call.given_to:
                self._give_away(other, now)
            if look.other_up:
                self._answered_for(now)
            self._record()
            return Recovery.LEFT_ALONE
        if self.call.given_to is not None:
            self._half_left(now, unobserved=True)
        elif look.apart:
            # Given to somebody who never came, or has left.
            self._part_from_agent(None, now)
            self._nobody_answered(now)
        elif agent is LegSeen.GONE:
            self._release_customer()
            self._talked(now, unobserved=True)
        else:
            self._record()
            return Recovery.LEFT_ALONE
        return Recovery.AGENT_WANTED if self.phase is Phase.WAITING else Recovery.ENDED_UNOBSERVED
