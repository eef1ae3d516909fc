"""Every value of the core comes back from JSON as it was, and what is no such value is refused in words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import date, time
from enum import Enum, StrEnum, auto
from typing import Any, Literal, NewType, get_args, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import Struct
from msgspec.structs import fields

from engine.core.changes import Change
from engine.core.configuration import Agent, Configuration
from engine.core.decision import Decision, Reply
from engine.core.effects import Effect, Release, Voice
from engine.core.events import ConfigurationApplied, Event, LegEnded, LegRinging, PresenceRequested
from engine.core.expressions import Expression, parse
from engine.core.records import Timer
from engine.core.terms import AgentId, AttemptId, LegId, Presence, Prompt, PromptId, ServiceId
from engine.core.values import Value, field, replace
from engine.document import parse as parse_document
from engine.recording.codec import from_json, to_json
from engine.recording.forms import CodecError, Json
from engine.recording.lines import Started

DOCUMENT = parse_document(
    {
        "services": [{"id": "billing", "name": "Billing", "company": "Ex", "skill_expression": "billing >= 2"}],
        "agents": [{"id": "amy", "name": "Amy", "endpoint": "PJSIP/agent-1001", "skills": {"billing": 5}}],
    },
    version=7,
)
APPLIED = ConfigurationApplied(DOCUMENT.configuration, DOCUMENT.text)

# A configuration is what its document says, and a skill expression what its text says.
st.register_type_strategy(Configuration, st.just(DOCUMENT.configuration))
st.register_type_strategy(ConfigurationApplied, st.just(APPLIED))
st.register_type_strategy(Expression, st.sampled_from(["billing", "billing >= 2 and not sales"]).map(parse))
st.register_type_strategy(Mapping, lambda hint: st.dictionaries(*map(st.from_type, get_args(hint)), max_size=3))


def filled(kind: type[Struct]) -> st.SearchStrategy[Struct]:
    """Any value of it, its defaults replaced too: hypothesis knows by itself only what has none."""
    hints = get_type_hints(kind)
    return st.builds(kind, **{name: st.from_type(hints[name]) for name in kind.__struct_fields__})


def kinds_of(base: type[Struct]) -> Iterator[type[Struct]]:
    for kind in base.__subclasses__():
        yield kind
        yield from kinds_of(kind)


for each_kind in kinds_of(Value):
    if each_kind not in (Configuration, ConfigurationApplied):
        st.register_type_strategy(each_kind, filled)
st.register_type_strategy(Decision, filled)


def there_and_back(hint: object, value: object) -> object:
    """Through the text of a line, as it stands in a file."""
    return from_json(hint, json.loads(json.dumps(to_json(hint, value))))


KINDS = [
    (union, kind)
    for union in (Event, Change, Effect, Reply)
    for kind in get_args(union)
    if kind is not Configuration  # only its version is written; see below
]


@pytest.mark.parametrize(("union", "kind"), KINDS, ids=[kind.__name__ for _, kind in KINDS])
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_given_any_value_of_the_core_when_it_is_written_and_read_then_it_is_the_same(
    union: object, kind: type, data: st.DataObject
) -> None:
    value = data.draw(st.from_type(kind))
    # Not `==`: for it 10 and 10.0 are the same, and a NaN is never itself.
    assert repr(there_and_back(union, value)) == repr(value)


@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_given_any_snapshot_beside_its_document_then_it_comes_back_with_its_configuration(data: st.DataObject) -> None:
    started = replace(data.draw(st.from_type(Started)), document=DOCUMENT.text)
    assert repr(there_and_back(Started, started)) == repr(started)


@settings(max_examples=30, deadline=None)
@given(decision=st.from_type(Decision))
def test_given_any_decision_then_it_can_be_written(decision: Decision) -> None:
    written = to_json(Decision, decision)
    assert isinstance(written, dict)
    assert set(written) == {each.name for each in fields(Decision) if getattr(decision, each.name) not in ([], None)}
    json.dumps(written)


def test_given_an_event_then_it_stands_under_its_name_without_what_is_at_its_default() -> None:
    assert to_json(Event, LegEnded(LegId("c1-1.customer"), cause=17)) == {
        "LegEnded": {"leg": "c1-1.customer", "cause": 17}
    }


def test_given_a_configuration_then_its_version_and_its_document_are_all_that_is_written() -> None:
    assert to_json(Event, APPLIED) == {"ConfigurationApplied": {"configuration": 7, "document": DOCUMENT.text}}
    assert there_and_back(Event, APPLIED) == APPLIED


@pytest.mark.parametrize("prompts", [(PromptId.ANNOUNCE,), (PromptId.POSITION_IS, 0, 59)], ids=repr)
def test_given_prompts_and_numbers_then_they_stand_as_words_and_numbers(prompts: tuple[Prompt, ...]) -> None:
    release = Release(AttemptId("c1-1"), LegId("c1-1.customer"), prompts, Voice(ServiceId("billing"), "en"))
    written = to_json(Effect, release)
    assert isinstance(written, dict)
    assert written["Release"]["prompts"] == list(prompts)  # type: ignore[index,call-overload]
    back = there_and_back(Effect, release)
    assert isinstance(back, Release)
    assert [type(each) for each in back.prompts] == [type(each) for each in prompts]


@pytest.mark.parametrize("wrong", ["no-such-prompt", True, 1.5, None, {"int": 5}])
def test_given_no_prompt_and_no_number_then_it_is_refused(wrong: object) -> None:
    with pytest.raises(CodecError):
        from_json(Prompt, wrong)  # type: ignore[arg-type]


def test_given_a_whole_number_where_seconds_are_meant_then_it_stays_one() -> None:
    for due_at in (10, 10.0, -0.0, 1e300, 0.1 + 0.2, float("inf")):
        timer = Timer("c1", "life", due_at)
        assert repr(there_and_back(Timer, timer)) == repr(timer)


# ---- kinds of type that the core does not use today ----------------------------------------------------


class Colour(Enum):
    RED = auto()
    BLUE = auto()


class Day(StrEnum):
    MONDAY = "mon"
    TUESDAY = "tue"


Seat = NewType("Seat", int)


class Branch(Value):
    """A class that holds itself."""

    name: str
    parts: tuple[Branch, ...] = ()


class Odd(Value):
    days: frozenset[Day]
    seats: Mapping[Seat, tuple[str, int]]
    hours: Mapping[Day, tuple[tuple[time, time], ...]]
    colours: list[Colour]
    either: Seat | Day | Branch | tuple[int, ...] | None
    on: date | None
    mode: Literal["fast", "slow"]
    tree: Branch
    skill: Expression
    extra: dict[str, bool] = field(default_factory=dict)


def odd(**replaced: object) -> Odd:
    held: dict[str, Any] = {
        "days": frozenset(Day),
        "seats": {Seat(4): ("a", 1), Seat(2): ("b", 2)},
        "hours": {Day.TUESDAY: ((time(9), time(17, 30, 15)),), Day.MONDAY: ()},
        "colours": [Colour.BLUE, Colour.RED],
        "either": Seat(3),
        "on": date(2026, 12, 24),
        "mode": "slow",
        "tree": Branch("root", (Branch("leaf"), Branch("fork", (Branch("leaf"),)))),
        "skill": parse("billing >= 3 and not sales"),
    }
    return Odd(**held | replaced)


@pytest.mark.parametrize("either", [Seat(0), Day.MONDAY, Branch("b"), (1, 2), (), None], ids=repr)
def test_given_a_type_of_another_kind_then_it_comes_back_too(either: object) -> None:
    value = odd(either=either, extra={"a": True, "b": False})
    back = there_and_back(Odd, value)
    assert back == value
    assert isinstance(back, Odd)
    assert list(back.seats) == [4, 2]
    assert type(back.either) is type(either)
    assert back.skill.met_by({"billing": 3})


def test_given_a_set_then_it_is_written_in_one_order_whatever_order_it_has() -> None:
    orders = [odd(days=frozenset(days)) for days in (list(Day), list(reversed(Day)))]
    assert len({json.dumps(to_json(Odd, each)) for each in orders}) == 1


class Unclear(Value):
    both: Seat | int


class Unknown(Value):
    what: object


@pytest.mark.parametrize(
    "value",
    [Unclear(3), Unknown(3), Branch(3), Agent("a", "A", "P", {"x": True})],  # type: ignore[arg-type]
    ids=["two numbers", "no type", "no text", "no number"],
)
def test_given_what_cannot_be_told_when_it_is_read_again_then_it_is_not_written(value: object) -> None:
    with pytest.raises(TypeError):
        to_json(type(value), value)


def test_given_an_event_that_is_none_of_the_known_ones_then_it_is_not_written() -> None:
    with pytest.raises(TypeError, match="a Branch where one of"):
        to_json(Event, Branch("b"))


# ---- what is refused -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"LegRang": {"leg": "a"}}, "unknown class 'LegRang'"),
        ({"LegRinging": {"leg": "a", "since": 3}}, "unknown field 'since' of LegRinging"),
        ({"LegRinging": {}}, "LegRinging without its field 'leg'"),
        ({"LegRinging": {"leg": 12025550100}}, "LegRinging.leg: a number where a text should be"),
        ({"LegRinging": ["a"]}, "a list where the fields of a LegRinging should be"),
        ({"LegRinging": {"leg": "a"}, "LegAnswered": {"leg": "a"}}, "an object where a class"),
        (None, "null where a class"),
        ({"LegEnded": {"leg": "a", "cause": True}}, "LegEnded.cause: true or false where a whole number should be"),
        ({"LegEnded": {"leg": "a", "cause": 1.0}}, "LegEnded.cause: a number where a whole number should be"),
        ({"PresenceRequested": {"agent": "amy", "presence": "away"}}, "unknown Presence 'away'"),
        ({"PresenceRequested": {"agent": "amy", "presence": 1}}, "a number where a text should be"),
        ({"ConfigurationApplied": {"configuration": 3, "document": "{"}}, "a services document that cannot be used"),
        ({"ConfigurationApplied": {"configuration": "3", "document": "{}"}}, "the version of a configuration"),
    ],
)
def test_given_what_is_no_event_then_it_is_refused_in_words(written: Json, said: str) -> None:
    with pytest.raises(CodecError) as refused:
        from_json(Event, written)
    assert said in str(refused.value)
    assert "12025550100" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("seats", [[4, ["a"]]], "a list of 1 where 2 should be"),
        ("seats", 4, "a number where a list should be"),
        ("mode", "quick", "a text where one of ('fast', 'slow') should be"),
        ("on", "tomorrow", "a text that is no date"),
        ("skill", "billing >=", "a text that is no Expression"),
        ("colours", ["GREEN"], "unknown Colour 'GREEN'"),
    ],
)
def test_given_what_is_no_value_of_another_kind_then_it_is_refused_in_words(
    name: str, content: Json, said: str
) -> None:
    written = to_json(Odd, odd())
    assert isinstance(written, dict)
    with pytest.raises(CodecError) as refused:
        from_json(Odd, {**written, name: content})
    assert str(refused.value) == f"Odd.{name}: {said}"


def test_given_a_configuration_without_a_document_then_only_that_of_a_new_installation_is_read() -> None:
    assert from_json(Started, {"snapshot": {}, "document": None}).snapshot.configuration == Configuration()
    assert from_json(Configuration, 0) == Configuration()
    with pytest.raises(CodecError, match="without its services document"):
        from_json(Started, {"snapshot": {"configuration": 4}, "document": None})


def test_given_events_of_one_kind_then_they_differ_where_they_differ() -> None:
    events = [LegRinging(LegId("a")), LegRinging(LegId("b")), PresenceRequested(AgentId("a"), Presence.READY)]
    assert len({json.dumps(to_json(Event, event)) for event in events}) == 3
