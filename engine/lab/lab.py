"""One lab: a real Asterisk as the PBX, a second one as the telephone network, on loopback.

It belongs to the process that brought it up and ends with it, unless it was detached; several labs may run side by
side. Nothing here knows of callbacks: a lab places no calls by itself.
"""

import atexit
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO
from urllib.parse import urlsplit

from engine.lab import processes, rung_in, state, witness
from engine.lab.errors import LabError, NoSuchLabError
from engine.lab.guard import Guard
from engine.lab.installation import find
from engine.lab.preparation import Wishes, prepare
from engine.lab.rung_in import RungIn
from engine.lab.state import AsteriskAddress, LabState
from engine.lab.witness import WitnessCall


def _silent(_line: str) -> None:
    return


class Lab:
    """A running lab; use `Lab.up()` or `Lab.attach()`. As a context manager it goes down at the end."""

    def __init__(self, lab_state: LabState) -> None:
        self._state = lab_state
        self._owner: TextIO | None = None
        self._guard: Guard | None = None

    @classmethod
    def up(
        cls,
        *,
        progress: Callable[[str], None] = _silent,
        record_audio: bool = False,
        talk_seconds: float = 5.0,
        detached: bool = False,
    ) -> Self:
        """Find or build an Asterisk and start a lab on it.

        `record_audio`: every far end records what it hears. `talk_seconds`: how long agents talk once they hear the
        customer. A `detached` lab outlives this process; any other ends with it, whatever happens to it.
        """
        for lab_id in state.sweep():
            progress(f"removed lab {lab_id}, which its owner left behind")
        installation = find(progress)
        base = installation.labs_dir
        with state.exclusive(base):
            directory = base / secrets.token_hex(4)
            directory.mkdir(mode=0o700)
            owner = state.hold(directory)
            guard = Guard(directory)
            try:
                wishes = Wishes(record_audio=record_audio, talk_seconds=talk_seconds)
                lab = cls(prepare(installation, directory, wishes))
                lab._owner, lab._guard = owner, guard
                # Inside the lock until the ports are really taken.
                lab._start()
            except BaseException:  # also Ctrl-C: half a lab must not stay
                state.take_down(directory)
                guard.finish()
                owner.close()
                raise
        if detached:
            lab._detach()
        else:
            atexit.register(lab.down)
        progress(f"lab {lab.id} is up: Asterisk {lab.version}, ARI at {lab.pbx.ari_url}")
        return lab

    @classmethod
    def attach(cls, lab_id: str | None = None) -> Self:
        """The running lab with this id, or the newest."""
        found = [lab for lab in running() if lab_id in (None, lab.id)]
        if not found:
            which = f"no lab {lab_id} is running" if lab_id else "no lab is running"
            raise NoSuchLabError(f"{which}; start one with `ringback lab up`")
        return cls(max(found, key=lambda lab: lab.started_at))

    @property
    def state(self) -> LabState:
        """All of it as one value, as written in the lab's directory."""
        return self._state

    @property
    def id(self) -> str:
        """Eight hexadecimal digits."""
        return self._state.id

    @property
    def directory(self) -> Path:
        """Everything of this lab."""
        return self._state.directory

    @property
    def version(self) -> str:
        """Asterisk's version, such as `22.10.1`."""
        return self._state.version

    @property
    def pbx(self) -> AsteriskAddress:
        """The Asterisk with the shipped configuration: the engine's."""
        return self._state.pbx

    @property
    def network(self) -> AsteriskAddress:
        """The Asterisk that plays the telephone network and the agents' phones."""
        return self._state.network

    @property
    def prompts_dir(self) -> Path:
        """A prompts folder of this lab's own, with hold music in it; `engine.prompts.build` may fill it."""
        return self.directory / "prompts"

    @property
    def prompts_dir_in_asterisk(self) -> str:
        """The same folder as the PBX sees it."""
        return self._state.installation.inside(self.prompts_dir)

    @property
    def announcement_in_asterisk(self) -> str:
        """A sound in the rhythm of speech, nine seconds long, as the PBX names it (without extension)."""
        return self._state.installation.inside(self.directory / "sounds" / "announcement")

    def witness(self) -> list[WitnessCall]:
        """Every INVITE that reached the network so far, as the network wrote it down."""
        return witness.read(self.directory / "witness.csv")

    def await_witness(self, fits: Callable[[WitnessCall], bool], *, seconds: float = 5.0) -> WitnessCall | None:
        """The first call that fits and has ended; the record follows the call by a moment. None: it did not come."""
        deadline = time.monotonic() + seconds
        while True:
            found = next((call for call in self.witness() if call.ended_at is not None and fits(call)), None)
            if found is not None or time.monotonic() > deadline:
                return found
            time.sleep(0.02)

    def rung_in(self) -> list[RungIn]:
        """Every caller who rang the PBX so far (see `engine.lab.callers`), as the network wrote it down."""
        return rung_in.read(self.directory / "witness.csv")

    def await_rung_in(self, ring_id: str, *, seconds: float = 120.0) -> RungIn:
        """That caller's call once it has ended. Raises LabError if it does not end in time."""
        deadline = time.monotonic() + seconds
        while True:
            found = next((call for call in self.rung_in() if call.ring_id == ring_id), None)
            if found is not None and found.ended_at is not None:
                return found
            if time.monotonic() > deadline:
                raise LabError(f"caller {ring_id} {'has not ended' if found else 'did not ring'} after {seconds:g} s")
            time.sleep(0.05)

    def recordings(self, call: WitnessCall | RungIn) -> Path:
        """What that far end heard, as a WAV of 8 kHz mono from its answer on; complete once the call has ended."""
        path = self.directory / "recordings" / f"{call.channel}.wav"
        if not path.exists():
            number = call.number if isinstance(call, WitnessCall) else call.dialled
            raise LabError(
                f"there is no recording of the call to {number}: it was not answered, or the lab was "
                "started without record_audio"
            )
        return path

    def console(self, command: str, *, side: str = "pbx") -> str:
        """What the console of one side (`pbx`, `network`) answers, for a look by eye."""
        return processes.console(self._state.installation, self.directory / side, command)

    def stop_pbx(self) -> None:
        """End the PBX as a power failure would (SIGKILL); the network goes on."""
        processes.kill(processes.config_file(self._state.installation, self.directory / "pbx"))

    def start_pbx(self) -> None:
        """Start the PBX again on the same ports."""
        self._boot(("pbx",))

    def down(self) -> None:
        """End both Asterisks and remove everything; a second time does nothing."""
        state.take_down(self.directory)
        if self._guard is not None:
            self._guard.finish()
            self._guard = None
        if self._owner is not None:
            self._owner.close()
            self._owner = None
        atexit.unregister(self.down)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def _start(self) -> None:
        self._boot(state.SIDES)
        self._state = replace(self._state, ready=True)
        state.write(self._state)

    def _boot(self, sides: tuple[str, ...]) -> None:
        installation = self._state.installation
        for side in sides:
            processes.start(installation, self.directory / side)
        for side in sides:
            pid = processes.wait_until_booted(installation, self.directory / side)
            address: AsteriskAddress = replace(getattr(self._state, side), pid=pid)
            _check_ari(address)
            self._state = replace(self._state, pbx=address) if side == "pbx" else replace(self._state, network=address)
        state.write(self._state)

    def _detach(self) -> None:
        self._state = replace(self._state, detached=True)
        state.write(self._state)
        if self._guard is not None:
            self._guard.dismiss()
            self._guard = None
        if self._owner is not None:
            self._owner.close()
            self._owner = None


def running() -> list[LabState]:
    """Every lab that is up, oldest first; stale ones are not counted."""
    states = []
    for directory in state.directories():
        if (directory / state.STATE_FILE).exists() and not state.is_stale(directory):
            lab_state = state.read(directory)
            if lab_state.ready:
                states.append(lab_state)
    return sorted(states, key=lambda lab: lab.started_at)


def _check_ari(address: AsteriskAddress) -> None:
    """The passwords are new with each lab: an answer proves that this Asterisk owns its port."""
    where = urlsplit(address.ari_url)
    connection = HTTPConnection(f"{where.hostname}:{where.port}", timeout=10)
    try:
        connection.request("GET", f"{where.path}/asterisk/ping", headers=address.headers())
        status = connection.getresponse().status
    except OSError as error:
        raise LabError(f"the lab's Asterisk does not answer at {address.ari_url}: {error}") from error
    finally:
        connection.close()
    if status != HTTPStatus.OK:
        raise LabError(f"another program answers at {address.ari_url} (status {status}); try again")
