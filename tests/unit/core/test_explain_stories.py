"""Explanations, as a supervisor reads them: why this agent, why now, why not earlier, and what a callback waits for."""

from __future__ import annotations

from engine.core.configuration import Agent, Limits, Pace, Widening
from engine.core.decision import Accepted
from engine.core.effects import DialCustomer
from engine.core.events import LegAnswered, LegEnded, LegReplaced, ResultKind
from engine.core.expressions import parse
from engine.core.permission import CallingWindow
from engine.core.terms import AgentId, AgentOrder, ConnectMode, LegId, Reason, ServiceId
from engine.core.values import replace
from tests.unit.core.explained import told
from tests.unit.core.office import (
    ASKED_FIRST,
    DESK,
    HOURS,
    accepts,
    at,
    booked,
    chat,
    goes_on_until,
    moves,
    pauses,
    puts_off,
    rejects,
    resumes,
    suppresses,
)
from tests.unit.core.world import AMY, BEN, BILLING, SALES, Customer, World

PHONE = "+12025550100"
TOKYO = "Asia/Tokyo"
ASKED = "The customer asked on the web to be called back and joined the line of Billing."
AMY_ALONE = (
    "Amy was chosen and the customer called: the only free agent with the skills asked for "
    "(billing; Amy has billing 5). There was nothing to wait for."
)


def caller(world: World, service: str = "billing", phone: str | None = None, *zones: str) -> Customer:
    reply = world.ask(service, phone, zones=zones)
    assert isinstance(reply, Accepted), reply
    return Customer(world, reply.callback.id)


def with_amy(*agents: Agent) -> World:
    """Amy has been ready for some seconds; it is 22:13:30."""
    world = World(agents=(AMY, *agents))
    world.agent().ready()
    world.pass_time(10)
    return world


# ---- why this agent ------------------------------------------------------------------------------------


def test_given_two_free_agents_then_the_one_free_longest_is_named_with_the_whole_call() -> None:
    world = World(agents=(AMY, BEN))
    world.agent("ben").ready()
    world.pass_time(60)
    world.agent().ready()
    world.pass_time(60)
    customer = world.customer()
    world.pass_time(8)
    customer.confirms()
    world.pass_time(4)
    world.agent("ben").answers()
    world.pass_time(180)

    assert told(world, customer)[-1] == "22:18:32 In conversation with Ben since 22:15:32."
    customer.hangs_up()

    assert told(world, customer) == [
        f"22:15:20 {ASKED}",
        (
            "22:15:20 Ben was chosen and the customer called: of the 2 free agents with the skills asked for "
            "(billing; Ben has billing 3), Ben had been free longest, since 22:13:20. There was nothing to wait for."
        ),
        "22:15:28 The customer answered after 8 seconds.",
        "22:15:28 The customer pressed the key to be connected.",
        "22:15:32 The customer was connected with Ben after 4 seconds.",
        "22:18:32 The conversation with Ben ended after 3 minutes: done.",
    ]


def test_given_a_service_that_wants_the_best_then_the_level_is_the_reason() -> None:
    world = World((replace(BILLING, agent_order=AgentOrder.BEST_LEVEL),), (AMY, BEN))
    world.agent("ben").ready()
    world.pass_time(60)
    world.agent().ready()
    world.pass_time(60)
    customer = world.customer()

    assert told(world, customer) == [
        f"22:15:20 {ASKED}",
        (
            "22:15:20 Amy was chosen and the customer called: the best of the 2 free agents with the skills asked for "
            "(billing; Amy has billing 5). There was nothing to wait for."
        ),
        "22:15:20 The customer is being called right now, for Amy.",
    ]


