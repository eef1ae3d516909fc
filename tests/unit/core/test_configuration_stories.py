"""A new configuration while people wait and talk."""

from __future__ import annotations

from engine.core.configuration import Configuration, Confirmation, ConfirmationKeys
from engine.core.decision import Refusal
from engine.core.effects import DialCustomer, RingAgent
from engine.core.events import PauseRequested
from engine.core.expressions import parse
from engine.core.terms import CallbackState, Outcome, Presence
from engine.core.values import replace
from tests.unit.core.world import AMY, BEN, BILLING, SALES, World, connected

S = CallbackState


def test_given_a_configuration_when_it_is_applied_then_the_version_counts_up() -> None:
    world = World()

    reply = world.configure((BILLING,), (AMY,)).reply

    assert isinstance(reply, Configuration)
    assert reply.version == 2


def test_given_a_waiting_customer_when_the_skill_becomes_wider_then_a_free_agent_serves_them() -> None:
    world = World(services=(replace(BILLING, skill=parse("billing >= 9")),))
    world.agent().ready()
    customer = world.customer()
    assert customer.is_in(S.QUEUED)

    world.configure((BILLING,), (AMY,))

    assert customer.state is S.DIALING


def test_given_a_customer_on_the_phone_when_the_skill_becomes_wider_then_a_free_agent_serves_them() -> None:
    world = World(agents=(AMY, BEN), services=(replace(BILLING, skill=parse("billing >= 5")),))
    world.agent("amy").ready()
    world.agent("ben").ready()
    customer = world.customer()
    customer.confirms()
    world.agent("amy").rejects()
    assert world.agent("ben").shown == "ready"

    world.configure((BILLING,), (AMY, BEN))

    assert world.agent("ben").shown == "ringing"


def test_given_a_waiting_customer_when_the_skill_becomes_narrower_then_they_wait_for_the_right_agent() -> None:
    world = World(agents=(BEN,))
    customer = world.customer()
    world.configure((replace(BILLING, skill=parse("billing >= 5")),), (BEN, AMY))

    world.agent("ben").ready()
    assert customer.state is S.QUEUED
    world.agent("amy").ready()

    assert customer.attempt.agent == "amy"


def test_given_waiting_customers_when_a_configuration_is_applied_then_they_keep_their_places() -> None:
    world = World()
    customers = []
    for _each in range(3):
        customers.append(world.customer())
        world.pass_time(1)

    world.configure((replace(BILLING, skill=parse("billing >= 2")),), (AMY,))

    assert [world.dispatcher.line.position(customer.id) for customer in customers] == [1, 2, 3]


def test_given_a_new_agent_when_they_are_configured_then_they_start_logged_out() -> None:
    world = World()

    world.configure((BILLING,), (AMY, BEN))

    assert world.agent("ben").shown == "logged_out"


def test_given_an_agent_with_new_skills_when_somebody_waits_for_them_then_they_are_served() -> None:
    world = World(agents=(replace(AMY, skills={}),))
    world.agent().ready()
    customer = world.customer()

    world.configure((BILLING,), (AMY,))

    assert customer.state is S.DIALING


def test_given_a_service_with_open_callbacks_when_it_is_left_out_then_the_document_is_refused() -> None:
    world = World(services=(BILLING, SALES))
    customer = world.customer("sales")
    before = world.journal.snapshot()

    reply = world.configure((BILLING,), (AMY, BEN)).reply

    assert isinstance(reply, Refusal)
    assert reply.code == "service-in-use"
    assert world.journal.snapshot() == before
    customer.cancels()
    assert isinstance(world.configure((BILLING,), (AMY,)).reply, Configuration)


def test_given_a_call_in_progress_when_the_service_changes_then_the_call_keeps_its_settings() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()

    world.configure((replace(BILLING, hold_limit_seconds=5, agent_ring_seconds=1),), (AMY,))
    customer.confirms()
    world.pass_time(BILLING.agent_ring_seconds - 1)

    assert world.agent().shown == "ringing"


MIXED_UP = replace(BILLING, confirmation=Confirmation(ConfirmationKeys(connect="3", cancel="1")))


