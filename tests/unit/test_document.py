"""The services document: what it means, what is refused, what is kept without effect."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from engine.core.configuration import Configuration, ConfirmationKeys, Limits, OutcomeRule, Screening
from engine.core.expressions import parse as parse_expression
from engine.core.permission import CallingWindow
from engine.core.terms import AgentId, MachineAction, Outcome, ScreeningMode, ServiceId
from engine.document import export, parse
from engine.document.comparison import Difference, differences
from engine.errors import DocumentError

EXAMPLE = (Path(__file__).parent / "services_example.yaml").read_text("utf-8")
SMALL: dict[str, Any] = {
    "services": [{"id": "billing", "name": "Billing", "company": "Example Ltd", "skill_expression": "billing >= 1"}],
    "agents": [{"id": "amy", "name": "Amy", "endpoint": "PJSIP/agent-1001", "skills": {"billing": 5}}],
}

WRITTEN = {name: getattr(Screening(), name) for name in Screening.__struct_fields__ if name not in ("mode", "machine")}
"""The thresholds of screening, with their defaults."""


def changed(path: str, value: object) -> dict[str, Any]:
    """SMALL with one value set; `path` such as `services.0.name`."""
    document = copy.deepcopy(SMALL)
    at: Any = document
    *steps, last = path.split(".")
    for step in steps:
        at = at[int(step)] if step.isdigit() else at.setdefault(step, {})
    at[last] = value
    return document


def fields_refused(document: dict[str, Any]) -> list[str]:
    with pytest.raises(DocumentError) as error:
        parse(document)
    return [each.field for each in error.value.problems]


def test_the_example_of_the_reference_is_taken_and_given_back() -> None:
    document = yaml.safe_load(EXAMPLE)
    parsed = parse(document)
    assert export(parsed.document) == document
    assert parse(parsed.text).configuration == parsed.configuration


def test_a_whole_number_is_given_back_as_it_was_written() -> None:
    assert '"wrap_up_seconds":5}' in parse(changed("services.0.wrap_up_seconds", 5)).text
    assert parse(changed("services.0.wrap_up_seconds", 2.5)).document.services[0].wrap_up_seconds == 2.5


def test_a_document_becomes_the_cores_configuration() -> None:
    configuration = parse(yaml.safe_load(EXAMPLE), version=7).configuration
    service = configuration.services[ServiceId("billing")]
    assert configuration.version == 7
    assert service.skill.text == "billing >= 1 and english"
    assert service.skill.met_by({"billing": 1, "english": 1})
    assert service.languages == ("en", "es")
    assert service.subjects == {"invoice": parse_expression("invoices")}
    assert [(each.after_seconds, each.requirement.text) for each in service.expansion] == [(60, "billing >= 1")]
    assert service.caller_id == "+12025550100"
    assert service.attempts.by_outcome == {
        Outcome.BUSY: OutcomeRule(interval_seconds=180),
        Outcome.REJECTED: OutcomeRule(max=1),
    }
    assert service.confirmation.keys == ConfirmationKeys("1", "2", "3", "9")
    assert configuration.agents[AgentId("amy")].skills == {"billing": 5, "english": 5}
    assert configuration.limits == Limits(2, 6, 60, 8)


@pytest.mark.parametrize(
    ("start", "end", "window"),
    [
        ("08:00", "21:00", CallingWindow(8 * 3600, 21 * 3600)),
        ("00:00:01", "23:59:59", CallingWindow(1, 86399)),
        ("20:30", "02:15:30", CallingWindow(20 * 3600 + 1800, 2 * 3600 + 930)),
        ("09:00", "00:00", CallingWindow(9 * 3600, 0)),
    ],
)
def test_a_calling_window_is_in_effect(start: str, end: str, window: CallingWindow) -> None:
    parsed = parse(changed("services.0.calling_window", {"from": start, "to": end}))
    assert parsed.configuration.services[ServiceId("billing")].calling_window == window
    assert parsed.warnings == ()


def test_the_limits_of_a_number_are_in_effect() -> None:
    written: dict[str, Any] = {
        "max_open_per_number": 1,
        "per_number_per_day": 2,
        "min_gap_seconds": 3,
        "attempts_per_number_per_day": 4,
    }
    parsed = parse({**SMALL, "limits": written})
    assert parsed.configuration.limits == Limits(**written)
    assert parsed.warnings == ()


@pytest.mark.parametrize(("start", "end"), [("8:00", "21:00"), ("08:00", "24:00"), ("08:00", "21"), ("08:00", "25:00")])
def test_a_calling_window_is_written_with_two_times_of_day(start: str, end: str) -> None:
    (field,) = fields_refused(changed("services.0.calling_window", {"from": start, "to": end}))
    assert field.startswith("services[0].calling_window")


def test_what_is_left_out_has_the_cores_defaults() -> None:
    service = parse(SMALL).configuration.services[ServiceId("billing")]
    assert (service.attempts.max, service.attempts.interval_seconds) == (3, 600)
    assert (service.ring_timeout_seconds, service.agent_ring_seconds, service.hold_limit_seconds) == (32, 15, 120)
    assert (service.wrap_up_seconds, service.rona_return_seconds, service.life_seconds) == (30, None, 86400)
    assert (service.queue_cap, service.priority, service.caller_id) == (1000, 0, None)
    assert service.calling_window is None


def test_an_empty_document_is_a_configuration_without_services() -> None:
    assert parse({}).configuration == Configuration()
    assert parse(SMALL).warnings == ()


def test_every_field_of_screening_counts_and_what_is_left_out_is_the_cores() -> None:
    assert parse(SMALL).configuration.services[ServiceId("billing")].screening == Screening()
    chosen = {name: value + 1 for name, value in WRITTEN.items()} | {"pause_seconds": 0.5}
    written = {"mode": "asterisk", "machine": "leave_message", **chosen}

    screening = parse(changed("services.0.screening", written)).configuration.services[ServiceId("billing")].screening

    assert (screening.mode, screening.machine) == (ScreeningMode.ASTERISK, MachineAction.LEAVE_MESSAGE)
    assert {name: getattr(screening, name) for name in WRITTEN} == chosen


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "on"),
        ("machine", "shout"),
        ("talk_level", 0),
        ("talk_level", 32768),
        ("talk_level", 500.5),
        ("pause_seconds", 0),
        ("pause_seconds", 3),
        *((name, value) for name in ("greeting_seconds", "reply_wait_seconds") for value in (0, 61, float("nan"), "4")),
        ("robot_repeats", -1),
        ("robot_repeats", 11),
    ],
)
def test_a_threshold_that_cannot_be_is_refused(name: str, value: object) -> None:
    assert fields_refused(changed("services.0.screening", {name: value})) == [f"services[0].screening.{name}"]


def test_the_example_of_the_contract_has_nothing_without_effect() -> None:
    assert parse(yaml.safe_load(EXAMPLE)).warnings == ()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("services.0.cost_per_minute", 0.1),
        ("services.0.push", {"enabled": True}),
    ],
)
def test_a_value_that_this_version_does_not_act_on_is_named(path: str, value: object) -> None:
    (warning,) = parse(changed(path, value)).warnings
    assert "not in effect in this version" in warning
    assert path.rpartition(".")[2] in warning


def test_steps_of_an_expansion_written_in_any_order_count_in_order_of_time() -> None:
    steps = [{"after_seconds": seconds, "skill_expression": f"billing >= {seconds}"} for seconds in (120, 60, 90)]

    parsed = parse(changed("services.0.expansion", steps))

    expansion = parsed.configuration.services[ServiceId("billing")].expansion
    assert [(each.after_seconds, each.requirement.text) for each in expansion] == [
        (60, "billing >= 60"),
        (90, "billing >= 90"),
        (120, "billing >= 120"),
    ]
    assert export(parsed.document)["services"][0]["expansion"] == steps


def test_a_service_that_nobody_can_serve_is_named() -> None:
    (warning,) = parse(changed("services.0.skill_expression", "tax")).warnings
    assert warning.startswith("services[0].skill_expression: no agent")


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("servces", "did you mean services?"),
        ("services.0.companny", "did you mean company?"),
        ("services.0.attempts.maximum", "did you mean max?"),
        ("services.0.confirmation.keys.conect", "did you mean connect?"),
        ("agents.0.endpont", "did you mean endpoint?"),
        ("limits.countrys", "did you mean countries?"),
        ("limits.zzz", "known here: attempts_per_number_per_day, countries"),
    ],
)
def test_an_unknown_field_is_refused_with_its_path_and_the_nearest_name(path: str, hint: str) -> None:
    with pytest.raises(DocumentError) as error:
        parse(changed(path, 1))
    (problem,) = error.value.problems
    assert problem.unknown
    assert problem.field.replace("[", ".").replace("]", "") == path
    assert hint in problem.message


@pytest.mark.parametrize("id_", ["", "Billing", "-a", "a b", "a/b", "../a", "a.b", "é", "a" * 65, "a\n", 5, None])
def test_ids_are_plain_words(id_: object) -> None:
    assert fields_refused(changed("services.0.id", id_)) == ["services[0].id"]
    assert fields_refused(changed("agents.0.id", id_)) == ["agents[0].id"]


@pytest.mark.parametrize(
    "endpoint",
    [
        "PJSIP/a&PJSIP/b",
        "PJSIP/a,30",
        "PJSIP/a/b",
        "PJSIP/a@b",
        "PJSIP/a b",
        "PJSIP/a\n",
        "PJSIP/${EXTEN}",
        "PJSIP/",
        "PJSIP/-a",
        "PJSIP/ä",
        "pjsip/a",
        "Local/1@x",
        "a",
        "",
    ],
)
def test_an_endpoint_that_could_dial_something_else_is_refused(endpoint: str) -> None:
    assert fields_refused(changed("agents.0.endpoint", endpoint)) == ["agents[0].endpoint"]


@given(st.text(alphabet="PJSIP/abcXYZ019._-&,;@ \n$(){}[]|", max_size=30))
def test_an_endpoint_that_is_taken_holds_one_name(endpoint: str) -> None:
    try:
        parse(changed("agents.0.endpoint", endpoint))
    except DocumentError:
        return
    tech, name = endpoint.split("/")
    assert tech == "PJSIP"
    assert name
    assert all(each.isascii() and (each.isalnum() or each in "_.-") for each in name)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("services.0.caller_id", "2025550100"),
        ("services.0.caller_id", "+1"),
        ("services.0.caller_id", 12025550100),
        ("services.0.name", "two\nlines"),
        ("services.0.name", " "),
        ("services.0.languages", []),
        ("services.0.languages", ["en", "en"]),
        ("services.0.wrap_up_seconds", -1),
        ("services.0.ring_timeout_seconds", 0),
        ("services.0.ring_timeout_seconds", 1e9),
        ("services.0.life_seconds", float("inf")),
        ("services.0.life_seconds", float("nan")),
        ("services.0.life_seconds", "60"),
        ("services.0.queue_cap", True),
        ("services.0.queue_cap", 1.5),
        ("services.0.public", "yes"),
        ("services.0.calendar", "office"),
        ("agents.0.skills", {"billing": -1}),
        ("limits.max_open_per_number", 0),
        ("services", {}),
        ("services.0", "billing"),
    ],
)
def test_a_value_that_cannot_be_used_is_refused(path: str, value: object) -> None:
    document = changed(path, value) if path != "services.0" else {"services": [value]}
    (field,) = fields_refused(document)
    assert field.replace("[", ".").replace("]", "").startswith(path)


@pytest.mark.parametrize(
    "keys",
    [{"connect": "12"}, {"connect": "a"}, {"connect": ""}, {"connect": 1}, {"connect": None}, {"connect": "2"}],
)
def test_keys_are_single_and_distinct(keys: dict[str, object]) -> None:
    (field,) = fields_refused(changed("services.0.confirmation.keys", keys))
    assert field.startswith("services[0].confirmation.keys")


@pytest.mark.parametrize("expression", ["billing >=", "billing and", "__import__('os')", "billing >= 'x'", "", "a.b"])
def test_an_expression_that_cannot_be_read_is_a_problem_of_its_field(expression: str) -> None:
    assert fields_refused(changed("services.0.skill_expression", expression)) == ["services[0].skill_expression"]


@pytest.mark.parametrize("path", ["services.0.skill_expression", "agents.0.capacity_rule"])
def test_given_a_fault_in_an_expression_then_the_problem_says_where_and_how_to_mend_it(path: str) -> None:
    with pytest.raises(DocumentError) as error:
        parse(changed(path, "voice <= 1 and chat = 3"))
    (problem,) = error.value.problems
    assert problem.message == "position 21: = is not known here; write =="


@pytest.mark.parametrize(
    "rule",
    [
        "voice <= 1",
        "voice <= 1 and chat <= 3 and (voice == 0 or chat == 0)",
        "voice * 3 + chat <= 4",
        "voice * 5 + chat <= 4",
        "not voice >= 2",
        "voice",
        "voice == 0 and chat_2 <= 3",
        "chat <= 1\n  and voice <= 1\n",
    ],
)
def test_given_a_capacity_rule_that_allows_something_then_it_is_kept_as_written(rule: str) -> None:
    document = changed("agents.0.capacity_rule", rule)
    assert export(parse(document).document) == document


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("voice == 0", "lets an agent take nothing"),
        ("not voice", "lets an agent take nothing"),
        ("voice <= 0 and chat < 1", "lets an agent take nothing"),
        ("voice * 5 + chat * 5 <= 4", "lets an agent take nothing"),
        ("voice >= 2", "lets an agent take nothing"),
        ("voice == 1 and chat == 1", "lets an agent take nothing"),
        ("1 <= 2", "names no medium"),
        ("voice + chat", "position 1: a number alone is no test"),
        ("video-chat <= 1 and voice.x", "position 26: . is not known here"),
        ("vo\u00efce <= 1", "position 3: \u00ef cannot stand in a name"),
        ("", "position 1: there is no text"),
    ],
)
def test_given_a_capacity_rule_that_cannot_be_meant_then_it_is_refused(rule: str, message: str) -> None:
    with pytest.raises(DocumentError) as error:
        parse(changed("agents.0.capacity_rule", rule))
    (problem,) = error.value.problems
    assert problem.field == "agents[0].capacity_rule"
    assert message in problem.message


def test_given_an_expression_then_the_document_keeps_the_authors_spelling() -> None:
    document = changed("services.0.skill_expression", "( billing>=1 )")
    parsed = parse(document)
    assert export(parsed.document) == document
    assert parsed.configuration.services[ServiceId("billing")].skill.text == "billing >= 1"


def test_given_a_skill_named_by_a_reserved_word_then_the_problem_says_so() -> None:
    with pytest.raises(DocumentError, match="class is a reserved word"):
        parse(changed("agents.0.skills", {"class": 1}))


@pytest.mark.parametrize("skill", ["and", "two words", "1st", "a-b", ""])
def test_a_skill_must_be_a_name_that_expressions_can_use(skill: str) -> None:
    (field,) = fields_refused(changed("agents.0.skills", {skill: 1}))
    assert field.startswith("agents[0].skills")


@pytest.mark.parametrize("section", ["services", "agents"])
def test_ids_must_differ(section: str) -> None:
    document = copy.deepcopy(SMALL)
    document[section].append(document[section][0])
    assert fields_refused(document) == [f"{section}[1].id"]


def test_all_problems_are_told_at_once() -> None:
    document = changed("services.0.caller_id", "x")
    document["agents"][0]["endpoint"] = "x"
    document["lmits"] = {}
    assert sorted(fields_refused(document)) == ["agents[0].endpoint", "lmits", "services[0].caller_id"]


def test_given_thousands_of_problems_then_the_first_hundred_are_told() -> None:
    assert len(fields_refused({f"lmits{n}": {} for n in range(5000)})) == 100


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_a_stored_text_that_is_no_document_is_refused(text: str) -> None:
    with pytest.raises(DocumentError, match="apply the document again"):
        parse(text)


def test_a_problem_never_repeats_the_value() -> None:
    with pytest.raises(DocumentError) as error:
        parse(changed("services.0.caller_id", "hush-hush"))
    assert "hush" not in str(error.value)


def test_a_default_that_is_written_out_is_no_difference() -> None:
    assert differences(parse(SMALL).document, parse(changed("services.0.wrap_up_seconds", 30)).document) == []


def test_differences_name_what_is_added_changed_and_removed() -> None:
    after = changed("limits.max_open_per_number", 3)
    after["services"][0]["name"] = "Invoices"
    after["agents"] = [{"id": "bob", "name": "Bob", "endpoint": "PJSIP/bob"}]
    found = differences(parse(SMALL).document, parse(after).document)
    assert found == [
        Difference("change", "services.billing.name", "Billing", "Invoices"),
        Difference("remove", "agents.amy"),
        Difference("add", "agents.bob"),
        Difference("change", "limits.max_open_per_number", 2, 3),
    ]
    assert json.dumps([each.after for each in found])


def test_a_username_belongs_to_one_agent() -> None:
    agents = [
        {"id": f"a{n}", "name": "A", "endpoint": f"PJSIP/a{n}", **({"username": name} if name else {})}
        for n, name in enumerate(["amy", None, "ben", None, "amy"])
    ]
    assert fields_refused(changed("agents", agents)) == ["agents[4].username"]
    names = [agent.username for agent in parse(changed("agents", agents[:4])).configuration.agents.values()]
    assert names == ["amy", None, "ben", None]


def test_reasons_have_ids_of_their_own() -> None:
    reasons = [{"id": each, "name": "N"} for each in ("walk", "lunch", "walk")]
    assert fields_refused(changed("reasons", reasons)) == ["reasons[2].id", "reasons[1].id"]
    known = parse(changed("reasons", reasons[:1])).configuration
    assert (known.knows_reason("walk"), known.knows_reason("rona"), known.knows_reason("run")) == (True, True, False)
