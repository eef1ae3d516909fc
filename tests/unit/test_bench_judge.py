"""The judge of the disk bench finds each way to break a promise, and nothing where none was broken."""

from collections import Counter

import pytest

from tests.bench.disk_judge import judge
from tests.bench.stream import Asked

ACCEPTED = Asked("1", "k1", 0.0, status=201, answered_at=0.1, callback="cb1")
REFUSED = Asked("2", "k2", 0.0, status=503, answered_at=0.1)
UNANSWERED = Asked("3", "k3", 0.0)
KEPT = {("cb1", "1")}


def test_promises_that_were_kept_break_no_rule() -> None:
    verdict = judge([ACCEPTED, REFUSED, UNANSWERED], KEPT, Counter({"1": 2}), Counter({"1": 2}))
    assert verdict.broken == {}
    assert (verdict.sent, verdict.accepted, verdict.refused, verdict.unanswered) == (3, 1, 1, 1)


def test_a_request_without_an_answer_may_be_kept_and_called() -> None:
    assert judge([UNANSWERED], {("cb3", "3")}, Counter({"3": 1}), Counter({"3": 1})).broken == {}


@pytest.mark.parametrize(
    ("asked", "stored", "called", "rule"),
    [
        (ACCEPTED, set(), {"1": 1}, "accepted and lost"),
        (ACCEPTED, {("another", "1")}, {"1": 1}, "accepted and lost"),
        (ACCEPTED, KEPT, {}, "accepted and lost"),
        (REFUSED, {("cb2", "2")}, {}, "refused and kept or called"),
        (REFUSED, set(), {"2": 1}, "refused and kept or called"),
        (ACCEPTED, KEPT, {"1": 2}, "called twice"),
        (Asked("4", "k4", 0.0, status=500), set(), {}, "neither accepted nor refused"),
    ],
)
def test_a_broken_promise_is_found(
    asked: Asked, stored: set[tuple[str, str]], called: dict[str, int], rule: str
) -> None:
    broken = judge([asked], stored, Counter(called), Counter({"1": 1, "2": 1})).broken
    assert broken == {rule: 1}, f"{asked}: {broken}"


def test_who_calls_nobody_is_judged_by_what_is_kept() -> None:
    assert judge([ACCEPTED], KEPT).broken == {}
    assert judge([ACCEPTED], set()).broken == {"accepted and lost": 1}