def test_given_an_agent_who_does_not_pick_up_then_the_next_one_is_named() -> None:
    world = with_amy(BEN)
    customer = world.customer()
    world.pass_time(5)
    customer.confirms()
    world.pass_time(25)

    begin = [
        f"22:13:30 {ASKED}",
        f"22:13:30 {AMY_ALONE}",
        "22:13:35 The customer answered after 5 seconds.",
        "22:13:35 The customer pressed the key to be connected.",
        "22:13:50 Amy did not pick up and was set to not ready; the customer waited on with music.",
    ]
    assert told(world, customer) == [
        *begin,
        (
            "22:14:00 The customer is on the phone, with music since 22:13:35, and waits for an agent, "
            "until 22:15:35 at most."
        ),
        "22:14:00 Nobody with the skills asked for (billing) is free: Amy is not ready, Ben is logged out.",
    ]
    world.agent("ben").ready()
    world.pass_time(5)
    world.agent("ben").answers()
    world.pass_time(60)
    customer.hangs_up()

    assert told(world, customer) == [
        *begin,
        "22:14:00 Ben was chosen instead.",
        "22:14:05 The customer was connected with Ben after 30 seconds.",
        "22:15:05 The conversation with Ben ended after 60 seconds: done.",
    ]


def test_given_several_who_are_called_at_the_same_moment_then_each_has_the_agent_who_was_theirs() -> None:
    world = World(agents=(AMY, BEN))
    pauses(world)
    for name in ("amy", "ben"):
        world.agent(name).ready()
        world.pass_time(5)
    customers = [world.customer(), world.customer()]
    resumes(world)
    world.pass_time(5)
    for customer in customers:
        customer.confirms()
    world.pass_time(20)  # neither agent picks up

    assert [told(world, each)[1].partition(" and the customer called: ")[0] for each in customers] == [
        "22:13:30 Amy was chosen",
        "22:13:30 Ben was chosen",
    ]
    assert "of the 2 free agents" in told(world, customers[0])[1]
    assert "the only free agent" in told(world, customers[1])[1]


def test_given_nobody_comes_for_a_customer_on_the_phone_then_they_go_to_the_head_of_the_line() -> None:
    world = with_amy(BEN)
    customer = world.customer()
    world.pass_time(5)
    customer.confirms()
    world.pass_time(200)

    assert told(world, customer)[-4:] == [
        "22:13:50 Amy did not pick up and was set to not ready; the customer waited on with music.",
        "22:15:39 No agent came for the customer in time. The next call was set for 22:16:39, 60 seconds later.",
        "22:16:39 Time for the next call: back to the head of the line of Billing.",
        "22:16:55 Nobody with the skills asked for (billing) is free: Amy is not ready, Ben is logged out.",
    ]


# ---- why not earlier -----------------------------------------------------------------------------------


def test_given_everybody_is_busy_then_who_is_doing_what_and_who_is_back_first_is_told() -> None:
    world = with_amy(BEN)
    world.agent("ben").ready()
    first = world.customer()
    first.confirms()
    world.agent("amy").answers()
    world.customer()
    world.pass_time(20)
    first.hangs_up()
    world.pass_time(5)
    customer = world.customer()

    assert told(world, customer) == [
        f"22:13:55 {ASKED}",
        (
            "22:13:55 Nobody with the skills asked for (billing) is free: Amy is in wrap-up, "
            "Ben is kept for another customer. Amy is back first, by 22:14:20 at the latest."
        ),
    ]
    world.pass_time(4)
    world.agent().ready()

    assert told(world, customer)[1:] == [
        (
            "22:13:59 Amy was chosen and the customer called: the only free agent with the skills asked for "
            "(billing; Amy has billing 5). Just then Amy ended the wrap-up. "
            "Before that nobody with the skills was free: "
            "Amy was in wrap-up, Ben was kept for another customer."
        ),
        "22:13:59 The customer is being called right now, for Amy.",
    ]


