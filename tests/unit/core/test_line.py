"""The line against a plain sorted list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core.expressions import parse
from engine.core.line import QUEUES_BEFORE_A_SWEEP, Line, Need, Place
from engine.core.terms import Media, ServiceId

SERVICES = [ServiceId("billing"), ServiceId("sales")]
needs = st.builds(
    Need,
    service=st.sampled_from(SERVICES),
    requirement=st.sampled_from([parse("billing"), parse("sales"), parse("billing and sales")]),
    dials=st.booleans(),
)
names = st.integers(0, 12).map(lambda n: f"c{n:02}")
places = st.builds(
    Place,
    item=names,
    need=needs,
    joined_at=st.sampled_from([1.0, 2.0, 3.0]),
    asked_at=st.sampled_from([0.0, 1.0]),
    priority=st.integers(-1, 2),
    at_head=st.booleans(),
    on_the_phone=st.booleans(),
)
steps = st.lists(places | names | names.map(lambda name: ("park", name)), max_size=40)


def before(place: Place) -> tuple[bool, bool, int, float, float, str]:
    """On the phone first, then the heads, then priority (higher first), then time of joining, then of asking."""
    off_the_phone = not place.on_the_phone
    first = off_the_phone and not place.at_head
    return off_the_phone, first, -place.priority, place.joined_at, place.asked_at, place.item


@given(steps)
def test_given_any_joins_and_leaves_then_the_line_is_as_a_sort_would_make_it(
    steps: list[Place | str | tuple[str, str]],
) -> None:
    line = Line()
    naive: dict[str, Place] = {}
    parked: set[str] = set()
    for step in steps:
        if isinstance(step, Place):
            line.join(step)
            naive[step.item] = step
            parked.discard(step.item)
        elif isinstance(step, str):
            line.leave(step)
            naive.pop(step, None)
            parked.discard(step)
        elif step[1] in naive and step[1] not in parked:
            line.park(step[1])
            parked.add(step[1])

        ordered = sorted(naive.values(), key=before)
        firsts = {place.need: place for place in reversed(ordered) if place.item not in parked}
        assert heads(line) == [place.item for place in ordered if firsts.get(place.need) is place]
        assert len(line) == len(naive)
        assert {item for item in naive if line.is_parked(item)} == parked
        for service in SERVICES:
            of_service = [place for place in ordered if place.need.service == service]
            assert line.waiting(service) == len(of_service)
            assert [line.position(place.item) for place in of_service] == list(range(1, len(of_service) + 1))


def heads(line: Line) -> list[str]:
    """The first of each open queue, in the order in which they are to be served."""
    return [key[4] for key in sorted(queue.first for queue in line.queues if queue.first and queue.is_open)]


def a_place(name: str, joined_at: float = 1.0, priority: int = 0, **fields: bool) -> Place:
    return Place(name, Need(SERVICES[0], parse(name)), joined_at, priority=priority, **fields)


def test_given_somebody_who_does_not_wait_then_they_have_no_position_and_may_leave() -> None:
    line = Line()

    line.leave("nobody")

    assert line.position("nobody") is None
    assert "nobody" not in line
    assert line.place("nobody") is None


def test_given_the_four_kinds_then_the_phone_comes_before_the_head_before_priority_before_time() -> None:
    early, late, urgent = a_place("early", 1), a_place("late", 2), a_place("urgent", 3, priority=1)
    head = a_place("head", 4, at_head=True)
    phone = a_place("phone", 5, priority=-9, on_the_phone=True)
    line = Line()
    for each in (late, phone, early, head, urgent):
        line.join(each)

    assert heads(line) == ["phone", "head", "urgent", "early", "late"]


def test_given_a_service_that_may_not_dial_then_only_those_on_the_phone_and_other_media_are_served() -> None:
    line = Line()
    service, other = SERVICES
    line.join(Place("dial", Need(service, parse("a")), 1.0))
    line.join(Place("phone", Need(service, parse("a"), dials=False), 2.0, on_the_phone=True))
    line.join(Place("chat", Need(service, parse("a"), Media("chat"), dials=False), 3.0))
    line.join(Place("other", Need(other, parse("a")), 4.0))

    line.let_dial(service, may=False)
    assert heads(line) == ["phone", "chat", "other"]
    line.let_anybody_dial(may=False)
    assert heads(line) == ["phone", "chat"]
    line.let_anybody_speak(may=False)
    assert heads(line) == ["chat"]
    line.touched.clear()
    line.let_anybody_speak(may=True)
    line.let_anybody_dial(may=True)
    line.let_dial(service, may=True)
    assert {queue.first and queue.first[4] for queue in line.touched} == {"dial", "phone", "other"}
    assert line.position("dial") == 2, "the closed wait on"


def test_given_needs_that_come_and_go_then_empty_queues_are_forgotten_and_places_are_not() -> None:
    line = Line()
    line.join(a_place("stays", 1.0))
    line.join(a_place("parked", 2.0))
    line.park("parked")
    for number in range(10 * QUEUES_BEFORE_A_SWEEP):
        line.join(a_place(f"s{number}", 3.0))
        line.leave(f"s{number}")

    assert len(line.queues) <= QUEUES_BEFORE_A_SWEEP + 1
    assert [queue.number for queue in line.queues] == list(range(len(line.queues)))
    assert (line.position("stays"), line.position("parked")) == (1, 2)
