"""Decides on what agents answer: previews, work from outside, and how a call is classified.

An agent answers only for what they hold; an answer that comes too late changes nothing and is told so.
"""

from __future__ import annotations

from engine.core.admission import Admission
from engine.core.changes import CallClassified, IdempotencyKept, InboundClassified
from engine.core.configuration import Service
from engine.core.decision import Done
from engine.core.events import (
    InteractionEndRequested,
    InteractionRequested,
    PreviewRescheduled,
    WorkAccepted,
    WorkCompleted,
    WorkRejected,
)
from engine.core.lifecycle import Because
from engine.core.records import Callback, Interaction, Work
from engine.core.serving import Serving
from engine.core.switchboard import ANSWER, EXCLUSION, PREVIEW, RONA_RETURN, WRAP_UP
from engine.core.terms import AgentId, DispositionKind, InteractionId, InteractionState, Stage, WorkId
from engine.core.values import replace

_NOT_BEGUN = (Stage.OFFERED, Stage.RESERVED, Stage.RINGING)


class Workspace(Admission, Serving):
    """The agents' side of the switchboard."""

    def _accept_work(self, event: WorkAccepted, now: float) -> None:
        work = self._work_of(event.agent, event.work)
        if work is None or work.stage is not Stage.OFFERED:
            self._refuse("wrong-state", "this is not offered to you, or not any more")
        elif work.callback is None:
            interaction = self.interactions[InteractionId(work.id)]
            self._write(self.timers.clear(interaction.id, ANSWER))
            self._write(self.desks.advance(event.agent, work.id, Stage.ACTIVE, "accepted", now))
            self._keep_interaction(replace(interaction, state=InteractionState.ACTIVE, accepted_at=now))
            self._decision.reply = self.desks.status(event.agent)
        elif self._stopping or not self._telephony:
            self._refuse("not-ready", "nobody can be called at this moment; try again")
        else:
            self._write(self.timers.clear(work.callback, PREVIEW))
            self._write(self.desks.advance(event.agent, work.id, Stage.RESERVED, "accepted", now))
            self._agreed[work.callback] = event.agent
            self._decision.reply = self.desks.status(event.agent)

    def _reject_work(self, event: WorkRejected, now: float) -> None:
        work = self._work_of(event.agent, event.work)
        if work is None or work.stage is not Stage.OFFERED:
            self._refuse("wrong-state", "this is not offered to you, or not any more")
            return
        if work.callback is None:
            interaction = self.interactions[InteractionId(work.id)]
            self._write(self.desks.release(event.agent, work.id, "rejected", now))
            self._exclude(interaction.id, event.agent, self.configuration.services[work.service], now)
            excluded = (*interaction.excluded, event.agent)
            self._interaction_back(replace(interaction, excluded=excluded))
        else:
            callback = self._open(work.callback)
            self._exclude(callback.id, event.agent, self._service_of(callback), now)
            self._ask_no_more(callback, "rejected", now)
            excluded = (*callback.excluded, event.agent)
            self._preview_back(replace(callback, excluded=excluded), Because.PREVIEW_REJECTED, now)
        self._decision.reply = self.desks.status(event.agent)

    def _reschedule_preview(self, event: PreviewRescheduled, now: float) -> None:
        work = self._work_of(event.agent, event.work)
        if work is None or work.stage is not Stage.OFFERED or work.callback is None:
            self._refuse("wrong-state", "only a preview that is offered to you can be put off")
            return
        callback = self._open(work.callback)
        if not self._may_be_asked_for(self._service_of(callback), event.when, now):
            return
        self._ask_no_more(callback, "rescheduled", now)
        self._appoint(replace(callback, booked=False), event.when, Because.RESCHEDULED_BY_AGENT, now)
        self._decision.reply = self.desks.status(event.agent)

    def _complete_work(self, event: WorkCompleted, now: float) -> None:
        """Classify a call, also one that is over; end the wrap-up, or the work from outside."""
        work = self._work_of(event.agent, event.work)
        if event.classification is not None and not self._may_classify(event):
            return
        is_call = event.callback is not None or event.inbound is not None
        if not is_call and (work is None or work.stage is Stage.OFFERED):
            self._refuse("wrong-state", "you do not hold this work")
            return
        if work is not None and work.stage in _NOT_BEGUN:
            self._refuse("wrong-state", "this has not begun yet")
            return
        if event.classification is not None:
            if event.callback is not None:
                self._write([CallClassified(event.callback, event.classification, now)])
            elif event.inbound is not None:
                self._write([InboundClassified(event.inbound, event.classification, now)])
        if work is not None and work.stage is Stage.WRAP_UP:
            self._end_wrap_up(event.agent, work.id, "completed", now)
        elif work is not None and (interaction := self.interactions.get(InteractionId(work.id))):
            self._end_interaction(interaction, InteractionState.COMPLETED, now)
        self._decision.reply = self.desks.status(event.agent) or Done()

    def _end_wrap_up(self, agent: AgentId, work: WorkId, because: str, now: float) -> None:
        self._write(self.timers.clear(agent, WRAP_UP))
        self._write(self.desks.release(agent, work, because, now))

    def _may_classify(self, event: WorkCompleted) -> bool:
        classification, known = event.classification, self.configuration.dispositions
        assert classification is not None  # noqa: S101 - asked with one only
        for code, kind in (
            (classification.disposition, DispositionKind.CALL),
            (classification.outcome_code, DispositionKind.OUTCOME),
        ):
            if code is not None and (code not in known or not known[code].fits(event.service, kind)):
                self._refuse("unknown-disposition", f"there is no {kind} code {code!r} for this service")
                return False
        return True

    def _work_of(self, agent: AgentId, work: WorkId) -> Work | None:
        status = self.desks.status(agent)
        return next((each for each in status.works if each.id == work), None) if status else None

    # ---- previews ------------------------------------------------------------------------------------

    def _dial_previewed(self, now: float) -> None:
        """Call those whom agents agreed to call, in the order of the line, as far as calls may begin."""
        if not self._agreed or not self._telephony:
            return
        callbacks = [self._open(each) for each in self._agreed]
        for callback in sorted(callbacks, key=lambda each: self._place_of(each).key):
            agent = self.desks.agent(self._agreed[callback.id])
            if agent is None or not self._may_dial_now(callback, now):
                self._withdraw_preview(callback, "not_permitted", now)
            elif agent.id in self.desks.phones.unusable:
                self._withdraw_preview(callback, "phone", now)
            elif self._may_begin(now) and self._may_begin_of(callback.request.service, now):
                del self._asked[callback.id], self._agreed[callback.id]
                overtook = self.line.ahead_of(self._place_of(callback))
                self._write(self.book.begin_attempt(callback, Because.PREVIEW_ACCEPTED, now))
                self._start_attempt(self._open(callback.id), agent, now, overtook)

    def _preview_timer(self, callback: Callback, now: float) -> None:
        """The agent did not answer; no fault of theirs if a yes would have been refused, now or before."""
        if self._stopping or not self._telephony or callback.id in self._excused:
            self._withdraw_preview(callback, "withdrawn", now)
            return
        agent = self._asked.pop(callback.id)
        self._missed(agent, WorkId(callback.next_attempt), self._service_of(callback), now)
        self._preview_back(callback, Because.PREVIEW_MISSED, now)

    def _withdraw_preview(self, callback: Callback, because: str, now: float) -> None:
        """Nobody is asked any more; the callback goes back to the line."""
        self._ask_no_more(callback, because, now)
        self._preview_back(callback, Because.PREVIEW_WITHDRAWN, now)

    def _preview_back(self, callback: Callback, because: Because, now: float) -> None:
        """Back to its place in the line."""
        if self._life_over(callback, now):
            self._end(callback, Because.LIFE_OVER, now)
            return
        self._write(self.book.move(callback, because, now))
        self._join(callback)

    def _withdraw_offers(self, agent: AgentId, now: float) -> None:
        """The agent left: what they were only asked about goes to others."""
        status = self.desks.status(agent)
        for work in status.works if status else ():
            if work.callback is not None and self._asked.get(work.callback) == agent:
                self._withdraw_preview(self._open(work.callback), "withdrawn", now)
            elif work.callback is None and work.stage is Stage.OFFERED:
                self._write(self.desks.release(agent, work.id, "withdrawn", now))
                self._interaction_back(self.interactions[InteractionId(work.id)])

    # ---- work from outside ---------------------------------------------------------------------------

    def _request_interaction(self, event: InteractionRequested, now: float) -> None:
        service = self.configuration.services.get(event.service)
        if service is None:
            self._refuse("unknown-service", f"there is no service {event.service!r}")
        elif event.id in self.interactions:
            self._refuse("duplicate-request", "this is open already")
        elif self.line.waiting(event.service) >= service.queue_cap:
            self._refuse("queue-full", "too much waits for this service; try again later")
        else:
            priority = service.interaction_priority if event.priority is None else event.priority
            interaction = Interaction(
                event.id, event.media, event.service, InteractionState.QUEUED, now, priority, event.context
            )
            self._keep_interaction(interaction)
            if event.idempotency is not None:
                self._write([IdempotencyKept(event.idempotency, event.id, now)])
            place = self._place_of_interaction(interaction)
            self.waits.tell(place, self.waits.of_new(place), now)
            self.line.join(place)
            self._decision.reply = interaction

    def _interaction_ended_outside(self, event: InteractionEndRequested, now: float) -> None:
        interaction = self.interactions.get(event.id)
        if interaction is None:
            self._refuse("already-ended", "this has ended already")
            return
        state = InteractionState.COMPLETED if event.completed else InteractionState.CANCELLED
        self._decision.reply = self._end_interaction(interaction, state, now)

    def _end_interaction(self, interaction: Interaction, state: InteractionState, now: float) -> Interaction:
        self.line.leave(interaction.id)
        self.waits.gave_up(interaction.id, now)
        self._write(self.timers.clear_all(interaction.id))
        if interaction.agent is not None and self._work_of(interaction.agent, WorkId(interaction.id)):
            self._write(self.desks.release(interaction.agent, WorkId(interaction.id), state.value, now))
        ended = replace(interaction, state=state, ended_at=now)
        self._keep_interaction(ended)
        return ended

    def _interaction_timer(self, interaction: Interaction, name: str, now: float) -> None:
        if name == ANSWER and interaction.agent is not None:
            work = WorkId(interaction.id)
            if self._stopping or interaction.id in self._excused:
                self._write(self.desks.release(interaction.agent, work, "withdrawn", now))
            else:
                self._missed(interaction.agent, work, self.configuration.services[interaction.service], now)
            self._interaction_back(interaction)
        elif name.startswith(EXCLUSION):
            agent = AgentId(name.removeprefix(EXCLUSION))
            allowed = replace(interaction, excluded=_without(interaction.excluded, agent))
            self._keep_interaction(allowed)
            if interaction.id in self.line:
                self._join_interaction(allowed)

    def _interaction_back(self, interaction: Interaction) -> None:
        self._write(self.timers.clear(interaction.id, ANSWER))
        back = replace(interaction, state=InteractionState.QUEUED, agent=None)
        self._keep_interaction(back)
        self._join_interaction(back)

    # ---- what both have in common --------------------------------------------------------------------

    def _exclude(self, item: str, agent: AgentId, service: Service, now: float) -> None:
        self._write(self.timers.set(item, EXCLUSION + agent, now + service.reject_exclusion_seconds))

    def _no_longer_excluded(self, callback: Callback, agent: AgentId) -> None:
        allowed = replace(callback, excluded=_without(callback.excluded, agent))
        self._write(self.book.keep(allowed))
        self._rejoin(allowed)

    def _missed(self, agent: AgentId, work: WorkId, service: Service, now: float) -> None:
        """RONA: the agent did not answer and takes no more, for a while or until they say so."""
        status = self.desks.status(agent)
        was_ready = status is not None and status.ready
        self._write(self.desks.redirect_on_no_answer(agent, work, now))
        if was_ready and service.rona_return_seconds is not None:
            self._write(self.timers.set(agent, RONA_RETURN, now + service.rona_return_seconds))
        self._withdraw_offers(agent, now)


def _without(agents: tuple[AgentId, ...], agent: AgentId) -> tuple[AgentId, ...]:
    return tuple(each for each in agents if each != agent)