def test_given_nobody_is_logged_in_then_that_is_said_and_each_call_up_to_the_last_is_told() -> None:
    world = World(agents=(AMY, BEN))
    customer = world.customer()

    assert told(world, customer) == [
        f"22:13:20 {ASKED}",
        "22:13:20 None of the 2 agents with the skills asked for (billing) is logged in.",
    ]
    world.pass_time(300)
    world.agent().ready()
    customer.hangs_up(17)
    world.pass_time(5)
    assert told(world, customer)[-1] == "22:18:25 The next call is due at 22:28:20."
    world.pass_time(700)
    world.pass_time(600)

    again = [
        "Time for the next call: back to the old place in the line of Billing.",
        AMY_ALONE,
    ]
    assert told(world, customer) == [
        f"22:13:20 {ASKED}",
        (
            "22:18:20 Amy was chosen and the customer called: the only free agent with the skills asked for "
            "(billing; Amy has billing 5). Just then Amy became ready. "
            "Before that nobody with the skills was logged in."
        ),
        "22:18:20 The line was busy. The next call was set for 22:28:20, 10 minutes later.",
        *(f"22:28:20 {each}" for each in again),
        "22:28:52 Nobody answered. The next call was set for 22:38:52, 10 minutes later.",
        *(f"22:38:52 {each}" for each in again),
        "22:39:24 Nobody answered. That was 3 of at most 3 calls, so it is not called again.",
    ]


def test_given_a_crowd_then_numbers_stand_instead_of_names() -> None:
    staff = tuple(Agent(AgentId(f"a{n}"), f"Agent {n}", f"PJSIP/{n}", {"billing": 5}) for n in range(7))
    world = World(agents=staff)
    for each in staff[:4]:
        world.agent(each.id).ready()
        world.pass_time(1)
    others = [world.customer() for _each in range(4)]
    world.pass_time(4)
    customer = world.customer()

    assert told(world, customer)[1:] == [
        (
            "22:13:28 Nobody with the skills asked for (billing) is free: 4 are kept for another customer, "
            "3 are logged out."
        ),
    ]
    world.pass_time(4)
    others[0].hangs_up(17)

    assert told(world, customer)[1:-1] == [
        (
            "22:13:32 Agent 0 was chosen and the customer called: the only free agent with the skills asked for "
            "(billing; Agent 0 has billing 5). "
            "Just then Agent 0 was no longer needed for another call, which ended without a conversation. "
            "Before that nobody with the skills was free: 4 were kept for another customer, 3 were logged out."
        ),
    ]


def test_given_others_ahead_then_how_many_and_why_they_come_first_is_told() -> None:
    vip = replace(BILLING, id=ServiceId("vip"), name="VIP", priority=5)
    world = World((BILLING, vip), (AMY,))
    world.agent().ready()
    first = world.customer()
    first.confirms()
    world.agent().answers()
    world.pass_time(10)
    second = world.customer()
    world.pass_time(10)
    customer = world.customer()
    world.pass_time(10)
    important = world.customer("vip")

    assert told(world, customer) == [
        f"22:13:40 {ASKED}",
        "22:13:50 Nobody with the skills asked for (billing) is free: Amy is on a call.",
        (
            "22:13:50 1 customer of Billing is ahead; besides, 1 customer of another service comes first "
            "for the same agents."
        ),
    ]
    first.hangs_up()
    world.agent().ready()
    world.pass_time(20)
    important.hangs_up(17)
    world.pass_time(3)
    second.hangs_up(17)

    assert told(world, customer)[1:] == [
        (
            "22:14:13 Amy was chosen and the customer called: the only free agent with the skills asked for "
            "(billing; Amy has billing 5). "
            "Just then Amy was no longer needed for another call, which ended without a conversation. "
            "Before that nobody with the skills was free: Amy was kept for another customer. "
            "While this customer waited, 1 other customer of the service and 1 customer of another service got a call, "
            "1 of them with a higher priority."
        ),
        "22:14:13 The customer is being called right now, for Amy.",
    ]


def test_given_an_agent_full_of_other_work_then_that_is_why() -> None:
    world = World(agents=(replace(AMY, capacity=parse("voice + chat <= 2")),))
    world.agent().ready()
    world.pass_time(5)
    chats = [chat(world, f"chat-{n}") for n in range(2)]
    for each in chats:
        each.is_accepted()
    world.pass_time(5)
    customer = world.customer()

    assert told(world, customer) == [
        f"22:13:30 {ASKED}",
        "22:13:30 Nobody with the skills asked for (billing) is free: Amy is holding as much other work as allowed.",
    ]
    world.pass_time(3)
    chats[0].is_done()

    assert told(world, customer)[1:] == [
        (
            "22:13:33 Amy was chosen and the customer called: the only free agent with the skills asked for "
            "(billing; Amy has billing 5). Just then Amy finished other work."
        ),
        "22:13:33 The customer is being called right now, for Amy.",
    ]


