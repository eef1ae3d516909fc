"""`ringback demo`: a small call centre on a real Asterisk, from the first request to the last word.

It is a client like any other: it starts `ringback serve` on a lab and talks to it over HTTP. It judges what happened by
the engine's record and by the record of the simulated telephone network, which knows nothing of the engine.
"""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import FrameType
from typing import Any

import click

from cli.client import EngineClient, RequestRefusedError, client_of
from cli.demo_people import Receptionist, Screen, Watcher
from cli.demo_view import live_view, show_ending
from cli.main import INTERRUPTED
from cli.printing import as_json, console, print_json
from engine.demo.cast import (
    ADVICE,
    CAST,
    COLLEAGUES_PHONE,
    GIVERS_PHONE,
    LENDER,
    METALLURGIST,
    OPENS_AFTER_SECONDS,
    RECEPTIONIST,
    RINGS_OUT,
    UMA,
    VERA,
    WILL,
    Asks,
    document,
)
from engine.demo.scenes import call_in_faults, place_faults, preview_faults, transfer_faults
from engine.demo.verdict import agent_faults, by_part, faults, order_faults
from engine.errors import RingbackError
from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from engine.lab.phone.duty import Duty, give_to

STORY_LIMIT_SECONDS = 150.0
POLL_SECONDS = 0.5
LAST_WORDS_SECONDS = 10.0
"""After the last callback has ended its customer may still hear a goodbye."""

_COME_LATER = (METALLURGIST, RECEPTIONIST, LENDER)
_ENDING_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True, slots=True)
class Show:
    """Where the story plays, when the advisers open, and who acts in it by themselves."""

    lab: Lab
    engine: EngineProcess
    client: EngineClient
    opens_at: datetime
    receptionist: Receptionist
    screen: Screen
    watcher: Watcher


@click.command()
@as_json
@click.option(
    "--record",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep every event with its time in a new file, for a replay or a simulation.",
)
@click.option("--keep", is_flag=True, help="Leave everything running until Ctrl-C; prints addresses and keys.")
def demo(as_json: bool, keep: bool, record: Path | None) -> None:  # noqa: FBT001 - click passes flags so
    """Play twenty-three simulated customers on a real Asterisk and show what became of each.

    Starts a PBX, a simulated telephone network and an engine on free ports of this machine, and removes them at the
    end. Exit code 0 only if every callback ended as its number says it must, by the engine's record and by the
    network's.

    \b
    Examples:
      ringback demo
      ringback demo --json
      ringback demo --keep
      ringback demo --record demo.jsonl
    """
    try:
        problems = _perform(record, as_json=as_json, keep=keep)
    except KeyboardInterrupt:
        _tell("interrupted; nothing is left running")
        raise click.exceptions.Exit(INTERRUPTED) from None
    if any(problems.values()):
        raise RingbackError("not every callback ended as its number says it must; the lines marked ✗ say what differs")


def _perform(record: Path | None, *, as_json: bool, keep: bool) -> dict[str, list[str]]:
    """The whole story; what went otherwise than expected, by phone number. Everything is removed at the end."""
    began = time.monotonic()
    with _one_interruption() as clean_up_undisturbed, ExitStack() as stack:
        show = _set_up(stack, record)
        stack.callback(clean_up_undisturbed)
        _tell(f"set up in {time.monotonic() - began:.0f} s; the story begins")
        _request_all(show)
        callbacks = _watch(show)
        _wait_for_last_words(show)
        problems = _problems(show, callbacks)
        if as_json:
            print_json({"callbacks": callbacks, "ok": not any(problems.values())})
        else:
            show_ending(callbacks, problems, show.lab.witness())
            click.echo(f"Asterisk {show.lab.version}; {time.monotonic() - began:.0f} s in all")
        if keep:
            _keep(show)
    return problems


def _set_up(stack: ExitStack, record: Path | None) -> Show:
    lab = stack.enter_context(Lab.up(progress=_tell))
    stack.enter_context(Duty(lab.pbx, {GIVERS_PHONE: give_to(str(COLLEAGUES_PHONE))}))
    directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ringback-demo-")))
    arguments = () if record is None else ("--record", str(record.absolute()))
    engine = stack.enter_context(EngineProcess(lab, directory, arguments=arguments))
    _tell(f"engine at {engine.url}, ready; speaking the prompts of ten services")
    client = client_of(engine.url, str(engine.admin_key_file))
    # Speaking every prompt takes longer than other requests; only afterwards is it known when the advisers can open.
    slow = EngineClient(client.url, client.key, timeout_seconds=120.0)
    slow.post("/config", {"document": document(datetime.now(UTC) + timedelta(days=1))})
    opens_at = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=OPENS_AFTER_SECONDS)
    agents = document(opens_at)["agents"]
    client.post("/config", {"document": document(opens_at)})
    # The agent whose phone rings out comes first, so that the first customer meets her.
    for agent in sorted((agent["id"] for agent in agents), key=lambda agent: agent != RINGS_OUT):
        if agent not in _COME_LATER:
            client.put(f"/agents/{agent}/state", {"state": "ready"})
    return Show(lab, engine, client, opens_at, Receptionist(lab, client), Screen(client), Watcher(client))


