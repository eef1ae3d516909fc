"""What the documentation says is so: links, commands, requests, settings, figures."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import click
import pytest
import yaml

from cli.document import DocumentFile
from cli.main import main
from engine.agent_news import NewsKind
from engine.api.agent_stream import CloseCode, StreamMessage
from engine.api.bodies import Received
from engine.api.callback_shapes import CallbackWanted
from engine.api.codes import MEANINGS, Code
from engine.config import load
from engine.document import parse
from engine.document.models import ScreeningEntry, ServicesDocument
from engine.metrics import Metrics
from engine.simulation import scenario
from engine.simulation.meanings import Files
from engine.simulation.setting import read as read_scenario
from engine.store.records import KeyRole
from tests.component.api_harness import Api, running_api
from tests.component.cli_harness import serving
from tests.component.recorded_day import a_day, recorded

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs/examples/services.yaml"
GUIDE = ROOT / "docs/guide.md"
_FENCE = re.compile(r"^( *)```([a-z]*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_CODE_SPAN = re.compile(r"`[^`\n]*`")


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a page."""

    page: str
    language: str
    text: str

    def __str__(self) -> str:
        return f"{self.page}: {self.text.strip().splitlines()[0][:60]}"


def tracked() -> list[Path]:
    """Every file of the project, also before it is committed; without git what lies in the usual places."""
    listed = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = [name for name in listed.stdout.split("\0") if name] if listed.returncode == 0 else []
    if not names:
        folders = ("engine", "cli", "docs", "docker", "asterisk-config", "prompts", "tests")
        found = [*ROOT.glob("*.*"), *(each for folder in folders for each in (ROOT / folder).rglob("*.*"))]
        names = [str(each.relative_to(ROOT)) for each in found if "__pycache__" not in each.parts]
    return sorted(ROOT / name for name in names if (ROOT / name).is_file())


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


PAGES = [path for path in tracked() if path.suffix == ".md"]


def blocks(*languages: str) -> list[Block]:
    found = []
    for path in PAGES:
        for indent, language, text in _FENCE.findall(path.read_text("utf-8")):
            if language in languages:
                outdented = "\n".join(line.removeprefix(indent) for line in text.splitlines())
                found.append(Block(shown(path), language, outdented))
    return found


def shell_lines() -> Iterator[tuple[str, list[str]]]:
    """Each simple command of the shell blocks, by its page, as words."""
    for block in blocks("sh", ""):
        for words in _commands(block.text):
            yield block.page, words


def _commands(text: str) -> Iterator[list[str]]:
    plain = re.sub(r"(^|[ \t])# .*$", "", text, flags=re.MULTILINE).replace("\\\n", " ")
    lexer = shlex.shlex(plain, posix=True, punctuation_chars="|&;\n")
    lexer.whitespace = " \t\r"
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    for token in lexer:
        if set(token) <= set("|&;\n"):
            if words:
                yield words
            words = []
        else:
            words.append(token)
    if words:
        yield words


def ringback_commands() -> list[tuple[str, list[str]]]:
    """The arguments of every `ringback` call in a shell block, without redirections and without what goes before."""
    found = []
    for page, words in shell_lines():
        match words:
            case ["sudo", "-u", _, *rest]:
                words = rest
            case ["docker", "compose", *rest] if "run" in rest:
                words = rest[rest.index("ringback") :]
        while words and re.match(r"[A-Z_]+=", words[0]):
            words = words[1:]
        if not words or words[0].rpartition("/")[2] != "ringback":
            continue
        cut = next((n for n, word in enumerate(words) if word.startswith((">", "<"))), len(words))
        found.append((page, words[1:cut]))
    return found


COMMANDS = ringback_commands()


# ---- links ------------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The anchors a reader's browser finds: headings in small letters, punctuation left out, blanks as dashes."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in _HEADING.findall(text)}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_every_link_between_pages_leads_somewhere(page: Path) -> None:
    text = _CODE_SPAN.sub("", _FENCE.sub("", page.read_text("utf-8")))
    for link in _LINK.findall(text):
        parts = urlsplit(link)
        if parts.scheme:
            continue
        target = page if not parts.path else (page.parent / unquote(parts.path)).resolve()
        assert target.exists(), f"{shown(page)} links to {link}, which does not exist"
        assert target.is_relative_to(ROOT), f"{shown(page)} links to {link}, outside of the project"
        if parts.fragment:
            assert parts.fragment in anchors(target), f"{shown(page)} links to {link}: no such heading"