def test_given_skills_nobody_has_then_that_is_said() -> None:
    world = World((replace(BILLING, skill=parse("french")),))
    customer = world.customer()

    assert told(world, customer) == [
        f"22:13:20 {ASKED}",
        "22:13:20 No agent at all has the skills asked for (french).",
    ]


def test_given_a_requirement_that_widens_then_when_and_for_how_many_is_told() -> None:
    steps = (Widening(60, parse("billing >= 3")), Widening(120, parse("billing")))
    world = World((replace(BILLING, skill=parse("billing >= 5"), expansion=steps),), (AMY, BEN))
    world.agent("ben").ready()
    world.pass_time(10)
    customer = world.customer()
    world.pass_time(30)

    assert told(world, customer) == [
        f"22:13:30 {ASKED}",
        "22:14:00 The only agent with the skills asked for (billing >= 5), Amy, is not logged in.",
        "22:14:00 From 22:14:30 on less is asked for (billing >= 3), which 2 agents meet.",
    ]
    world.pass_time(40)

    assert told(world, customer)[1:] == [
        (
            "22:14:30 Ben was chosen and the customer called: the only free agent with the skills asked for "
            "(billing >= 3; Ben has billing 3). Not earlier, because until then more was asked for: billing >= 5."
        ),
        "22:14:40 The customer is being called right now, for Ben.",
    ]


# ---- what forbade it -----------------------------------------------------------------------------------


def test_given_a_customer_who_sleeps_then_their_time_of_day_is_the_reason_in_the_services_own_time() -> None:
    window = CallingWindow(8 * 3600, 21 * 3600)
    world = World((replace(DESK, calling_window=window),), (AMY,), None, (HOURS,))
    world.now = at("16:59")
    world.agent().ready()
    world.pass_time(10)
    customer = caller(world, "desk", None, TOKYO)
    world.pass_time(5)

    assert told(world, customer)[1:] == [
        "16:59:15 It is 06:59 where the customer is (Tokyo), too early or too late to call; not before 18:00.",
    ]
    world.pass_time(3700)

    assert told(world, customer) == [
        "16:59:10 The customer asked on the web to be called back and joined the line of Desk.",
        (
            "18:00:00 Amy was chosen and the customer called: the only free agent with the skills asked for "
            "(billing; Amy has billing 5). "
            "Not earlier, because it was not a time of day at which the customer may be called."
        ),
        (
            "18:00:32 Nobody answered. There is no time left at which this customer may be called "
            "(business hours, calling times, limits), so it ended."
        ),
    ]


def test_given_one_number_with_two_requests_then_the_other_call_the_gap_and_the_day_are_told() -> None:
    limits = Limits(min_gap_seconds=90, attempts_per_number_per_day=2)
    world = World((BILLING, SALES), (AMY, BEN), limits)
    world.agent().ready()
    world.agent("ben").ready()
    world.pass_time(5)
    other = caller(world, "sales", PHONE)
    world.pass_time(5)
    customer = caller(world, "billing", PHONE)

    assert told(world, customer)[1:] == [
        f"22:13:30 Another call to the same number is up (callback {other.id}).",
        "22:13:30 The number was called a moment ago; the next call has to wait 90 seconds, so not before 22:14:55.",
    ]
    other.hangs_up(17)
    world.pass_time(90)
    customer.hangs_up(17)

    assert told(world, customer) == [
        f"22:13:30 {ASKED}",
        (
            "22:14:55 Amy was chosen and the customer called: of the 2 free agents with the skills asked for "
            "(billing; Amy has billing 5), Amy had been free longest, since 22:13:20. "
            "Not earlier, because the number had been called shortly before."
        ),
        (
            "22:15:00 The line was busy. The next call was set for Wed 15 Nov, 00:00, "
            "because the number has had all the calls it may get in a day."
        ),
        "22:15:00 The next call is due at Wed 15 Nov, 00:00.",
    ]


