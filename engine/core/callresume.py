"""How one attempt goes on after a start and after a lost event socket, from what Asterisk still has of it.

Entry actions are made again, dialling never is. A look may be older than what was told since, so it proves less than an
event does; what it cannot show (keys, whether two people have met) is decided on the side of whoever may be talking.
"""

from __future__ import annotations

from engine.core.callphase import Phase, Recovery, Step
from engine.core.callscreening import CallScreening
from engine.core.events import AttemptSeen, LegSeen
from engine.core.terms import Outcome
from engine.core.values import replace


class CallResume(CallScreening):
    """What a recovery does, phase by phase."""

    def resume(self, look: AttemptSeen, now: float) -> tuple[Step, Recovery]:
        """Go on from what Asterisk still has, and say how. Entry actions are repeatable, dialling is not."""
        customer, agent = self._note_look(look.customer, look.agent)
        if self.phase is Phase.RINGING_FIRST:
            recovery = self._not_yet_dialled(agent, now)
        elif customer is LegSeen.GONE:
            recovery = self._gone_unseen(agent, look, now)
        else:
            recovery = self._still_there(customer, agent, look, now)
            if self.phase in (Phase.DIALING, Phase.ANSWERED, Phase.ANNOUNCING):
                self._wait_on_the_phone()
        return self._taken(), recovery

    def _not_yet_dialled(self, agent: LegSeen, now: float) -> Recovery:
        """Only the agent was rung. Who is there is kept, and the customer is dialled when Asterisk is heard again."""
        if agent is LegSeen.GONE:
            # Also a leg that no look found: its ring may be queued, or on its way to Asterisk.
            self._agent_leg_live = True
            self._finish(Outcome.NO_AGENT, now)
            return Recovery.BACK_IN_LINE
        if agent is LegSeen.ENTERED or self._agent_came:
            # Not dialled at once: a late leg of an earlier call to this customer may have to be hung up first.
            self._agent_waits(now)
            return Recovery.AGENT_KEPT
        self._agent_unreached = False
        self._arm("agent_ring", now + self.service.agent_ring_seconds)
        return Recovery.LEFT_ALONE

    def _wait_on_the_phone(self) -> None:
        """Music again for an agent who was rung first and is still there.

        Why another's leg is gone nobody knows: they stay reserved, and are rung anew when the customer confirms.
        """
        if self._agent_leg_live and self._agent is None:
            self._drop_agent_leg()
        elif self._agent_leg_live:
            self._music_for_agent()

    def _gone_unseen(self, agent: LegSeen, look: AttemptSeen, now: float) -> Recovery:
        """The customer's leg ended while nobody listened."""
        self._left_by_customer(look)
        if self._met_unseen(agent, bridged=look.bridged):
            self._talked(now, unobserved=True)
            return Recovery.ENDED_UNOBSERVED
        # It may have rung: who knows no better has to believe so. If they were being connected, it did not come about.
        self.call = replace(self.call, rang=True, bridging_at=None)
        if self.phase is Phase.CLOSING:
            self._closed(now)
            return Recovery.CLOSED
        self._finish(Outcome.INTERRUPTED, now)
        return Recovery.INTERRUPTED

    def _still_there(self, customer: LegSeen, agent: LegSeen, look: AttemptSeen, now: float) -> Recovery:
        if (met := self._meet_again(agent, look, now)) is not None:
            return met
        match self.phase:
            case Phase.CLOSING:
                self._release_again(now)
                self._drop_agent_leg()
                return Recovery.RELEASED
            case _ if customer is LegSeen.ENTERED:
                self._announce(now)
                return Recovery.ANNOUNCED
            case Phase.ANNOUNCING if self._announcement:
                pass  # its entry was heard: the look is older
            case Phase.DIALING if customer is LegSeen.ANSWERED:
                self._customer_answered(now)
            case Phase.ANSWERED | Phase.ANNOUNCING:
                self._await_entry(now)
            case _:
                self.call = replace(self.call, rang=True)
                self._dialled()
                if self._rang_out:
                    self._arm("silent", None)
                    self._close(Outcome.NO_ANSWER, now)
        return Recovery.LEFT_ALONE
