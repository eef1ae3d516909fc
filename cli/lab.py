"""`ringback lab`: a real Asterisk with a simulated telephone network on this machine.

A local job: it needs no running engine. Results go to standard output, progress and errors to standard error. Exit code
0 ok, 1 refused or failed, 2 wrong usage.
"""

import asyncio
import json
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from types import FrameType

import click

from engine.lab import Lab, LabError, LabState, NoSuchLabError, RungIn, WitnessCall, callers, running, sweep, take_down
from engine.lab.calling import CallReport, call

_as_json = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
_CUSTOMER = re.compile(r"1[2-9]\d\d55501\d\d")
_AGENT = re.compile(r"1\d{3}")
_SOMEBODY = "+12025550100"
_DEFAULT_STEPS = "listen,hang-up"


@click.group("lab", short_help="A real Asterisk and a simulated telephone network.")
def lab() -> None:
    """A real Asterisk and a simulated telephone network on this machine, on loopback only.

    The Asterisk on the PATH is used, 22.7 to 23; without one a private copy is built once. Numbers are
    +1 NPA 555 01xx, and the last two digits decide what happens: 00-09 answer and press 1, 10 busy, 11 rings for ever,
    12 rejects, 13 voicemail, 14 never presses, 15 presses 3, 16 hangs up, 17 unallocated, 18 network failure, 19 busy
    once, 20 presses 2, 21 call screening robot, 22 presses late, 23 voicemail that is slow to greet, 24 early media, 25
    presses early, 26 sends no RTP in silence, 27 presses 9, 28 fax, 29 presses 1 in a noisy street.
    """


@lab.command("up", short_help="Start a lab.")
@click.option("--detach", is_flag=True, help="Leave it running; end it with `ringback lab down`.")
@click.option("--record-audio", is_flag=True, help="Every far end records what it hears.")
@click.option(
    "--talk-seconds",
    type=click.FloatRange(0.1, 150),
    default=5.0,
    show_default=True,
    help="How long agents talk once they hear the customer.",
)
@_as_json
def up(detach: bool, record_audio: bool, talk_seconds: float, as_json: bool) -> None:  # noqa: FBT001
    """Start a lab and keep it until Ctrl-C, or leave it running with --detach.

    \b
    Examples:
      ringback lab up
      ringback lab up --detach --json
    """
    own = Lab.up(progress=_progress, record_audio=record_audio, talk_seconds=talk_seconds, detached=detach)
    click.echo(json.dumps(_as_data(own.state)) if as_json else _as_text(own.state))
    if detach:
        return
    with own:
        click.echo("Ctrl-C ends it", err=True)
        _until_told_to_stop()


@lab.command("down", short_help="End a lab.")
@click.argument("lab_id", required=False, metavar="[ID]")
@click.option("--all", "everything", is_flag=True, help="End every lab of this user.")
@_as_json
def down(lab_id: str | None, everything: bool, as_json: bool) -> None:  # noqa: FBT001
    """End the lab with this ID, the only one, or all; stale ones are removed in passing.

    \b
    Examples:
      ringback lab down
      ringback lab down 1f2e3d4c
      ringback lab down --all
    """
    if lab_id and everything:
        raise click.UsageError("give an ID or --all, not both")
    ended = sweep()
    labs = running()
    if lab_id:
        labs = [each for each in labs if each.id == lab_id]
        if not labs and lab_id not in ended:
            raise NoSuchLabError(f"no lab {lab_id} is running; `ringback lab status` lists them")
    elif len(labs) > 1 and not everything:
        raise LabError(f"{len(labs)} labs are running; name one ({', '.join(x.id for x in labs)}) or say --all")
    for each in labs:
        take_down(each.directory)
        ended.append(each.id)
    if as_json:
        click.echo(json.dumps({"ended": ended}))
    else:
        click.echo(f"ended: {', '.join(ended)}" if ended else "no lab was running")


@lab.command("status", short_help="Show the running labs.")
@_as_json
def status(as_json: bool) -> None:  # noqa: FBT001
    """Show the running labs with their addresses; stale ones are removed in passing.

    \b
    Example:
      ringback lab status --json
    """
    sweep()
    labs = running()
    if as_json:
        click.echo(json.dumps({"items": [_as_data(each) for each in labs], "next": None}))
        return
    click.echo("\n\n".join(_as_text(each) for each in labs) or "no lab is running; start one with `ringback lab up`")