def test_given_a_call_that_fails_at_closing_time_then_the_next_one_waits_for_business_hours() -> None:
    world = World((replace(DESK, life_seconds=3 * 86400),), (AMY,), None, (HOURS,))
    world.now = at("16:55")
    world.agent().ready()
    world.pass_time(10)
    customer = caller(world, "desk")
    customer.hangs_up(17)

    assert told(world, customer)[2:] == [
        (
            "16:55:10 The line was busy. The next call was set for Thu 16 Nov, 09:00, "
            "because the service is closed before."
        ),
        "16:55:10 The next call is due at Thu 16 Nov, 09:00.",
    ]


def test_given_a_paused_service_then_that_is_said_and_afterwards_that_it_is_not_on_record() -> None:
    world = with_amy()
    pauses(world)
    customer = world.customer()

    assert told(world, customer)[1:] == ["22:13:30 Billing is paused and calls nobody until somebody resumes it."]
    world.pass_time(30)
    resumes(world)

    assert told(world, customer)[1:] == [
        (
            "22:14:00 Amy was chosen and the customer called: the only free agent with the skills asked for "
            "(billing; Amy has billing 5). "
            "What it had waited for is not on record: a pause that is over, a call that the customer made to us, "
            "an agent's phone that was in use or not registered, or the telephone system, away or fully used."
        ),
        "22:14:00 The customer is being called right now, for Amy.",
    ]


def test_given_a_pace_then_it_is_told_as_what_held_the_call_back() -> None:
    world = World((replace(BILLING, pace=Pace(max_dials=1)),), (AMY, BEN))
    world.agent().ready()
    world.agent("ben").ready()
    world.pass_time(5)
    other = world.customer()
    world.pass_time(2)
    customer = world.customer()

    assert told(world, customer)[1:] == [
        "22:13:27 Billing may dial 1 customer at a time, and is doing so; one has to answer or end first.",
    ]
    world.pass_time(2)
    other.answers()

    assert told(world, customer)[1:-1] == [
        (
            "22:13:29 Ben was chosen and the customer called: the only free agent with the skills asked for "
            "(billing; Ben has billing 3). "
            "Not earlier, because the service keeps a pace and had begun as many calls as it may."
        ),
    ]


def test_given_a_rate_then_when_the_next_call_may_begin_is_told() -> None:
    world = World(
        (replace(BILLING, pace=Pace(calls_per_second=0.25)),), (AMY, BEN), node=Pace(max_dials=1, calls_per_second=0.1)
    )
    world.agent().ready()
    world.agent("ben").ready()
    world.pass_time(5)
    other = world.customer()
    world.pass_time(2)
    customer = world.customer()

    assert told(world, customer)[1:] == [
        "22:13:27 As many calls are up as the telephone system may carry; one has to end first.",
        "22:13:27 Billing may begin no further call before 22:13:29, to keep its pace.",
        "22:13:27 No service may begin a further call before 22:13:35, to keep the pace of the telephone system.",
    ]
    other.hangs_up(17)
    world.pass_time(8)

    assert told(world, customer)[1].endswith(
        "Not earlier, because as many calls had just begun as the telephone system may begin at a time."
    )


def test_given_a_rate_of_its_own_then_the_service_is_told_to_have_kept_it() -> None:
    world = World((replace(BILLING, pace=Pace(calls_per_second=2)),), (AMY, BEN, replace(AMY, id=AgentId("cat"))))
    for name in ("amy", "ben", "cat"):
        world.agent(name).ready()
    world.pass_time(5)
    for _each in range(2):
        world.customer()
    customer = world.customer()
    world.pass_time(1)

    assert told(world, customer)[1].endswith(
        "Not earlier, because the service keeps a pace and had begun as many calls as it may. "
        "While this customer waited, 2 other customers of the service got a call."
    )


def test_given_telephony_is_lost_then_that_is_why_nobody_is_called() -> None:
    world = with_amy()
    world.lose_telephony()
    customer = world.customer()

    assert told(world, customer) == [
        f"22:13:30 {ASKED}",
        "22:13:30 Nobody can be called at the moment: the telephone system cannot be reached.",
    ]


# ---- agents who are asked first ------------------------------------------------------------------------