def test_every_page_of_the_documentation_can_be_reached_from_its_index() -> None:
    index = ROOT / "docs/index.md"
    reached = {(index.parent / link).resolve() for link in _LINK.findall(index.read_text("utf-8"))}
    missing = [shown(page) for page in PAGES if page.is_relative_to(ROOT / "docs") and page not in {*reached, index}]
    assert not missing, f"docs/index.md does not lead to {missing}"


# ---- commands ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("page", "arguments"), COMMANDS, ids=[f"{page}: ringback {' '.join(words)}" for page, words in COMMANDS]
)
def test_a_command_of_the_documentation_is_one_that_ringback_knows(
    page: str, arguments: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # The files that an example names are the reader's.
    monkeypatch.setattr(click.Path, "convert", lambda _type, value, _parameter, _context: value)
    parse_command(main, "ringback", arguments)


def parse_command(command: click.Command, name: str, arguments: list[str], parent: click.Context | None = None) -> None:
    """Parse as a run would, down to the last subcommand, without running it. Raises click.UsageError."""
    try:
        context = command.make_context(name, list(arguments), parent=parent)
    except click.exceptions.Exit:
        return  # --help and --version say what they say and end
    if not isinstance(command, click.Group):
        return
    rest = [*context._protected_args, *context.args]
    assert rest, f"{name} needs a subcommand"
    inner_name, inner, inner_arguments = command.resolve_command(context, rest)
    assert inner is not None, f"{name} has no {rest[0]}"
    parse_command(inner, inner_name or rest[0], inner_arguments, context)


def test_the_check_of_commands_would_find_a_wrong_one() -> None:
    with pytest.raises(click.UsageError):
        parse_command(main, "ringback", ["config", "apply", "services.yaml", "--dry-ran"])
    with pytest.raises(click.UsageError):
        parse_command(main, "ringback", ["config", "aply", "services.yaml"])
    assert len(COMMANDS) > 40, "the shell blocks of the documentation were found"


def test_every_command_of_ringback_is_in_the_documentation_or_is_of_the_lab() -> None:
    documented = {" ".join(word for word in words[:2] if word.isalpha()) for _page, words in COMMANDS}
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        inner = command.list_commands(context) if isinstance(command, click.Group) else []
        for full in [f"{name} {each}" for each in inner] or [name]:
            said = any(each in (full, name) or each.startswith(f"{full} ") for each in documented)
            mentioned = any(f"ringback {full}" in page.read_text("utf-8") for page in PAGES)
            assert said or mentioned or name in ("lab", "demo"), f"no page shows `ringback {full}`"


def test_commands_that_need_no_engine_run_as_the_guide_shows_them(tmp_path: Path) -> None:
    (tmp_path / "services.yaml").write_bytes(EXAMPLE.read_bytes())
    settings = next(block.text for block in blocks("toml") if block.page == "docs/guide.md")
    own = settings.replace("/var/lib/ringback", str(tmp_path)).replace("/etc/ringback", str(tmp_path))
    (tmp_path / "ringback.toml").write_text(own, "utf-8")
    for name in ("ari.password", "ami.password"):
        (tmp_path / name).write_text("a password of this test", "utf-8")
    wanted = (
        ("key", "create", "--local"),
        ("db",),
        ("asterisk", "render"),
        ("prompts",),
        ("--version",),
        ("--help",),
    )
    ran = 0
    for page, words in COMMANDS:
        if page != "docs/guide.md" or "--reload" in words or not any(set(each) <= set(words[:6]) for each in wanted):
            continue
        arguments = [re.sub(r"^/(etc/ringback|var/lib/ringback|etc/asterisk)", str(tmp_path), each) for each in words]
        ended = subprocess.run(
            [str(Path(sys.executable).parent / "ringback"), *arguments],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode == 0, f"ringback {' '.join(words)}: {ended.stderr}"
        ran += 1
    assert ran >= 10


def test_the_targets_of_make_that_pages_name_exist() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    named = {word for _page, words in shell_lines() if words[0] == "make" for word in words[1:2]}
    named |= {name for page in PAGES for name in re.findall(r"`make ([a-z]+)", page.read_text("utf-8"))}
    assert {"demo", "test"} <= named
    assert named <= targets


def test_the_readme_shows_its_two_commands() -> None:
    readme = next(block.text.split("\n") for block in blocks("sh") if block.page == "README.md")
    assert [line for line in readme if line] == ["make demo", "make test"]


def test_pages_that_are_made_from_the_code_are_up_to_date() -> None:
    check = subprocess.run(
        [sys.executable, "-m", "docs.generate", "--check"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert check.returncode == 0, check.stderr


# ---- the services document and settings ---------------------------------------------------------------


def test_the_example_services_document_is_good_and_all_of_it_has_an_effect() -> None:
    parsed = parse(DocumentFile(EXAMPLE).content)
    assert parsed.warnings == ()
    assert len(parsed.configuration.services) == 2


def test_a_dry_run_of_the_example_on_an_engine_finds_nothing_wrong(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        result = served.run("config", "apply", str(EXAMPLE), "--dry-run", "--json")
    assert (result.exit_code, result.stderr) == (0, "")
    answer = json.loads(result.stdout)
    assert answer["applied"] is False
    assert {"services.support", "agents.bob", "agents.cora"} <= {each["path"] for each in answer["changes"]}


@pytest.mark.parametrize("block", blocks("yaml"), ids=str)
def test_every_yaml_example_that_is_a_services_document_is_accepted(block: Block) -> None:
    content = yaml.safe_load(block.text)
    if "arrivals" in content:
        return  # a scenario, which has agents of another kind
    if set(content) & set(ServicesDocument.model_fields):
        parse(content)


SCENARIOS = sorted((ROOT / "docs/examples").glob("simulation-*.yaml"))


def files_of_examples() -> Files:
    return Files(EXAMPLE.parent, lambda path: DocumentFile(path).content)


@pytest.mark.parametrize("path", SCENARIOS, ids=shown)
def test_every_example_scenario_is_read(path: Path) -> None:
    assert read_scenario(DocumentFile(path).content, files_of_examples()).replications > 1


@pytest.mark.parametrize("block", [each for each in blocks("yaml") if "arrivals:" in each.text], ids=str)
def test_every_scenario_of_a_page_is_read(block: Block) -> None:
    read_scenario(yaml.safe_load(block.text), files_of_examples())


def test_every_simulation_of_the_documentation_runs_as_it_is_shown(tmp_path: Path) -> None:
    for path in (EXAMPLE, *SCENARIOS):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    recorded(tmp_path / "tuesday.jsonl", a_day())
    commands = [words for page, words in COMMANDS if page == "docs/simulation.md" and words[0] == "simulate"]
    for words in commands:
        ended = subprocess.run(
            [str(Path(sys.executable).parent / "ringback"), *words, "--replications", "1"],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert (ended.returncode, ended.stderr) == (0, ""), f"ringback {' '.join(words)}: {ended.stderr}"
        assert "wait, mean" in ended.stdout or json.loads(ended.stdout)["figures"]
    assert len(commands) >= 6


def test_the_guide_to_simulation_explains_every_field_and_every_figure() -> None:
    text = (ROOT / "docs/simulation.md").read_text("utf-8")
    entries: list[type[scenario.Entry]] = [
        *(scenario.ScenarioEntry, scenario.VariantEntry, scenario.ArrivalEntry, scenario.CustomersEntry),
        *(scenario.ShiftEntry, scenario.AgentsEntry, scenario.TimingEntry, scenario.CallsEntry),
        *(scenario.PressesEntry, scenario.DistributionEntry),
    ]
    missing = [name for entry in entries for name in entry.model_fields if not re.search(rf"\b{name}\b", text)]
    assert not missing
    for name in ("hours", "warm_up_hours", "replications", "seed", "service_level_seconds"):
        default = scenario.ScenarioEntry.model_fields[name].default
        assert f"| `{name}` | {default:g} |" in text


@pytest.mark.parametrize("block", blocks("toml"), ids=str)
def test_every_key_of_a_settings_example_is_known(block: Block, tmp_path: Path) -> None:
    tomllib.loads(block.text)
    file = tmp_path / "ringback.toml"
    file.write_text(block.text, "utf-8")
    load(file, {})


def test_the_guides_table_of_service_fields_gives_their_defaults() -> None:
    service = parse(
        {"services": [{"id": "a", "name": "A", "company": "A", "skill_expression": "a"}], "agents": []}
    ).document.services[0]
    text = GUIDE.read_text("utf-8").partition("## The services document")[2].partition("\n## ")[0]
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| ([^|]+) \|", text, re.MULTILINE))
    compared = 0
    for name, told in rows.items():
        value: Any = service
        for part in name.split("."):
            value = getattr(value, part, None)
        if re.fullmatch(r"[0-9]+", told):
            assert value == int(told), name
            compared += 1
    assert compared >= 10


def test_the_page_on_screening_gives_every_setting_with_its_default() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", (ROOT / "docs/screening.md").read_text("utf-8"), re.MULTILINE))
    defaults = ScreeningEntry().model_dump()
    assert {name: rows.get(name, "").strip("` ") for name in defaults} == {
        name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in defaults.items()
    }


def test_the_container_files_name_what_exists() -> None:
    dockerfile = (ROOT / "docker/Dockerfile").read_text("utf-8")
    for sources in re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile, re.MULTILINE):
        assert all((ROOT / source).exists() for source in sources.split()), sources
    compose = yaml.safe_load((ROOT / "docker/compose.yaml").read_text("utf-8"))
    engine = compose["services"]["ringback"]
    assert (ROOT / engine["build"]["dockerfile"]).is_file()
    load(None, {**engine["environment"], "RINGBACK_PROMPTS__ASTERISK_DIR": "prompts"})


# ---- requests ---------------------------------------------------------------------------------------


def curl_commands() -> list[tuple[str, list[str]]]:
    return [(page, words) for page, words in shell_lines() if words[0] == "curl"]


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    async with running_api(tmp_path, document=parse_example()) as running:
        yield running


def parse_example() -> dict[str, Any]:
    return DocumentFile(EXAMPLE).content


async def test_every_curl_of_the_documentation_is_understood_by_the_engine(api: Api) -> None:
    made: dict[str, Any] = {}
    sent = 0
    for page, words in curl_commands():
        method, path, headers, body = read_curl(words)
        if made:
            path = path.replace("cbk5q2example", made["id"])
            headers = {name: value.replace("shown-only-here", made["token"]) for name, value in headers.items()}
        headers.pop("Authorization", None)
        role = KeyRole.AGENT if path.startswith("/api/v1/agent/") or path == "/api/v1/agent" else KeyRole.ADMIN
        role_or_token = None if "X-Callback-Token" in headers else role
        response = await api.ask(method, path, role=role_or_token, headers=headers, data=body)
        assert response.status in (200, 201), f"{page}: {method} {path}: {await response.text()}"
        if path == "/api/v1/callbacks" and body is not None and not made:
            made = await response.json()
        sent += 1
    assert sent >= 7


def read_curl(words: list[str]) -> tuple[str, str, dict[str, str], str | None]:
    """Method, path, headers and body of a curl command."""
    method, path, body, headers = "", "", None, {}
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "-d":
                body = next(rest)
            case _:
                parts = urlsplit(word)
                path = parts.path + (f"?{parts.query}" if parts.query else "")
    return method or ("GET" if body is None else "POST"), path, headers, body


def test_the_guide_explains_every_field_of_a_request() -> None:
    model: type[Received] = CallbackWanted
    text = GUIDE.read_text("utf-8").partition("## Requesting callbacks")[2].partition("## Watching")[0]
    missing = [name for name in model.model_fields if f"`{name}`" not in text]
    assert not missing


async def test_the_answer_in_the_guide_has_the_fields_of_the_engines(api: Api) -> None:
    example = next(json.loads(each.text) for each in blocks("json") if '"manage_url"' in each.text)
    response = await api.ask("POST", "/api/v1/callbacks", json={"service": "billing", "phone": "+12025550123"})
    assert list(example) == list(await response.json())


def test_the_message_of_a_stream_in_the_guide_has_the_shape_of_the_engines() -> None:
    example = next(json.loads(each.text) for each in blocks("json") if '"seq"' in each.text)
    message = StreamMessage.model_validate(example)
    assert list(example) == list(StreamMessage.model_fields)
    assert json.loads(message.model_dump_json()) == example


def test_the_guide_explains_every_kind_of_message_and_every_close_code() -> None:
    text = GUIDE.read_text("utf-8").partition("## Agents log in and listen")[2].partition("\n## ")[0]
    assert [kind for kind in NewsKind if f"`{kind}`" not in text] == []
    told = {int(code) for code in re.findall(r"^\| ([0-9]{4}) \|", text, re.MULTILINE)}
    assert told == set(CloseCode)


def test_the_errors_of_a_request_stand_in_the_guide_with_their_status(tmp_path: Path) -> None:
    text = GUIDE.read_text("utf-8").partition("**Errors** are")[2].partition("## Watching")[0]
    rows = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| ([0-9]{3}) \|", text, re.MULTILINE)
    told = {Code(name): int(status) for names, status in rows for name in re.findall(r"`([a-z-]+)`", names)}
    assert all(MEANINGS[code].status == status for code, status in told.items())
    elsewhere = {
        *(Code.NOT_FOUND, Code.METHOD_NOT_ALLOWED, Code.CALL_IN_PROGRESS, Code.ALREADY_ENDED, Code.WRONG_STATE),
        *(Code.SERVICE_IN_USE, Code.MISSING_PROMPTS, Code.UNKNOWN_DISPOSITION),
        *(Code.UNKNOWN_REASON, Code.WRONG_LOGIN, Code.UPGRADE_REQUIRED),
    }
    assert set(told) == set(Code) - elsewhere


@pytest.mark.parametrize("block", blocks("json"), ids=str)
def test_every_problem_in_an_example_is_one_the_engine_sends(block: Block) -> None:
    content = json.loads(block.text)
    if "code" in content:
        meaning = MEANINGS[Code(content["code"])]
        assert (content["status"], content["title"]) == (meaning.status, meaning.title)
        assert content["type"] == f"urn:ringback:error:{content['code']}"


# ---- figures ----------------------------------------------------------------------------------------


async def test_the_guide_names_exactly_the_metrics_that_the_engine_serves(api: Api) -> None:
    response = await api.ask("GET", "/metrics")
    kinds = dict(re.findall(r"^# TYPE (\S+) (\S+)$", await response.text(), re.MULTILINE))
    served = {name: kind for name, kind in kinds.items() if not name.endswith("_created")}
    rows = re.findall(r"^\| `(ringback_[a-z_]+)` \| ([a-z]+) \|", GUIDE.read_text("utf-8"), re.MULTILINE)
    assert dict(rows) == served
    families = {family.name: family for family in Metrics().registry.collect()}
    assert {name.removesuffix("_total") for name in served} >= set(families)


def test_every_metric_that_a_page_names_is_in_the_guides_table() -> None:
    table = set(re.findall(r"^\| `(ringback_[a-z_]+)` \|", GUIDE.read_text("utf-8"), re.MULTILINE))
    for page in PAGES:
        named = set(re.findall(r"`(ringback_[a-z_]+)`", page.read_text("utf-8")))
        assert named <= table, f"{shown(page)}: {named - table}"


# ---- what must not stand anywhere ----------------------------------------------------------------------

_HOST = re.compile(r"(?:https?|git|ssh)://(?:[^\s/@\"'`]*@)?([A-Za-z0-9.-]+\.[A-Za-z]{2,})")
_OF_NOBODY = re.compile(r"(^|\.)(example|test|invalid|localhost)$|(^|\.)example\.(com|org|net)$")
_LICENCE = {"www.apache.org", "apache.org"}
_OF_A_MACHINE = re.compile(r"(?<![\w.])/(?:work|root|Users|home/(?!dir\b)[a-z]+)/[\w.-]+")
_INDEX_OPTIONS = re.compile(r"--(?:extra-)?index-url|--find-links|PIP_INDEX_URL|FROM +[\w.-]+\.[a-z]{2,}[/:]")


@pytest.mark.parametrize("path", tracked(), ids=shown)
def test_no_file_names_a_registry_or_a_path_of_one_machine(path: Path) -> None:
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError:
        return
    hosts = {host.lower() for host in _HOST.findall(text) if not _OF_NOBODY.search(host.lower())}
    assert not hosts - _LICENCE, f"{shown(path)} names {hosts}"
    if path == Path(__file__).resolve():
        return  # holds the patterns themselves
    assert not _OF_A_MACHINE.findall(text), f"{shown(path)} holds a path of one machine"
    assert not _INDEX_OPTIONS.findall(text), f"{shown(path)} says where packages come from"
