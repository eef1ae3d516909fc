"""Work from outside, such as chats: offered, taken, done, blended with callbacks; and how agents classify calls."""

from __future__ import annotations

import pytest

from engine.core.changes import CallClassified
from engine.core.configuration import Agent, Disposition, Service
from engine.core.decision import Decision
from engine.core.events import InteractionRequested, WorkCompleted
from engine.core.expressions import parse
from engine.core.records import AgentStatus, Classification, Interaction
from engine.core.terms import (
    VOICE,
    AgentId,
    CallbackId,
    CallbackState,
    DispositionId,
    DispositionKind,
    InteractionId,
    InteractionState,
    Presence,
    ServiceId,
    WorkId,
)
from engine.core.values import replace
from tests.unit.core.office import ASKED_FIRST, CHAT, Chat, Doubled, accepts, chat, code, dials, pauses
from tests.unit.core.world import AMY, BEN, BILLING, SALES, START, AgentAtDesk, Customer, World, configuration

S = CallbackState
RING = BILLING.agent_ring_seconds
EXCLUDED = BILLING.reject_exclusion_seconds
BLENDED = replace(AMY, capacity=parse("voice <= 1 and chat <= 2"))


def house(*agents: Agent, service: Service = BILLING) -> Doubled:
    return Doubled((service, SALES), agents or (AMY, BEN))


def offered(world: World, agent: str = "amy") -> Chat:
    """A chat that is offered to the only agent who is ready."""
    world.agent(agent).ready()
    found = chat(world)
    assert found.shown == ("offered", agent)
    return found


def held(agent: AgentAtDesk) -> list[tuple[str, str]]:
    return [(work.id, work.stage.value) for work in agent.status.works]


# ---- offered, taken, done ------------------------------------------------------------------------------


def test_given_a_free_agent_when_a_chat_comes_then_it_is_offered_and_the_answer_says_so() -> None:
    world = house()
    world.agent().ready()

    reply = world.tell(InteractionRequested(InteractionId("i1"), CHAT, BILLING.id, None, {"url": "example.org"})).reply

    assert isinstance(reply, Interaction)
    assert (reply.state, reply.agent, reply.offered_at) == (InteractionState.OFFERED, "amy", START)
    assert reply == world.journal.interactions[reply.id]
    assert reply.context == {"url": "example.org"}
    assert held(world.agent()) == [("i1", "offered")]
    assert world.journal.timers["i1", "answer"].due_at == START + RING
    assert world.agent().shown == "ready", "a chat is no call"


def test_given_an_offered_chat_when_it_is_accepted_and_completed_then_the_agent_is_free_at_once() -> None:
    world = house()
    one = offered(world)
    second = world.customer()
    world.pass_time(3)

    reply = one.is_accepted().reply
    assert isinstance(reply, AgentStatus)
    assert (one.shown, one.now.accepted_at) == (("active", "amy"), START + 3)
    assert world.journal.timers.keys() == {(second.id, "life")}
    assert second.is_in(S.QUEUED), "one thing at a time"
    world.pass_time(60)
    done = one.is_done().reply

    assert isinstance(done, AgentStatus)
    assert (one.shown, one.now.ended_at) == (("completed", "amy"), START + 63)
    assert second.state is S.DIALING
    assert world.dispatcher.interactions == {}


def test_given_nobody_free_when_a_chat_comes_then_it_waits_in_the_line_among_the_callbacks() -> None:
    world = house()
    first = world.customer()
    world.pass_time(1)
    one = chat(world)
    world.pass_time(1)
    last = world.customer()

    assert [world.dispatcher.line.position(each) for each in (first.id, one.id, last.id)] == [1, 2, 3]
    world.agent().ready()
    assert (first.state, one.shown[0]) == (S.DIALING, "queued")
    first.hangs_up(cause=17)
    assert (one.shown[0], last.state) == ("offered", S.QUEUED)
    one.is_accepted()
    one.is_done()
    assert last.state is S.DIALING


@pytest.mark.parametrize(
    ("callback", "interaction", "own", "chat_first"),
    [(0, 0, None, False), (0, 1, None, True), (1, 0, None, False), (5, 0, 6, True), (0, 9, -1, False)],
)
def test_given_priorities_then_the_higher_is_served_first_whatever_it_is(
    callback: int, interaction: int, own: int | None, *, chat_first: bool
) -> None:
    world = house(service=replace(BILLING, priority=callback, interaction_priority=interaction))
    customer = world.customer()
    world.pass_time(1)
    one = chat(world, priority=own)

    world.agent().ready()

    assert (one.shown[0] == "offered", customer.state is S.DIALING) == (chat_first, not chat_first)


