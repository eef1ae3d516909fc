"""What a scenario means, and what is said of one that means nothing."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

import pytest

from engine.core.configuration import Pace
from engine.core.hours import is_open
from engine.core.terms import AgentId, ConnectMode, ServiceId
from engine.errors import DocumentError
from engine.simulation.distributions import Empirical, LogNormal
from engine.simulation.meanings import Files
from engine.simulation.rates import HOUR, AtMoments
from engine.simulation.setting import read
from tests.unit.simulation.scenarios import DOCUMENT, SMALL, scenario

CHANCE = Random(1)
BILLING = ServiceId("billing")


def problems_of(folder: Path = Path(), **fields: Any) -> list[str]:  # noqa: ANN401 - JSON
    with pytest.raises(DocumentError) as refused:
        scenario(folder, **fields)
    return [f"{each.field}: {each.message}" for each in refused.value.problems]


def arrival(**fields: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - JSON
    return [{"service": "billing", "per_hour": 20, **fields}]


# ---- what it means -------------------------------------------------------------------------------------


def test_a_scenario_that_says_little_has_all_agents_there_all_the_time() -> None:
    first = scenario().first
    assert first.shifts == {"amy": None, "ben": None}
    assert first.ends - first.starts == 2 * HOUR
    assert first.counts_from == first.starts
    assert first.pace == Pace()
    assert scenario().second is None


def test_shifts_name_agents_or_make_others() -> None:
    first = scenario(
        timezone="America/New_York",
        shifts=[
            {"agents": ["amy"], "weekly": {"mon-fri": ["09:00-12:00"]}},
            {"count": 2, "skills": {"billing": 4}, "calendar": "office"},
        ],
    ).first
    assert list(first.shifts) == ["amy", "shift1-1", "shift1-2"]
    made = first.configuration.agents[AgentId("shift1-2")]
    assert (made.skills, made.capacity) == ({"billing": 4}, None)
    hours = first.shifts[AgentId("amy")]
    assert hours is not None
    assert is_open(hours, 1772460000)  # 2026-03-02 09:00 in New York
    assert not is_open(hours, 1772460000 - 1)


def test_changes_are_made_by_the_ids_on_the_way() -> None:
    changes = {
        "services.billing.connect": "agent_first",
        "services.billing.attempts.max": 7,
        "agents.ben.skills.billing": 1,
        "limits.min_gap_seconds": 0,
    }
    configuration = scenario(changes=changes).first.configuration
    assert configuration.services[BILLING].connect is ConnectMode.AGENT_FIRST
    assert configuration.services[BILLING].attempts.max == 7
    assert configuration.agents[AgentId("ben")].skills == {"billing": 1}
    assert configuration.limits.min_gap_seconds == 0
    assert "connect" not in DOCUMENT["services"][0], "the document itself stays as it was"


def test_a_second_configuration_has_what_it_does_not_say_from_the_first() -> None:
    both = scenario(
        changes={"services.billing.wrap_up_seconds": 10},
        against={"name": "more", "changes": {"services.billing.priority": {"callback": 3}}, "shifts": [{"count": 9}]},
    )
    assert both.second is not None
    assert (both.second.name, len(both.second.shifts)) == ("more", 9)
    service = both.second.configuration.services[BILLING]
    assert (service.wrap_up_seconds, service.priority) == (10, 3)
    assert both.first.configuration.services[BILLING].priority == 0
    assert both.second.starts == both.first.starts


def test_an_arrival_may_have_customers_of_its_own() -> None:
    own = {"talk_seconds": {"lognormal": {"mean": 60, "deviation": 30}}, "calls": {"busy": 0.5}}
    first = scenario(
        customers={"talk_seconds": 5, "calls": {"no_answer": 0.1}, "answer_seconds": 7},
        arrivals=[*arrival(), *arrival(customers=own, subject="invoice", media="chat")],
    ).first
    assert [source.customers.talk.mean for source in first.sources] == [5, 60]
    assert isinstance(first.sources[1].customers.talk, LogNormal)
    assert [source.customers.answer.mean for source in first.sources] == [7, 7], "what it leaves out"
    assert [source.customers.calls for source in first.sources] == [{"no_answer": 0.1}, {"busy": 0.5}]
    assert (first.sources[1].media, first.sources[1].subject) == ("chat", "invoice")


def test_files_are_read_from_where_the_scenario_lies(tmp_path: Path) -> None:
    (tmp_path / "came.txt").write_text(
        "# of a Monday\n12.5\n2026-03-02T08:01:00\n\n2026-03-02T03:02:00-05:00\n", "utf-8"
    )
    (tmp_path / "talked.txt").write_text("60\n120 # long\n", "utf-8")
    customers = {"talk_seconds": {"file": "talked.txt"}}
    arrivals = [{"service": "billing", "file": "came.txt"}]
    first = scenario(tmp_path, arrivals=arrivals, customers=customers).first
    source = first.sources[0]
    assert isinstance(source.process, AtMoments)
    moments = source.process.moments(first.starts, first.ends, CHANCE)
    assert [at - first.starts for at in moments] == [12.5, 60, 120]
    assert isinstance(source.customers.talk, Empirical)
    assert source.customers.talk.mean == 90


def test_a_document_may_be_named_by_its_path(tmp_path: Path) -> None:
    asked = []

    def read_document(path: Path) -> dict[str, Any]:
        asked.append(path)
        return DOCUMENT

    read({**SMALL, "document": "../services.yaml"}, Files(tmp_path, read_document))
    assert asked == [tmp_path / "../services.yaml"]


# ---- what means nothing --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"hour": 3}, "hour: unknown field; did you mean hours?"),
        ({"hours": 0}, "hours: Input should be greater than 0"),
        ({"document": 5}, "document: must be a services document, or the path of the file that holds it"),
        ({"starts": "monday"}, 'starts: must be a moment on the wall clock, such as "2026-03-02T08:00"'),
        ({"timezone": "Berlin"}, "timezone: must be a zone of the tz database, such as America/New_York"),
        ({"warm_up_hours": 2}, "warm_up_hours: must be less than hours, or nothing is counted"),
        (
            {"arrivals": arrival(service="biling")},
            "arrivals[0].service: is no service of the services document; did you mean billing?",
        ),
        ({"arrivals": arrival(subject="moon")}, "arrivals[0].subject: service 'billing' has no subject 'moon'"),
        (
            {"arrivals": arrival(slots={"share": 1, "ahead_seconds": 60})},
            "arrivals[0].slots: service 'billing' has no slots; give it some",
        ),
        (
            {"arrivals": arrival(gap_seconds=5)},
            "arrivals[0]: must say when customers come in exactly one way: per_hour, gap_seconds or file",
        ),
        (
            {"arrivals": [{"service": "billing", "gap_seconds": 0}]},
            "arrivals[0].gap_seconds: must be above 0, or all customers come at once",
        ),
        (
            {"arrivals": arrival(per_hour={"at": 3})},
            "arrivals[0].per_hour.at: unknown field; known here: by_time, constant, wave",
        ),
        (
            {"arrivals": arrival(per_hour={})},
            'arrivals[0].per_hour: must be a number an hour, {by_time: {"08:00": 40, "12:00": 60}} or {wave: ...}',
        ),
        (
            {"customers": {"talk_seconds": {"lognormal": {"mean": 5}}}},
            "customers.talk_seconds.lognormal.deviation: is missing",
        ),
        (
            {"customers": {"talk_seconds": "long"}},
            "customers.talk_seconds: must be an object with named fields",
        ),
        (
            {"customers": {"talk_seconds": {"constant": 3, "exponential": 3}}},
            "customers.talk_seconds: must be a number of seconds, or one distribution, such as {lognormal: {mea",
        ),
        (
            {"customers": {"calls": {"busy": 0.6, "no_answer": 0.5}}},
            "customers.calls: the shares add up to 1.1; they may not be more than 1",
        ),
        (
            {"customers": {"talk_seconds": {"uniform": {"from": 5, "to": 3}}}},
            "customers.talk_seconds.uniform: ends before it begins; exchange from and to",
        ),
        (
            {"customers": {"talk_seconds": {"hyperexponential": {"means": [1, 2], "shares": [1]}}}},
            "customers.talk_seconds.hyperexponential: must have as many shares as means",
        ),
        (
            {"shifts": [{"agents": ["amey"]}]},
            "shifts[0].agents[0]: is no agent of the services document; did you mean amy?",
        ),
        (
            {"shifts": [{"agents": ["amy"]}, {"agents": ["amy"]}]},
            "shifts[1].agents[0]: 'amy' has a shift already; put all hours into one",
        ),
        (
            {"shifts": [{"calendar": "office"}]},
            "shifts[0]: must name agents of the document, or say with count and skills how many others there are",
        ),
        (
            {"shifts": [{"count": 2, "calendar": "ofice"}]},
            "shifts[0].calendar: is no calendar of the services document; write weekly instead",
        ),
        (
            {"shifts": [{"count": 2, "weekly": {"mon": ["09:00-09:00"]}}]},
            "shifts[0].weekly.mon[0]: has no length; a whole day is 00:00-24:00",
        ),
        (
            {"changes": {"services.biling.connect": "preview"}},
            "changes.services.biling.connect: there is no 'biling' in the document; write such as services.billing",
        ),
        (
            {"changes": {"services.billing.conect": "preview"}},
            "document.services[0].conect: unknown field; did you mean",
        ),
        ({"document": {"services": []}}, "arrivals[0].service: is no service of the services document; it has none"),
        (
            {"against": {"arrivals": arrival(service="sales")}},
            "against.arrivals[0].service: is no service of the services document; known here: advice, billing",
        ),
        (
            {"arrivals": [{"service": "billing", "file": "none.txt"}]},
            "arrivals[0].file: cannot read none.txt: No such file",
        ),
    ],
)
def test_a_field_that_cannot_be_used_is_named_with_how_to_mend_it(fields: dict[str, Any], said: str) -> None:
    assert problems_of(**fields)[0].startswith(said)


def test_a_file_that_holds_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "values.txt").write_text("12\nfast\n", "utf-8")
    (tmp_path / "empty.txt").write_text("# nothing\n", "utf-8")
    said = problems_of(tmp_path, customers={"talk_seconds": {"file": "values.txt"}})
    line = f"{tmp_path}/values.txt holds 'fast'; each line must be a number of seconds from 0 up"
    assert said == [f"customers.talk_seconds.file: {line}"]
    said = problems_of(tmp_path, arrivals=[{"service": "billing", "file": "values.txt"}])
    assert said == [
        f"arrivals[0].file: {tmp_path}/values.txt holds 'fast'; write seconds from the start, or 2026-03-02T08:14:05"
    ]
    said = problems_of(tmp_path, arrivals=[{"service": "billing", "file": "empty.txt"}])
    assert said == [f"arrivals[0].file: {tmp_path}/empty.txt holds no value; write one in each line"]