@lab.command("call", short_help="Call a number of the simulated network, or ring in from it.")
@click.argument("number", required=False)
@click.option("--in", "dialled", metavar="DIALLED", help="Ring in to the PBX at this number instead.")
@click.option("--from", "caller", metavar="CALLER", help="With --in: who calls, a number or agent-1001.")
@click.option("--anonymous", is_flag=True, help="With --in: the caller withholds their number.")
@click.option("--steps", "script", metavar="STEPS", help="With --in: what the caller does once answered.")
@click.option("--lab", "lab_id", metavar="ID", help="Which lab; default: the newest, or one for this call.")
@click.option(
    "--limit", type=click.FloatRange(1, 600), default=45.0, show_default=True, help="Hang up after these seconds."
)
@click.option(
    "--announcements",
    type=click.IntRange(1, 9),
    default=1,
    show_default=True,
    help="How often it is played while no key comes, with 9 seconds between.",
)
@_as_json
def call_command(
    number: str | None,
    dialled: str | None,
    caller: str | None,
    anonymous: bool,  # noqa: FBT001
    script: str | None,
    lab_id: str | None,
    limit: float,
    announcements: int,
    as_json: bool,  # noqa: FBT001
) -> None:
    """Dial NUMBER from the lab's PBX, play it an announcement and tell what both sides saw.

    NUMBER is +1 NPA 555 01xx or an agent's phone, 1001 to 1904.

    With --in somebody calls the other way: from the network to the PBX, as customers do, or from an agent's phone.
    STEPS, separated by commas: listen [S] (to an announcement's end, S seconds at most), press KEYS, wait S,
    talk [S] (until S seconds after hearing an agent), stay, hang-up. Without --steps: listen,hang-up.

    \b
    Examples:
      ringback lab call +12025550100
      ringback lab call 1902 --json
      ringback lab call +12025550121 --announcements 2
      ringback lab call --in +12025550199 --steps "listen,press 1,wait 2,hang-up"
      ringback lab call --in +12025550199 --anonymous --limit 10 --json
      ringback lab call --in "*80" --from agent-1001
    """
    if dialled is None:
        if number is None or caller or anonymous or script:
            raise click.UsageError("give a NUMBER to call, or --in with the number that is rung")
        _call_out(number, lab_id, limit, announcements, as_json=as_json)
        return
    if number is not None or (caller and anonymous):
        raise click.UsageError("--in is rung by one caller: no NUMBER, and either --from or --anonymous")
    shown = None if anonymous else caller or _SOMEBODY
    try:
        callers.check(dialled, shown)
        steps = callers.steps(script or _DEFAULT_STEPS)
    except LabError as error:  # before a lab is started for it
        raise click.UsageError(str(error)) from error
    _ring_in(dialled, shown, steps, lab_id, limit, as_json=as_json)


def _call_out(number: str, lab_id: str | None, limit: float, announcements: int, *, as_json: bool) -> None:
    endpoint, dialled = _endpoint(number)
    with _lab(lab_id) as used:
        before = {seen.channel for seen in used.witness()}
        report = asyncio.run(
            call(
                used.pbx,
                endpoint,
                announcement=used.announcement_in_asterisk,
                limit_seconds=limit,
                announcements=announcements,
            )
        )
        seen = used.await_witness(lambda each: each.number == dialled and each.channel not in before)
        version = used.version
    if as_json:
        click.echo(json.dumps({"asterisk": version, "pbx": asdict(report), "network": seen and asdict(seen)}))
        return
    click.echo(f"Asterisk {version}")
    click.echo(_report_text(report))
    click.echo(_witness_text(seen) if seen else "network: no INVITE arrived")


