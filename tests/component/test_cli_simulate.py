"""`ringback simulate` as a planner uses it: tables, JSON, and what is said of a scenario that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from cli.main import main
from tests.component.recorded_day import a_day, document, recorded

SCENARIO: dict[str, Any] = {
    "document": "services.yaml",
    "hours": 1,
    "replications": 3,
    "arrivals": [{"service": "billing", "per_hour": 60}],
    "shifts": [{"count": 4, "skills": {"billing": 3}}],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write(tmp_path / "services.yaml", document("billing", "sales"))
    write(tmp_path / "monday.yaml", SCENARIO)
    return tmp_path


def write(path: Path, content: object) -> None:
    path.write_text(yaml.safe_dump(content, sort_keys=False), "utf-8")


def simulate(folder: Path, *arguments: str) -> Result:
    named = [str(folder / each) if each.endswith((".yaml", ".jsonl")) else each for each in arguments]
    return CliRunner().invoke(main, ["simulate", *named])


def told(folder: Path, *arguments: str) -> dict[str, Any]:
    result = simulate(folder, *arguments, "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    found: dict[str, Any] = json.loads(result.stdout)
    return found


def test_a_scenario_gives_a_table_of_its_figures(folder: Path) -> None:
    result = simulate(folder, "monday.yaml")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["billing", "monday"]
    titles = [line[:26].strip() for line in lines]
    assert {"requests", "service level", "wait, mean", "wait, 80 %", "occupancy of agents"} <= set(titles)
    assert "slots kept" not in titles, "nobody booked"
    assert lines[-1].startswith("3 runs from seed 1, ")


def test_json_has_every_figure_with_its_interval(folder: Path) -> None:
    found = told(folder, "monday.yaml")
    assert (found["name"], found["seed"], found["replications"], found["still_open"]) == ("monday", 1, 3, 0)
    assert set(found["figures"]) == {"billing", "all"}
    wait = found["figures"]["billing"]["wait_mean"]
    assert wait["low"] <= wait["mean"] <= wait["high"]
    assert 0 <= found["figures"]["billing"]["told_kept"]["mean"] <= 1
    assert found["figures"]["billing"]["slots_kept"] is None, "nobody booked"
    assert "difference" not in found


def test_the_same_seed_gives_the_same_and_another_seed_something_else(folder: Path) -> None:
    assert told(folder, "monday.yaml", "--seed", "4") == told(folder, "monday.yaml", "--seed", "4")
    assert told(folder, "monday.yaml", "--seed", "4")["figures"] != told(folder, "monday.yaml")["figures"]


def test_one_run_has_no_interval(folder: Path) -> None:
    found = told(folder, "monday.yaml", "--replications", "1")
    assert found["figures"]["billing"]["asked"]["low"] is None
    assert "±" not in simulate(folder, "monday.yaml", "--replications", "1").stdout


def test_a_second_scenario_is_met_by_the_same_customers(folder: Path) -> None:
    write(folder / "more.yaml", {**SCENARIO, "shifts": [{"count": 8, "skills": {"billing": 3}}]})
    found = told(folder, "monday.yaml", "--against", "more.yaml")
    assert found["against"] == "more"
    difference = found["difference"]["billing"]
    assert difference["asked"]["mean"] == 0
    assert difference["wait_mean"]["mean"] < 0
    table = simulate(folder, "monday.yaml", "--against", "more.yaml").stdout
    assert table.splitlines()[0].split() == ["billing", "monday", "more", "difference"]
    assert "* the difference is more than chance" in table


def test_a_scenario_that_cannot_be_used_is_told_with_its_lines(folder: Path) -> None:
    write(folder / "monday.yaml", {**SCENARIO, "hour": 3, "arrivals": [{"service": "billing", "per_hour": -1}]})
    result = simulate(folder, "monday.yaml")
    assert result.exit_code == 1
    at = folder / "monday.yaml"
    assert result.stderr.splitlines() == [
        f"{at}:6: arrivals[0].per_hour.constant: Input should be greater than or equal to 0",
        f"{at}:11: hour: unknown field; did you mean hours?",
    ]


def test_a_services_document_that_cannot_be_used_is_named(folder: Path) -> None:
    write(folder / "services.yaml", {"services": [{"id": "billing", "name": "Billing", "company": "Example"}]})
    result = simulate(folder, "monday.yaml")
    said = f"{folder / 'monday.yaml'}: services.yaml: services[0].skill_expression: is missing\n"
    assert (result.exit_code, result.stderr) == (1, said)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "name a scenario file, or a record with --replay; see: main simulate --help"),
        (("monday.yaml", "--within", "5"), "--within is for --replay; a scenario has service_level_seconds"),
        (("--replay", "a.jsonl", "--against", "b.yaml"), "--against compares scenarios; with --replay, FILE is"),
        (("monday.yaml", "--replications", "0"), "Invalid value for '--replications': 0 is not in the range"),
    ],
)
def test_wrong_usage_is_told_in_one_line(folder: Path, arguments: tuple[str, ...], said: str) -> None:
    result = simulate(folder, *arguments)
    assert result.exit_code == 2
    assert result.stderr.startswith(said)


def test_a_file_that_is_not_there_is_named(folder: Path) -> None:
    result = simulate(folder, "tuesday.yaml")
    said = f"cannot read {folder / 'tuesday.yaml'}: No such file or directory\n"
    assert (result.exit_code, result.stderr) == (1, said)
    write(folder / "monday.yaml", {**SCENARIO, "document": "none.yaml"})
    result = simulate(folder, "monday.yaml")
    said = f"cannot read {folder / 'none.yaml'}: No such file or directory\n"
    assert (result.exit_code, result.stderr) == (1, said)


def test_a_recorded_day_is_decided_anew(folder: Path) -> None:
    recorded(folder / "day.jsonl", a_day())
    found = told(folder, "--replay", "day.jsonl")
    assert (found["name"], found["replications"]) == ("as configured then", 1)
    assert found["figures"]["all"]["asked"]["mean"] > 10
    quick = document("billing", "sales", "support")
    for service in quick["services"]:
        service["wrap_up_seconds"] = 0
    write(folder / "services.yaml", quick)
    found = told(folder, "--replay", "day.jsonl", "services.yaml")
    assert found["against"] == "services.yaml"
    assert found["difference"]["all"]["asked"]["mean"] == 0


def test_a_record_that_cannot_be_read_is_told(folder: Path) -> None:
    (folder / "day.jsonl").write_text("of yesterday\n", "utf-8")
    result = simulate(folder, "--replay", "day.jsonl")
    assert result.exit_code == 1
    assert "line 1: not JSON" in result.stderr
