"""The line against a plain sorted list."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from engine.core.expressions import parse
from engine.core.line import Line, Place
from engine.core.model import CallbackId, ServiceId

REQUIREMENTS = [parse("billing"), parse("sales"), parse("billing and sales")]

places = st.builds(
    Place,
    callback=st.integers(0, 12).map(lambda n: CallbackId(f"c{n:02}")),
    service=st.sampled_from([ServiceId("billing"), ServiceId("sales")]),
    requirement=st.sampled_from(REQUIREMENTS),
    joined_at=st.sampled_from([1.0, 2.0, 3.0]),
    priority=st.integers(-1, 2),
    at_head=st.booleans(),
    on_the_phone=st.booleans(),
)
steps = st.lists(places | st.integers(0, 12).map(lambda n: CallbackId(f"c{n:02}")), max_size=40)


def before(place: Place) -> tuple[bool, bool, int, float, str]:
    """On the phone first, then the heads, then priority (higher first), then time of joining."""
    off_the_phone = not place.on_the_phone
    return off_the_phone, off_the_phone and not place.at_head, -place.priority, place.joined_at, place.callback


@given(steps)
def test_given_any_joins_and_leaves_then_the_line_is_as_a_sort_would_make_it(steps: list[Place | CallbackId]) -> None:
    line = Line()
    naive: dict[CallbackId, Place] = {}
    for step in steps:
        if isinstance(step, Place):
            line.join(step)
            naive[step.callback] = step
        else:
            line.leave(step)
            naive.pop(step, None)

        ordered = sorted(naive.values(), key=before)
        firsts = {place.requirement.text: place for place in reversed(ordered)}
        assert list(line.heads()) == [place for place in ordered if firsts[place.requirement.text] is place]
        assert len(line) == len(naive)
        for service in ("billing", "sales"):
            of_service = [place for place in ordered if place.service == service]
            assert line.waiting(ServiceId(service)) == len(of_service)
            assert [line.position(place.callback) for place in of_service] == list(range(1, len(of_service) + 1))


def test_given_somebody_who_does_not_wait_then_they_have_no_position_and_may_leave() -> None:
    line = Line()

    line.leave(CallbackId("nobody"))

    assert line.position(CallbackId("nobody")) is None
    assert CallbackId("nobody") not in line


def test_given_the_four_kinds_then_the_phone_comes_before_the_head_before_priority_before_time() -> None:
    def place(name: str, joined_at: float, priority: int = 0) -> Place:
        return Place(CallbackId(name), ServiceId("billing"), parse(name), joined_at, priority)

    early, late, urgent = place("early", 1), place("late", 2), place("urgent", 3, priority=1)
    head = Place(CallbackId("head"), ServiceId("billing"), parse("head"), 4, at_head=True)
    phone = Place(CallbackId("phone"), ServiceId("billing"), parse("phone"), 5, priority=-9, on_the_phone=True)
    line = Line()
    for each in (late, phone, early, head, urgent):
        line.join(each)

    assert [each.callback for each in line.heads()] == ["phone", "head", "urgent", "early", "late"]