def test_given_other_keys_while_the_phone_rings_then_a_key_means_what_the_announcement_says() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()

    world.configure((MIXED_UP,), (AMY,))
    customer.answers()
    customer.presses("3")

    assert customer.state is S.CONFIRMED


def test_given_other_keys_while_the_announcement_plays_then_a_key_means_what_it_says_until_it_is_repeated() -> None:
    world = World(agents=(AMY, BEN))
    world.agent("amy").ready()
    world.agent("ben").ready()
    first, second = world.customer(), world.customer()
    first.answers()
    second.answers()

    world.configure((MIXED_UP,), (AMY, BEN))
    first.presses("1")
    second.hears_announcement()
    world.pass_time(BILLING.confirmation.wait_seconds)
    second.presses("1")

    assert first.state is S.CONFIRMED
    assert second.closing is Outcome.CANCELLED_BY_KEY


def test_given_a_paused_service_when_it_is_removed_and_comes_back_then_its_customers_are_called() -> None:
    world = World(services=(BILLING, SALES), agents=(BEN,))
    world.tell(PauseRequested(SALES.id))
    world.agent("ben").ready()

    world.configure((BILLING,), (BEN,))
    world.configure((BILLING, SALES), (BEN,))

    assert world.customer("sales").state is S.DIALING


# ---- an agent is removed -------------------------------------------------------------------------------


def test_given_an_agent_removed_while_free_then_they_are_logged_out_and_serve_nobody() -> None:
    world = World(agents=(AMY, BEN))
    world.agent("amy").ready()

    world.configure((BILLING,), (BEN,))
    customer = world.customer()

    assert world.agent("amy").shown == "logged_out"
    assert customer.state is S.QUEUED
    assert isinstance(world.agent("amy").ready().reply, Refusal)


def test_given_an_agent_removed_while_the_customer_is_dialled_then_the_dial_is_cancelled() -> None:
    world = World()
    world.agent().ready()
    customer = world.customer()

    world.configure((BILLING,), (BEN,))

    customer.is_let_go(Outcome.NO_AGENT)
    assert customer.state is S.RETRY_WAIT
    assert world.agent().status.work is None


def test_given_an_agent_removed_while_the_customer_listens_then_another_agent_is_rung() -> None:
    world = World(agents=(AMY, BEN))
    world.agent("amy").ready()
    customer = world.customer()
    customer.answers()

    world.configure((BILLING,), (BEN,))
    customer.presses("1")

    assert world.done(RingAgent) == []
    world.agent("ben").ready()
    world.agent("ben").answers()
    assert customer.state is S.CONNECTED


def test_given_an_agent_removed_while_talking_then_the_conversation_goes_on_and_they_are_logged_out() -> None:
    world = World()
    customer = connected(world)

    world.configure((BILLING,), (BEN,))
    assert customer.state is S.CONNECTED
    customer.hangs_up()
    world.pass_time(BILLING.wrap_up_seconds)

    assert world.agent().status.work is None
    assert world.agent().status.presence is Presence.LOGGED_OUT


def test_given_an_agent_removed_while_talking_when_the_engine_starts_again_then_their_work_still_ends() -> None:
    world = World()
    customer = connected(world)
    world.configure((BILLING,), (BEN,))

    world.restart()
    customer.hangs_up()
    world.pass_time(BILLING.wrap_up_seconds)
    assert world.agent().status.work is None

    world.configure((BILLING,), (AMY,))
    world.agent().ready()
    other = world.customer()
    assert other.state is S.DIALING


def test_given_several_agents_removed_at_once_then_they_are_logged_out_in_the_order_of_their_ids() -> None:
    crew = [replace(AMY, id=type(AMY.id)(f"agent-{n}")) for n in range(20)]
    world = World(agents=crew)
    for agent in crew:
        world.agent(agent.id).ready()
    moves = len(world.journal.agent_moves)

    world.configure((BILLING,), ())

    assert [move.agent for move in world.journal.agent_moves[moves:]] == sorted(agent.id for agent in crew)
    assert world.done(DialCustomer) == []