def test_given_a_full_line_then_chats_and_callbacks_count_together() -> None:
    world = house(service=replace(BILLING, queue_cap=2))
    world.customer()
    chat(world)
    before = world.journal.snapshot()

    refused = world.tell(InteractionRequested(InteractionId("i2"), CHAT, BILLING.id))

    assert code(refused.reply) == "queue-full"
    assert code(world.ask()) == "queue-full"
    assert world.journal.snapshot() == before


def test_given_an_unknown_service_or_an_open_id_then_it_is_refused() -> None:
    world = house()
    chat(world, "i1")
    before = world.journal.snapshot()

    assert code(world.tell(InteractionRequested(InteractionId("i2"), CHAT, ServiceId("nothing"))).reply) == (
        "unknown-service"
    )
    assert code(world.tell(InteractionRequested(InteractionId("i1"), CHAT, SALES.id)).reply) == "duplicate-request"
    assert world.journal.snapshot() == before


# ---- no answer, and no ---------------------------------------------------------------------------------


def test_given_an_agent_who_does_not_answer_then_the_chat_keeps_its_place_and_goes_to_the_next() -> None:
    world = house()
    one = offered(world)
    world.pass_time(1)
    world.agent("ben").ready()

    world.pass_time(RING - 1)

    assert (world.agent("amy").shown, world.agent("amy").status.reason) == ("not_ready", "rona")
    assert one.shown == ("offered", "ben")
    assert one.now.created_at == START
    assert one.now.excluded == ()


def test_given_an_agent_who_returns_by_themselves_then_the_chat_is_offered_again() -> None:
    world = house(service=replace(BILLING, rona_return_seconds=30))
    one = offered(world)
    world.pass_time(RING)
    assert one.is_with("queued", None)

    world.pass_time(30)

    assert one.is_with("offered", "amy")


def test_given_an_agent_who_says_no_then_they_are_not_asked_again_before_the_exclusion_is_over() -> None:
    world = house()
    one = offered(world)

    reply = one.is_rejected().reply

    assert isinstance(reply, AgentStatus)
    assert list(one.now.excluded) == ["amy"]
    assert world.agent().shown == "ready"
    world.restart()
    world.pass_time(EXCLUDED - 0.25)
    assert one.is_with("queued", None)
    world.pass_time(0.25)
    assert one.is_with("offered", "amy")
    assert list(one.now.excluded) == []


def test_given_an_exclusion_when_the_chat_is_taken_by_another_agent_then_it_ends_quietly() -> None:
    world = house()
    one = offered(world)
    one.is_rejected()
    world.agent("ben").ready()
    one.is_accepted("ben")

    world.pass_time(EXCLUDED)
    assert (one.shown, one.now.excluded) == (("active", "ben"), ())
    one.is_done("ben")

    assert world.journal.timers == {}


def test_given_a_missed_chat_when_the_agent_has_other_offers_then_these_go_to_others_too_and_what_is_active_stays() -> (
    None
):
    world = house(replace(BLENDED, capacity=parse("chat <= 3")), BEN)
    world.agent("amy").ready()
    active = chat(world, "i1")
    active.is_accepted()
    missed = chat(world, "i2")
    world.pass_time(5)
    other = chat(world, "i3")

    world.pass_time(RING - 5)

    assert world.agent("amy").status.reason == "rona"
    assert [each.shown for each in (active, missed, other)] == [("active", "amy"), ("queued", None), ("queued", None)]
    assert world.journal.timers == {}
    world.agent("ben").ready()
    assert missed.shown == ("offered", "ben"), "first in the line"


@pytest.mark.parametrize("answer", ["accept", "reject", "complete"])
def test_given_a_chat_of_another_agent_then_nobody_else_answers_for_it(answer: str) -> None:
    world = house()
    one = offered(world)
    world.agent("ben").ready()
    before = world.journal.snapshot()
    what = {"accept": one.is_accepted, "reject": one.is_rejected, "complete": one.is_done}[answer]

    assert code(what("ben").reply) == "wrong-state"

    assert world.journal.snapshot() == before


def test_given_a_chat_then_it_is_accepted_once_and_rejected_and_completed_only_in_their_time() -> None:
    world = house()
    one = offered(world)
    assert code(one.is_done().reply) == "wrong-state", "it was only offered"
    one.is_accepted()

    assert code(one.is_accepted().reply) == "wrong-state"
    assert code(one.is_rejected().reply) == "wrong-state"
    assert one.shown == ("active", "amy")


# ---- the agent leaves ----------------------------------------------------------------------------------