def test_given_agents_who_are_shown_the_request_then_each_answer_is_told_and_who_is_left_out() -> None:
    world = World((ASKED_FIRST,), (AMY, BEN))
    world.agent().ready()
    world.pass_time(10)
    customer = world.customer()
    world.pass_time(5)
    shown = (
        "22:13:30 Amy was chosen and shown the request: the only free agent with the skills asked for "
        "(billing; Amy has billing 5). There was nothing to wait for."
    )

    assert told(world, customer) == [
        f"22:13:30 {ASKED}",
        shown,
        "22:13:35 Amy has been shown the request and may say yes or no until 22:13:50.",
    ]
    rejects(world.agent(), customer)
    world.pass_time(10)
    said_no = (
        "22:13:35 Amy said no, and the customer went back to the old place in the line; "
        "Amy is not asked again before 22:18:35."
    )

    assert told(world, customer) == [
        f"22:13:30 {ASKED}",
        shown,
        said_no,
        "22:13:45 Amy said no to this customer and is not asked again before 22:18:35.",
        "22:13:45 The only other agent with the skills asked for (billing), Ben, is not logged in.",
    ]
    world.agent("ben").ready()
    world.pass_time(30)
    world.agent("ben").ready()
    world.pass_time(4)
    accepts(world.agent("ben"), customer)

    ben = (
        "Ben was chosen and shown the request: the only free agent with the skills asked for "
        "(billing; Ben has billing 3). Just then Ben became ready."
    )
    assert told(world, customer) == [
        f"22:13:30 {ASKED}",
        shown,
        said_no,
        f"22:13:45 {ben} Before that nobody else with the skills was logged in.",
        "22:14:05 Ben did not answer in time and was set to not ready; back to the old place in the line.",
        f"22:14:15 {ben} Before that nobody else with the skills was free: Ben was not ready.",
        "22:14:19 Ben agreed, and the customer was called.",
        "22:14:19 The customer is being called right now, for Ben.",
    ]


def test_given_an_agent_who_said_no_and_nobody_else_then_they_are_asked_again_in_time() -> None:
    world = World((ASKED_FIRST,), (AMY,))
    world.agent().ready()
    world.pass_time(10)
    customer = world.customer()
    world.pass_time(5)
    rejects(world.agent(), customer)
    world.pass_time(300)

    assert told(world, customer)[3:] == [
        (
            "22:18:35 Amy was chosen and shown the request: the only free agent with the skills asked for "
            "(billing; Amy has billing 5). Not earlier, because Amy had said no to this customer a while before."
        ),
        "22:18:35 Amy has been shown the request and may say yes or no until 22:18:55.",
    ]


def test_given_an_agent_who_puts_the_call_off_then_until_when_is_told() -> None:
    world = World((replace(DESK, connect=ConnectMode.PREVIEW),), (AMY,), None, (HOURS,))
    world.now = at("10:00")
    world.agent().ready()
    world.pass_time(7)
    customer = caller(world, "desk")
    world.pass_time(10)
    puts_off(world.agent(), customer, at("11:10"))

    assert told(world, customer)[2:] == [
        "10:00:17 Amy put the call off to 11:10.",
        "10:00:17 The customer is not called before 11:10, the time agreed.",
    ]
    goes_on_until(world, at("11:10"))

    assert told(world, customer)[3:4] == ["11:10:00 The time agreed had come: the customer joined the line of Desk."]


def test_given_agents_who_are_called_first_then_who_came_and_who_did_not_is_told() -> None:
    world = World((replace(BILLING, connect=ConnectMode.AGENT_FIRST),), (AMY, BEN))
    world.agent().ready()
    world.pass_time(10)
    customer = world.customer()
    world.pass_time(5)

    assert told(world, customer)[-1] == "22:13:35 Amy is being called right now, and afterwards the customer."
    world.pass_time(12)
    world.agent("ben").ready()
    world.pass_time(3)
    world.agent("ben").picks_up()
    world.pass_time(3)
    customer.answers()

    assert told(world, customer) == [
        f"22:13:30 {ASKED}",
        (
            "22:13:30 Amy was chosen and called first: the only free agent with the skills asked for "
            "(billing; Amy has billing 5). There was nothing to wait for."
        ),
        "22:13:45 Amy did not come to the phone, so the customer was not called; back to the old place in the line.",
        (
            "22:13:47 Ben was chosen and called first: the only free agent with the skills asked for "
            "(billing; Ben has billing 3). Just then Ben became ready. "
            "Before that nobody with the skills was free: Amy was not ready, Ben was logged out."
        ),
        "22:13:50 Ben picked up, so the customer was called.",
        "22:13:53 The customer answered after 3 seconds.",
        "22:13:53 The customer is on the phone right now and is asked to press a key.",
    ]


