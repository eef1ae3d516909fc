"""The matching bench at a small size: everybody is served and the rivals agree, and a wrong answer would be found."""

from __future__ import annotations

import pytest

from tests.bench.matching import Case, cases, judge, measure, run
from tests.bench.report import Report

SMALL = {case.name: case for case in cases(0.02)}


@pytest.fixture(scope="module")
def report() -> Report:
    return run(0.02, lambda _line: None)


def test_given_each_case_when_agents_become_ready_then_all_contenders_serve_the_same_customers(report: Report) -> None:
    assert report.figures["wrong"] == 0
    assert all(report.figures[f"{rival}_per_second_many"] > 0 for rival in ("scan", "sql_in_order", "sql_heads"))
    assert report.figures["per_second"] > 0
    assert {len(row) for row in report.rows} == {len(report.columns)} == {1 + len(SMALL)}


def test_given_a_line_that_fills_then_its_memory_is_counted(report: Report) -> None:
    assert 500 < report.figures["bytes_per_waiting"] < 10_000


def test_given_some_ahead_whom_nobody_can_serve_then_the_scan_looks_at_all_of_them() -> None:
    case = SMALL["ahead"]
    measured = measure(case)
    assert measured.wrong == {}
    assert measured.looked_at > case.ahead > 0


def test_given_nobody_whom_an_agent_can_serve_then_the_bench_finds_it() -> None:
    measured = measure(Case("empty", waiting=10, agents=200, skill_sets=200, ahead=10))
    assert measured.wrong["events that served nobody"] > 0


def test_given_a_rival_who_finds_another_customer_then_it_is_counted() -> None:
    assert judge({"ours": ["a", "b", "c"], "one": ["a", "c", "b"], "two": ["a", "b", "c"]}) == {
        "other customers than those of one": 2
    }