def _ring_in(
    dialled: str, caller: str | None, script: Sequence[callers.Step], lab_id: str | None, limit: float, *, as_json: bool
) -> None:
    with _lab(lab_id) as used:
        ring_id = callers.ring_in(used, dialled, caller, script, patience_seconds=limit)
        try:
            seen = used.await_rung_in(ring_id, seconds=limit)
        except LabError:
            callers.hang_up(used, ring_id)
            seen = used.await_rung_in(ring_id, seconds=5)
        version = used.version
    if as_json:
        click.echo(json.dumps({"asterisk": version, "network": asdict(seen)}))
        return
    click.echo(f"Asterisk {version}")
    click.echo(_rung_in_text(seen))


def _endpoint(number: str) -> tuple[str, str]:
    digits = re.sub(r"[ ().-]", "", number).removeprefix("+").removeprefix("PJSIP/").removeprefix("agent")
    if _CUSTOMER.fullmatch(digits):
        return f"PJSIP/{digits}@trunk", digits
    if _AGENT.fullmatch(digits):
        return f"PJSIP/agent-{digits}", digits
    raise click.BadParameter("use +1 NPA 555 01xx, such as +12025550100, or an agent's phone such as 1001")


@contextmanager
def _lab(lab_id: str | None) -> Iterator[Lab]:
    try:
        found = Lab.attach(lab_id)
    except NoSuchLabError:
        if lab_id:
            raise
        found = None
    if found is not None:
        yield found  # somebody else's: it stays
        return
    with Lab.up(progress=_progress) as own:
        yield own


def _until_told_to_stop() -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, stop)
    try:
        signal.pause()
    except KeyboardInterrupt:
        click.echo("ending the lab", err=True)


def _as_data(state: LabState) -> dict[str, object]:
    return json.loads(json.dumps(asdict(state), default=str))  # type: ignore[no-any-return]


def _as_text(state: LabState) -> str:
    kept = "detached" if state.detached else f"belongs to process {state.owner_pid}"
    return (
        f"lab {state.id}  Asterisk {state.version}  {kept}\n"
        f"  ARI       {state.pbx.ari_url}  user {state.pbx.ari_user}  password {state.pbx.ari_password}\n"
        f"  AMI       127.0.0.1:{state.pbx.ami_port}  user {state.pbx.ami_user}  password {state.pbx.ami_password}\n"
        f"  SIP       PBX 127.0.0.1:{state.pbx.sip_port}, network 127.0.0.1:{state.network.sip_port}\n"
        f"  files     {state.directory}"
    )


def _report_text(report: CallReport) -> str:
    def after(seconds: float | None) -> str:
        return "-" if seconds is None else f"after {seconds:.2f} s"

    keys = f"{report.keys} {after(report.key_after)}" if report.keys else "-"
    return (
        f"pbx:     ringing {after(report.ringing_after)}, answered {after(report.answered_after)}, keys {keys}\n"
        f"         ended by {report.ended_by} {after(report.seconds)}, SIP {report.sip_code or '-'}, "
        f"cause {report.cause} ({report.cause_name})"
    )


def _witness_text(seen: WitnessCall) -> str:
    def after(at: float | None) -> str:
        return "-" if at is None else f"after {at - seen.invited_at:.2f} s"

    keys = ", ".join(f"{press.key} {after(press.at)}" for press in seen.keys) or "-"
    return (
        f"network: INVITE {seen.call_id}, answered {after(seen.answered_at)}, keys {keys}\n"
        f"         ended {after(seen.ended_at)}, refused with {seen.sip_code or '-'}, cause {seen.cause or '-'}"
    )


def _rung_in_text(seen: RungIn) -> str:
    def after(*moments: float | None) -> str:
        return ", ".join(f"after {at - seen.started_at:.2f} s" for at in moments if at is not None) or "-"

    keys = ", ".join(f"{press.key} {after(press.at)}" for press in seen.keys) or "-"
    return (
        f"network: {seen.caller or 'anonymous'} rang {seen.dialled}, INVITE {seen.call_id}\n"
        f"         answered {after(seen.answered_at)}, heard {after(*seen.heard)}, quiet {after(*seen.quiet)}\n"
        f"         keys {keys}, agent {after(seen.met_at)}\n"
        f"         hung up {after(seen.hung_up_at)}, ended {after(seen.ended_at)}, "
        f"refused with {seen.sip_code or '-'}, cause {seen.cause or '-'}"
    )


def _progress(line: str) -> None:
    click.echo(line, err=True)