@pytest.mark.parametrize("presence", [Presence.NOT_READY, Presence.LOGGED_OUT])
def test_given_an_agent_who_leaves_then_what_was_offered_goes_to_others_and_what_they_took_stays(
    presence: Presence,
) -> None:
    world = house(BLENDED, BEN)
    world.agent("amy").ready()
    taken = chat(world, "i1")
    taken.is_accepted()
    one = chat(world, "i2")
    world.agent("ben").ready()

    world.agent("amy").becomes(presence)

    assert (taken.shown, one.shown) == (("active", "amy"), ("offered", "ben"))
    taken.is_done()
    assert world.agent("amy").status.works == ()


def test_given_an_agent_who_is_removed_then_what_was_offered_goes_to_others_and_what_they_took_can_still_end() -> None:
    world = house(BLENDED, BEN)
    world.agent("amy").ready()
    taken = chat(world, "i1")
    taken.is_accepted()
    one = chat(world, "i2")

    world.configure((BILLING, SALES), (BEN,))

    assert (taken.shown, one.shown) == (("active", "amy"), ("queued", None))
    world.restart()
    taken.ends_outside(completed=True)
    assert world.agent("amy").status.works == ()
    assert taken.shown[0] == "completed"


# ---- ended outside -------------------------------------------------------------------------------------


@pytest.mark.parametrize("completed", [True, False])
@pytest.mark.parametrize("reach", ["queued", "offered", "active", "excluded"])
def test_given_a_chat_in_any_state_when_it_ends_outside_then_it_is_over_and_the_agent_is_free(
    reach: str, *, completed: bool
) -> None:
    world = house()
    one = offered(world) if reach != "queued" else chat(world)
    if reach == "active":
        one.is_accepted()
    elif reach == "excluded":
        one.is_rejected()
    waiting = world.customer()

    reply = one.ends_outside(completed=completed).reply

    assert isinstance(reply, Interaction)
    assert reply.state is (InteractionState.COMPLETED if completed else InteractionState.CANCELLED)
    assert reply == one.now
    assert one.now.ended_at == world.now
    assert one.id not in world.dispatcher.line
    assert not [name for owner, name in world.journal.timers if owner == one.id]
    assert (waiting.state is S.DIALING) == (reach != "queued")
    assert code(one.ends_outside(completed=completed).reply) == "already-ended"
    assert code(one.is_accepted().reply) == "wrong-state"


def test_given_a_service_with_an_open_chat_when_it_is_left_out_then_the_document_is_refused_until_it_is_over() -> None:
    world = house()
    one = chat(world, service="sales")

    assert code(world.configure((BILLING,), (AMY,)).reply) == "service-in-use"
    one.ends_outside(completed=False)

    assert not code_or_none(world.configure((BILLING,), (AMY,)))


def code_or_none(decision: Decision) -> str | None:
    return getattr(decision.reply, "code", None)


# ---- blended -------------------------------------------------------------------------------------------


def test_given_room_for_a_call_and_two_chats_then_the_agent_gets_all_three_and_is_shown_by_the_call() -> None:
    world = house(BLENDED)
    world.agent().ready()
    customer = world.customer()
    chats = [chat(world, f"i{n}") for n in range(3)]

    assert [each.shown[0] for each in chats] == ["offered", "offered", "queued"]
    customer.confirms()
    world.agent().answers()
    assert world.agent().shown == "talking"
    chats[0].is_accepted()
    chats[0].is_done()
    assert chats[2].shown[0] == "offered"
    assert customer.state is S.CONNECTED


@pytest.mark.parametrize(
    ("rule", "chat_in_wrap_up", "call_in_chat"),
    [
        (None, False, False),
        ("voice <= 1 and chat <= 2", True, True),
        ("voice + chat <= 1", False, False),
        ("voice <= 1 and chat <= 1 and (voice == 0 or chat == 0)", False, False),
        ("voice * 2 + chat <= 2", False, False),
        ("voice * 2 + chat <= 3", True, True),
    ],
)
def test_given_a_capacity_rule_then_wrap_up_counts_as_the_call_did_and_a_chat_as_a_chat(
    rule: str | None, *, chat_in_wrap_up: bool, call_in_chat: bool
) -> None:
    world = house(replace(AMY, capacity=None if rule is None else parse(rule)))
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().answers()
    customer.hangs_up()
    assert world.agent().shown == "wrap_up"

    one = chat(world)
    assert (one.shown[0] == "offered") == chat_in_wrap_up
    world.pass_time(1)
    second = world.customer()
    if chat_in_wrap_up:
        one.is_accepted()
    assert second.is_in(S.QUEUED), "there is one ear, and it is still at work"
    world.pass_time(BILLING.wrap_up_seconds - 1)
    if not chat_in_wrap_up:
        assert one.shown[0] == "offered", "it came before the second customer"
        one.is_accepted()

    assert (second.state is S.DIALING) == call_in_chat