def _request_all(show: Show) -> None:
    """Everybody asks; the advisers refuse who wants to be called now, and take bookings."""
    show.receptionist.wait_until_uma_is_in_line()
    for part in CAST:
        if part.asks is Asks.BY_RINGING_IN:
            continue
        booked = part.asks is Asks.FOR_THE_FIRST_SLOT
        asked = {"service": part.service, "phone": part.number, "first_name": part.first_name, "channel": "web"}
        if booked:
            _ask_in_vain(show.client, asked)
        when = show.opens_at.isoformat() if booked else "now"
        show.client.post("/callbacks", {**asked, "when": when})
    show.client.put(f"/agents/{METALLURGIST}/state", {"state": "ready"})


def _ask_in_vain(client: EngineClient, asked: Mapping[str, object]) -> None:
    try:
        client.post("/callbacks", {**asked, "when": "now"})
    except RequestRefusedError as refused:
        if refused.code == "closed":
            return
    raise RingbackError(f"service {ADVICE} should have said that it is closed at this time")


def _watch(show: Show) -> list[dict[str, Any]]:
    """Show the calls until all have ended; the callbacks as the API gives them, in the order of the cast."""
    from rich.live import Live

    deadline = time.monotonic() + STORY_LIMIT_SECONDS
    out = console()
    with Live(console=out, refresh_per_second=4, transient=True) if out.is_terminal else _no_live() as live:
        while True:
            show.receptionist.act()
            show.screen.act()
            show.watcher.act()
            callbacks = _callbacks(show.client)
            ended = sum(callback["ended_at"] is not None for callback in callbacks)
            if live is not None:
                live.update(live_view(show.client, callbacks, ended))
            if ended == len(CAST) or time.monotonic() > deadline:
                return callbacks
            time.sleep(POLL_SECONDS)


@contextmanager
def _no_live() -> Iterator[None]:
    yield None


def _callbacks(client: EngineClient) -> list[dict[str, Any]]:
    parts = by_part(client.items("/callbacks"))
    return [dict(parts[part]) for part in CAST if part in parts]


def _wait_for_last_words(show: Show) -> None:
    deadline = time.monotonic() + LAST_WORDS_SECONDS
    while time.monotonic() < deadline and any(call.ended_at is None for call in show.lab.witness()):
        time.sleep(POLL_SECONDS)


def _problems(show: Show, callbacks: list[dict[str, Any]]) -> dict[str, list[str]]:
    """What differs from the expectation, by phone number (and `agents`, `order`)."""
    witness = show.lab.witness()
    parts = by_part(callbacks)
    came_in = list(show.client.items("/inbound"))
    found = {
        part.number: faults(part, parts[part], witness) if part in parts else ["the engine does not know it"]
        for part in CAST
    }
    found["agents"] = agent_faults(show.client.items("/agents"))
    found["order"] = order_faults(parts, witness, show.opens_at.timestamp())
    found["order"] += place_faults(came_in, parts, witness)
    found[UMA.number] += call_in_faults(came_in, show.lab.rung_in(), parts)
    found[VERA.number] += preview_faults(show.screen.offer, parts, witness)
    found[WILL.number] += transfer_faults(parts, witness, wrapped_up=show.watcher.wrapped_up)
    return found


def _keep(show: Show) -> None:
    _tell("left running until Ctrl-C")
    click.echo(f"engine      {show.engine.url}  (API below /api/v1, /metrics, /openapi.json)")
    click.echo(f"admin key   {show.engine.admin_key}")
    click.echo(f"Asterisk    {show.lab.pbx.ari_url}  user {show.lab.pbx.ari_user}  (lab {show.lab.id})")
    click.echo(f"log         {show.engine.log_file}")
    environment = f"RINGBACK_URL={show.engine.url} RINGBACK_KEY_FILE={show.engine.admin_key_file}"
    click.echo(f"try         {environment} ringback callback list")
    try:
        signal.pause()
    except KeyboardInterrupt:
        _tell("stopping")


@contextmanager
def _one_interruption() -> Iterator[Callable[[], None]]:
    """Ctrl-C, SIGTERM and a closed terminal all interrupt the story, once: what follows is the clean-up.

    Gives a function after which no signal interrupts any more. A second Ctrl-C in the clean-up would leave behind what
    it was about to remove.
    """
    undisturbed = False

    def leave_alone() -> None:
        nonlocal undisturbed
        undisturbed = True

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if not undisturbed:
            leave_alone()
            raise KeyboardInterrupt

    # Whoever started us may have had a signal ignored, as nohup does.
    heard = [number for number in _ENDING_SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield leave_alone
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(line: str) -> None:
    click.echo(f"demo: {line}", err=True)
    sys.stderr.flush()