# ---- appointments and ends -----------------------------------------------------------------------------


def test_given_an_appointment_then_it_is_told_as_it_was_made_and_moved() -> None:
    world = World((DESK,), (AMY,), None, (HOURS,))
    kept, moved = booked(world, at("10:00")), booked(world, at("11:00"))
    asked = "17:13:20 The customer asked on the web to be called by Desk"

    assert told(world, kept) == [
        f"{asked} on Wed 15 Nov, 10:00.",
        "17:13:20 The customer is not called before Wed 15 Nov, 10:00, the time agreed.",
    ]
    moves(moved, at("14:00"))
    goes_on_until(world, at("09:10"))
    moves(moved, now=True)
    world.pass_time(5)
    moved.cancels(Reason.BY_CUSTOMER)
    goes_on_until(world, at("09:50"))
    world.agent().ready()
    goes_on_until(world, at("10:00"))

    assert told(world, moved) == [
        f"{asked} at a time that was changed later.",
        "17:13:20 The call was moved to another time, which was changed again later.",
        "09:10:00 The call was moved to now: the customer joined the line of Desk.",
        "09:10:05 The customer cancelled it. At that moment nobody with the skills was logged in.",
    ]
    assert told(world, kept) == [
        f"{asked} on Wed 15 Nov, 10:00.",
        "10:00:00 The time agreed had come: the customer joined the line of Desk.",
        f"10:00:00 {AMY_ALONE}",
        "10:00:00 The customer is being called right now, for Amy.",
    ]


def test_given_keys_and_lists_that_end_it_then_they_are_the_reason() -> None:
    world = with_amy()
    never = world.customer()
    world.pass_time(5)
    never.answers()
    world.pass_time(3)
    never.presses("9")
    world.pass_time(9)
    listed = world.customer()
    listed.hangs_up(17)
    world.pass_time(60)
    suppresses(world, listed.callback.request.phone)
    wrong = world.customer()
    wrong.hangs_up(1)

    assert told(world, never)[2:] == [
        "22:13:35 The customer answered after 5 seconds.",
        "22:13:42 The customer pressed the key never to be called again; the number is blocked from now on.",
    ]
    assert told(world, listed)[2:] == [
        "22:13:47 The line was busy.",
        "22:14:47 The number was put on the list of those that are never called.",
    ]
    assert told(world, wrong)[2:] == ["22:14:47 The number does not exist, so it is not called again."]


def test_given_nobody_ever_came_then_the_end_says_so() -> None:
    world = with_amy()
    world.agent().leaves()
    customer = world.customer()
    world.pass_time(86400)

    assert told(world, customer) == [
        f"22:13:30 {ASKED}",
        (
            "22:13:30 It ended because the 24 hours it may be open are over. "
            "At that moment nobody with the skills was free: Amy was not ready."
        ),
    ]


def test_given_a_wish_to_be_called_later_then_it_is_kept_until_staff_cancel_it() -> None:
    world = with_amy()
    customer = world.customer()
    world.pass_time(5)
    customer.answers()
    world.pass_time(5)
    customer.presses("2")
    world.pass_time(10)

    assert told(world, customer)[3:] == [
        (
            "22:13:44 The customer pressed the key to be called later. The next call was set for 22:43:44, "
            "30 minutes later."
        ),
        "22:13:50 The next call is due at 22:43:44.",
    ]
    customer.cancels(Reason.BY_ADMIN)

    assert told(world, customer)[4:] == ["22:13:50 A supervisor or administrator cancelled it."]