def test_given_an_agent_in_wrap_up_who_says_ready_then_a_chat_that_fits_only_now_is_offered() -> None:
    world = house()
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().answers()
    customer.hangs_up()
    one = chat(world)
    assert one.shown[0] == "queued"

    reply = world.agent().ready().reply

    assert one.shown == ("offered", "amy")
    assert isinstance(reply, AgentStatus)
    assert [work.id for work in reply.works] == [WorkId(one.id)], "the answer is what holds after all"


def test_given_a_customer_on_the_phone_without_an_agent_then_they_come_before_any_chat() -> None:
    world = house()
    world.agent("amy").ready()
    customer = world.customer()
    customer.confirms()
    urgent = chat(world, priority=99)
    world.agent("amy").rejects()

    world.agent("ben").ready()

    assert (world.agent("ben").shown, urgent.shown[0]) == ("ringing", "queued")


def test_given_lost_telephony_or_a_pause_then_chats_go_on_and_calls_from_outside_wait_for_telephony() -> None:
    world = house()
    world.agent("amy").ready()
    world.agent("ben").ready()
    pauses(world)
    world.lose_telephony()
    world.tell(InteractionRequested(InteractionId("v1"), VOICE, BILLING.id))
    inbound, one = Chat(world, "v1"), chat(world)

    assert (inbound.shown[0], one.shown[0]) == ("queued", "offered")
    world.regain_telephony()

    assert inbound.shown[0] == "offered", "who is on the phone already is not called"


def test_given_a_call_from_outside_then_it_is_the_one_call_that_an_agent_may_have() -> None:
    world = house(replace(AMY, capacity=parse("voice <= 3 and chat <= 1")))
    world.agent().ready()
    world.tell(InteractionRequested(InteractionId("v1"), VOICE, BILLING.id))
    inbound = Chat(world, "v1")
    customer = world.customer()
    assert (inbound.shown, customer.state) == (("offered", "amy"), S.QUEUED)
    inbound.is_accepted()
    assert world.agent().shown == "talking"
    assert customer.is_in(S.QUEUED)

    inbound.is_done()

    assert customer.state is S.DIALING


def test_given_a_customer_and_a_chat_that_need_other_agents_then_each_is_served_by_whoever_can() -> None:
    world = house()
    world.agent("amy").ready()
    world.agent("ben").ready()

    for_sales = chat(world, "i1", service="sales")
    for_billing = chat(world, "i2")

    assert (for_sales.shown[1], for_billing.shown[1]) == ("ben", "amy")


# ---- starting again ------------------------------------------------------------------------------------


@pytest.mark.parametrize("reach", ["queued", "offered", "active"])
def test_given_a_chat_when_the_engine_starts_again_then_it_goes_on_where_it_was(reach: str) -> None:
    world = house()
    one = chat(world) if reach == "queued" else offered(world)
    if reach == "active":
        one.is_accepted()

    world.restart()

    assert one.shown[0] == reach
    if reach == "queued":
        world.agent("amy").ready()
        assert one.shown == ("offered", "amy")
    if reach != "active":
        world.pass_time(5)
        one.is_accepted()
    world.pass_time(100)
    assert one.shown == ("active", "amy")
    one.is_done()
    assert (one.shown[0], world.agent("amy").status.works) == ("completed", ())


def test_given_an_offer_that_timed_out_while_the_engine_was_away_then_it_goes_on_to_the_next_agent() -> None:
    world = house()
    one = offered(world)
    world.agent("ben").ready()
    world.restart()
    world.now += 1000

    world.pass_time(0)

    assert one.is_with("offered", "ben")
    assert world.agent("amy").status.presence is Presence.READY, "they could not answer"
    world.pass_time(BILLING.agent_ring_seconds)
    assert world.agent("ben").status.reason == "rona"


def test_given_an_agent_who_does_not_answer_unheard_then_a_chat_is_missed_all_the_same() -> None:
    world = house()
    one = offered(world)

    world.lose_telephony()
    world.pass_time(BILLING.agent_ring_seconds)

    assert (one.shown, world.agent("amy").status.reason) == (("queued", None), "rona")


def test_given_the_engine_stops_then_a_chat_that_is_offered_may_be_taken_and_none_is_offered_anew() -> None:
    world = house()
    one = offered(world)
    world.agent("ben").ready()
    world.stop()
    second = chat(world, "i2")

    one.is_accepted()

    assert (one.shown, second.shown) == (("active", "amy"), ("queued", None))


