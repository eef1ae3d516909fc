"""`ringback config` against the real HTTP side: what would change, and where in the file a fault stands."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.component.api_harness import DOCUMENT
from tests.component.cli_harness import Served, one_line, serving


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    with serving(tmp_path) as running:
        yield running


def written(served: Served, text: str) -> str:
    file = served.folder / "services.yaml"
    file.write_text(text)
    return str(file)


def test_an_exported_document_changes_nothing_when_applied(served: Served) -> None:
    exported = served.run("config", "export").stdout
    assert yaml.safe_load(exported) == DOCUMENT
    file = written(served, exported)
    assert served.run("config", "apply", file).stdout == "no changes, version 1 is in force\n"
    assert served.run("config", "diff", file).stdout == "no difference\n"


@pytest.mark.parametrize("seconds", ["5", "5.0"])
def test_a_file_that_was_just_applied_is_no_different(served: Served, seconds: str) -> None:
    text = served.run("config", "export").stdout.replace("queue_cap: 5", f"wrap_up_seconds: {seconds}")
    file = written(served, text)
    served.run("config", "apply", file)
    assert f"wrap_up_seconds: {seconds}" in text
    assert served.run("config", "diff", file, "--exit-code").stdout == "no difference\n"


def test_a_dry_run_says_what_would_change(served: Served) -> None:
    file = written(served, served.run("config", "export").stdout.replace("queue_cap: 5", "queue_cap: 7"))
    result = served.run("config", "apply", file, "--dry-run")
    assert result.stdout.splitlines()[0] == "~ services.billing.queue_cap: 5 -> 7"
    assert result.stdout.endswith("nothing was applied, version 1 stays in force\n")
    diff = served.run("config", "diff", file, "--exit-code")
    assert diff.exit_code == 1
    assert [line for line in diff.stdout.splitlines() if line[1:].strip().startswith("queue_cap")] == [
        "-  queue_cap: 5",
        "+  queue_cap: 7",
    ]
    assert served.run("config", "apply", file).stdout.endswith("version 2 is in force\n")


def test_what_has_no_effect_is_warned_of_with_its_line(served: Served) -> None:
    text = served.run("config", "export").stdout.replace("  queue_cap: 5", "  queue_cap: 5\n  cost_per_minute: 0.1")
    result = served.run("config", "apply", written(served, text), "--dry-run", "--json")
    line = text.splitlines().index("  cost_per_minute: 0.1") + 1
    assert f"warning: {served.folder}/services.yaml:{line}: services[0].cost_per_minute: " in result.stderr
    assert json.loads(result.stdout)["applied"] is False


def test_a_field_that_cannot_be_used_is_told_with_its_line(served: Served) -> None:
    text = "services:\n- id: billing\n  name: Billing\n  company: Example\n  skill_expression: a\n  queue_cab: 5\n"
    result = served.run("config", "apply", written(served, text))
    assert result.exit_code == 1
    assert one_line(result) == (
        f"{served.folder}/services.yaml:6: services[0].queue_cab: unknown field; did you mean queue_cap?"
    )


def test_a_missing_field_is_told_with_the_line_of_its_parent(served: Served) -> None:
    result = served.run("config", "apply", written(served, "agents:\n- id: amy\n  name: Amy\n"))
    assert one_line(result) == f"{served.folder}/services.yaml:2: agents[0].endpoint: is missing"


def test_bad_yaml_is_refused_with_line_and_column(served: Served) -> None:
    result = served.run("config", "apply", written(served, "services:\n  - id: [billing\nagents: []\n"))
    assert result.exit_code == 1
    assert one_line(result).startswith(f"{served.folder}/services.yaml:3:")