def test_given_faults_of_our_own_then_it_waits_for_a_supervisor() -> None:
    world = with_amy()
    world.results[DialCustomer] = ResultKind.REFUSED
    customer = world.customer()
    world.pass_time(300)

    assert told(world, customer)[1:3] == [
        f"22:13:30 {AMY_ALONE}",
        "22:13:30 Our own line refused to make the call. The next call was set for 22:14:30, 60 seconds later.",
    ]
    assert told(world, customer)[-2:] == [
        "22:17:30 Our own line refused to make the call. That was one fault too many, so it waits for a supervisor.",
        "22:18:30 It is not called again by itself: move it to now once the fault is mended, or cancel it.",
    ]


def test_given_agents_whose_work_was_measured_then_it_is_told_when_one_should_be_free() -> None:
    world = with_amy()
    first = chat(world, "chat-1")
    first.is_accepted()
    world.pass_time(600)
    first.is_done()
    chat(world, "chat-2").is_accepted()
    customer = caller(world)
    assert told(world, customer)[-2:] == [
        "22:23:30 Nobody with the skills asked for (billing) is free: Amy is holding as much other work as allowed.",
        "22:23:30 An agent should be free for them by about 22:31, and four times of five by 22:40.",
    ]


# ---- who is given away -----------------------------------------------------------------------------------


def test_given_a_customer_who_is_transferred_then_the_trail_says_by_whom_and_that_the_call_went_on() -> None:
    world = with_amy()
    customer = caller(world)
    customer.confirms()
    world.agent().answers()
    world.pass_time(120)
    world.tell(LegReplaced(customer.attempt.agent_leg, LegId("pbx-1.7")))
    world.tell(LegAnswered(LegId("pbx-1.7")))
    world.pass_time(60)

    by_amy = "22:15:30 The customer was transferred by Amy after 2 minutes, and the call went on without Amy."
    assert told(world, customer)[-2:] == [
        by_amy,
        "22:16:30 On the phone with whoever the agent transferred the customer to, since 22:15:30.",
    ]
    world.tell(LegEnded(LegId("pbx-1.7")))
    assert told(world, customer)[-2:] == [
        by_amy,
        "22:16:30 The call ended after 3 minutes, with whoever the customer had been given to: done.",
    ]


def test_given_a_transfer_that_nobody_answers_then_the_trail_names_who_came_next() -> None:
    world = with_amy(BEN)
    customer = caller(world)
    customer.confirms()
    world.agent().answers()
    world.pass_time(120)
    world.tell(LegReplaced(customer.attempt.agent_leg, LegId("pbx-1.7")))
    world.pass_time(20)
    world.tell(LegEnded(LegId("pbx-1.7")))
    world.pass_time(10)
    assert "with music since 22:15:50, and waits for an agent" in "".join(told(world, customer))
    world.agent("ben").ready()
    assert told(world, customer)[-1] == (
        "22:16:00 The customer is on the phone right now and about to be connected with Ben."
    )
    world.agent("ben").answers()
    world.pass_time(60)
    customer.hangs_up()

    assert told(world, customer)[-5:] == [
        "22:13:30 The customer was connected with Amy.",
        "22:15:30 The customer was transferred by Amy after 2 minutes, and the call went on without Amy.",
        "22:15:50 Nobody answered there: the customer heard music again until the next agent was free.",
        "22:16:00 The customer was connected with Ben after 10 seconds.",
        "22:17:00 The conversation with Ben ended after 3 minutes 30 seconds: done.",
    ]


def test_given_nobody_who_comes_after_a_transfer_then_the_trail_says_that_they_had_talked() -> None:
    world = with_amy()
    customer = caller(world)
    customer.confirms()
    world.agent().answers()
    world.tell(LegReplaced(customer.attempt.agent_leg, LegId("pbx-1.7")))
    world.tell(LegEnded(LegId("pbx-1.7")))
    world.pass_time(5)
    customer.hangs_up()

    assert told(world, customer)[-1] == (
        "22:13:35 The call ended after 5 seconds, while the customer waited for another agent: done, for they had "
        "talked."
    )
