"""What a callback asks of an agent, against the plain sentences of the design."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core import needs as needs_module
from engine.core.configuration import Service, Widening
from engine.core.expressions import Expression, parse
from engine.core.needs import Needs
from engine.core.records import Callback, Interaction, Request
from engine.core.terms import (
    AgentId,
    AgentOrder,
    CallbackId,
    CallbackState,
    InteractionId,
    InteractionState,
    Media,
    RequestChannel,
    ServiceId,
)
from engine.core.values import replace
from tests.unit.core.world import BILLING, START

STEPS = (Widening(60, parse("billing or sales")), Widening(180, parse("sales")))
SERVICE = replace(
    BILLING,
    skill=parse("billing >= 3"),
    subjects={"invoice": parse("invoices"), "other": None},
    expansion=STEPS,
    agent_order=AgentOrder.BEST_LEVEL,
)
OTHER = replace(SERVICE, id=ServiceId("other"), skill=parse("sales"), subjects={}, expansion=())
SERVICES = {service.id: service for service in (SERVICE, OTHER)}

skills = st.dictionaries(st.sampled_from(["billing", "sales", "invoices", "french"]), st.integers(0, 5))
narrowings = st.sampled_from([None, parse("french"), parse("not sales")])
subjects = st.sampled_from([None, "invoice", "other", "unknown"])


def callback(
    service: ServiceId = SERVICE.id,
    subject: str | None = None,
    skill: Expression | None = None,
    widened: int = 0,
    excluded: tuple[AgentId, ...] = (),
) -> Callback:
    request = Request(service, "+12025550100", "en", RequestChannel.WEB, subject=subject, skill=skill)
    return Callback(
        CallbackId("c1"), request, CallbackState.QUEUED, START, START, "hash", widened=widened, excluded=excluded
    )


def may_serve(service: Service, asked: Callback, levels: Mapping[str, int]) -> bool:
    """As the design says it: the service's and the subject's, or the step's; and always what staff narrowed it to."""
    request = asked.request
    narrowed = request.skill is None or request.skill.met_by(levels)
    if asked.widened:
        return narrowed and service.expansion[asked.widened - 1].requirement.met_by(levels)
    own = service.subjects.get(request.subject) if request.subject else None
    return narrowed and service.skill.met_by(levels) and (own is None or own.met_by(levels))


@given(skills, subjects, narrowings, st.integers(0, 2))
def test_given_any_request_then_those_may_serve_it_who_should(
    levels: dict[str, int], subject: str | None, narrowing: Expression | None, widened: int
) -> None:
    asked = callback(subject=subject, skill=narrowing, widened=widened)

    need = Needs(SERVICES).of(asked, on_the_phone=False)

    assert need.requirement.met_by(levels) == may_serve(SERVICE, asked, levels)


def test_given_equal_requests_then_they_stand_in_one_queue_and_others_do_not() -> None:
    known = Needs(SERVICES)
    one = known.of(callback(), on_the_phone=False)

    assert known.of(replace(callback(), id=CallbackId("c2"), priority=9), on_the_phone=False) is one
    for other in (
        callback(OTHER.id),
        callback(subject="invoice"),
        callback(skill=parse("french")),
        callback(widened=1),
        callback(excluded=(AgentId("amy"),)),
    ):
        assert known.of(other, on_the_phone=False) != one


def test_given_agents_who_said_no_in_another_order_then_the_need_is_the_same() -> None:
    known = Needs(SERVICES)
    amy, ben = AgentId("amy"), AgentId("ben")

    assert known.of(callback(excluded=(amy, ben)), on_the_phone=False) is known.of(
        callback(excluded=(ben, amy)), on_the_phone=False
    )


@pytest.mark.parametrize("on_the_phone", [False, True])
def test_given_a_customer_on_the_phone_then_no_dial_is_needed(
    on_the_phone: bool,  # noqa: FBT001 - what the need is made for
) -> None:
    need = Needs(SERVICES).of(callback(), on_the_phone=on_the_phone)

    assert need.dials is not on_the_phone
    assert (need.service, need.order) == (SERVICE.id, AgentOrder.BEST_LEVEL)


def test_given_a_subject_without_an_expression_of_its_own_then_the_services_counts() -> None:
    known = Needs(SERVICES)

    assert known.of(callback(subject="other"), on_the_phone=False).requirement == SERVICE.skill
    assert known.of(callback(subject="unknown"), on_the_phone=False).requirement == SERVICE.skill


def test_given_more_kinds_than_are_remembered_then_all_are_still_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(needs_module, "MOST_KNOWN", 3)
    known = Needs(SERVICES)

    for n in range(10):
        narrowed = parse(f"french >= {n}")
        need = known.of(callback(skill=narrowed), on_the_phone=False)
        assert need.requirement.met_by({"billing": 3, "french": n})
        assert not need.requirement.met_by({"billing": 3, "french": n - 1}) or n == 0
        assert len(known._known) <= 3


# ---- when it widens ------------------------------------------------------------------------------------


@given(st.integers(0, 3200).map(lambda eighths: eighths / 8))
def test_given_any_wait_then_as_many_steps_count_as_it_is_long(waited: float) -> None:
    known = Needs(SERVICES)

    assert known.widened_at(callback(), START + waited) == sum(step.after_seconds <= waited for step in STEPS)
    assert known.widened_at(callback(OTHER.id), START + waited) == 0


@pytest.mark.parametrize(("widened", "at"), [(0, START + 60), (1, START + 180), (2, None)])
def test_given_steps_that_count_then_the_next_one_counts_at_its_time(widened: int, at: float | None) -> None:
    assert Needs(SERVICES).widens_at(callback(widened=widened)) == at


def test_given_a_service_without_steps_then_nothing_widens() -> None:
    assert Needs(SERVICES).widens_at(callback(OTHER.id)) is None


def test_given_more_steps_than_the_service_has_now_then_nothing_widens_and_the_last_counts() -> None:
    known = Needs({SERVICE.id: replace(SERVICE, expansion=STEPS[:1])})

    assert known.widens_at(callback(widened=2)) is None
    assert known.of(callback(widened=2), on_the_phone=False).requirement == STEPS[0].requirement


# ---- work from outside ---------------------------------------------------------------------------------


def test_given_work_from_outside_then_it_asks_for_the_services_skill_in_its_medium_and_for_no_dial() -> None:
    chat = Interaction(
        InteractionId("i1"), Media("chat"), SERVICE.id, InteractionState.QUEUED, START, excluded=(AgentId("amy"),)
    )

    need = Needs(SERVICES).of_interaction(chat)

    assert (need.service, need.requirement, need.media) == (SERVICE.id, SERVICE.skill, Media("chat"))
    assert (need.order, need.excluded, need.dials) == (AgentOrder.BEST_LEVEL, frozenset({AgentId("amy")}), False)
