"""What the command line prints: nothing of a customer's text may act on the terminal."""

import json

import pytest
from rich.text import Text

from cli.printing import complain, moment, print_facts, print_json, print_table, show, shown, wait_text


def test_texts_of_customers_do_not_act_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    nasty = "Ada\x1b[2J\x9b1m\n[bold]x[/bold]\u202e"
    print_table(("NAME",), [(nasty,)], empty="-")
    print_facts([("first_name", nasty)])
    complain(nasty)
    print_json({"first_name": nasty})
    seen = capsys.readouterr()
    assert not any(each in seen.out + seen.err for each in "\x1b\x9b\u202e")
    assert "[bold]x[/bold]" in seen.out
    assert json.loads(seen.out[seen.out.index("{") :]) == {"first_name": nasty}


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    complain("one\n  two")
    assert capsys.readouterr().err == "one two\n"


def test_a_table_in_a_pipe_is_not_cut_and_has_no_colours(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("A", "B"), [("x" * 300, 1)], empty="none")
    assert capsys.readouterr().out.splitlines() == [f"A{' ' * 301}B", f"{'x' * 300}  1"]


def test_an_empty_table_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    print_table(("A",), [], empty="no callbacks")
    show(Text("after", style="bold red"))
    assert capsys.readouterr().out == "no callbacks\nafter\n"


def test_values_are_shown_for_people() -> None:
    assert [shown(each) for each in (None, [], True, ["a", "b"], {"x": 1, "y": None}, 0)] == [
        "-",
        "-",
        "yes",
        "a, b",
        "x=1, y=-",
        "0",
    ]
    assert moment(None) == "-"
    assert moment("soon") == "soon"
    assert moment("2020-01-02T03:04:05Z").startswith("2020-01-0")


@pytest.mark.parametrize(
    ("p50", "p80", "text"),
    [(0, 0, "less than a minute"), (170, 310, "3 to 5 min"), (170, 190, "3 min"), (20, 100, "0 to 2 min")],
)
def test_an_expected_wait_is_said_in_minutes(p50: float, p80: float, text: str) -> None:
    assert wait_text({"p50_seconds": p50, "p80_seconds": p80}) == text


def test_an_unknown_wait_is_nothing() -> None:
    assert wait_text(None) is None