def test_given_the_engine_stops_when_an_offered_chat_is_not_answered_then_nobody_is_blamed() -> None:
    world = house()
    one = offered(world)
    world.stop()

    world.pass_time(BILLING.agent_ring_seconds)

    assert (one.shown, world.agent("amy").status.presence) == (("queued", None), Presence.READY)


# ---- what came of it -----------------------------------------------------------------------------------

SOLVED = Disposition(DispositionId("solved"), "Solved")
SALE = Disposition(DispositionId("sale"), "Sale", DispositionKind.OUTCOME, frozenset({SALES.id}))
ANY_OUTCOME = Disposition(DispositionId("won"), "Won", DispositionKind.OUTCOME)


def in_wrap_up() -> tuple[World, Customer]:
    """Amy has talked to a customer of billing, and classifies."""
    world = house()
    world.tell(configuration((BILLING, SALES), (AMY, BEN), None, (), (SOLVED, SALE, ANY_OUTCOME)))
    world.agent().ready()
    customer = world.customer()
    customer.confirms()
    world.agent().answers()
    customer.hangs_up()
    return world, customer


def classifies(
    world: World, customer: Customer, disposition: str, outcome: str | None = None, agent: str = "amy"
) -> Decision:
    said = Classification(DispositionId(disposition), None if outcome is None else DispositionId(outcome), "friendly")
    work = WorkId(customer.attempt.id)
    return world.tell(WorkCompleted(AgentId(agent), work, customer.id, BILLING.id, said))


def test_given_a_wrap_up_when_the_agent_classifies_the_call_then_it_is_written_and_they_are_free() -> None:
    world, customer = in_wrap_up()
    world.pass_time(5)

    reply = classifies(world, customer, "solved", "won").reply

    said = Classification(SOLVED.id, ANY_OUTCOME.id, "friendly")
    assert world.journal.classified == [CallClassified(customer.id, said, START + 5)]
    assert isinstance(reply, AgentStatus)
    assert (reply.shown, reply.works) == ("ready", ())
    assert world.journal.timers == {}


@pytest.mark.parametrize(("disposition", "outcome"), [("unknown", None), ("won", None), ("solved", "sale")])
def test_given_a_code_that_is_not_for_this_then_nothing_is_written_and_the_wrap_up_goes_on(
    disposition: str, outcome: str | None
) -> None:
    world, customer = in_wrap_up()
    before = world.journal.snapshot()

    assert code(classifies(world, customer, disposition, outcome).reply) == "unknown-disposition"

    assert (world.journal.classified, world.journal.snapshot()) == ([], before)
    assert world.agent().shown == "wrap_up"


def test_given_a_wrap_up_that_is_over_when_the_agent_classifies_late_then_it_is_still_written() -> None:
    world, customer = in_wrap_up()
    world.pass_time(BILLING.wrap_up_seconds + 1000)
    other = world.customer()
    assert other.is_in(S.DIALING)

    classifies(world, customer, "solved")

    assert [each.callback for each in world.journal.classified] == [customer.id]
    assert other.state is S.DIALING, "the call that they have now goes on"


def test_given_a_conversation_when_the_agent_classifies_it_early_then_it_is_written_and_they_talk_on() -> None:
    world, customer = in_wrap_up()
    world.agent().ready()
    second = world.customer()
    second.confirms()
    world.agent().answers()

    classifies(world, second, "solved")

    assert [each.callback for each in world.journal.classified] == [second.id]
    assert (second.state, world.agent().shown) == (S.CONNECTED, "talking")
    assert customer.state is S.COMPLETED


def test_given_a_wrap_up_when_the_agent_is_done_without_a_code_then_they_are_free() -> None:
    world, customer = in_wrap_up()

    world.tell(WorkCompleted(world.agent().id, WorkId(customer.attempt.id), customer.id, BILLING.id, None))

    assert (world.agent().shown, world.journal.classified) == ("ready", [])


def test_given_a_preview_when_the_agent_says_done_then_it_is_still_open() -> None:
    world = Doubled((ASKED_FIRST,), (AMY,))
    world.agent().ready()
    customer = world.customer()
    work = WorkId(customer.callback.next_attempt)

    world.tell(WorkCompleted(world.agent().id, work, CallbackId(customer.id), BILLING.id, None))

    assert customer.is_in(S.PREVIEWING)
    accepts(world.agent(), customer)
    assert (customer.state, len(dials(world))) == (S.DIALING, 1)
