"""The process of the far end: one thread, one loop, all calls.

Packets go out on a wheel of eight slots of 2.5 ms; a call keeps its slot, so its packets are 20 ms apart and the load
is even. What arrives is fetched every 10 ms: the kernel has noted when it came.
"""

from __future__ import annotations

import contextlib
import gc
import select
import signal
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import cycle
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import BinaryIO

from engine.lab.phone.g711 import FRAME_SECONDS
from engine.lab.phone.rtp import Stream, bursts
from engine.lab.phone.sip import Address
from engine.lab.witness import KeyPress
from tests.bench.screening import call_result
from tests.bench.screening.acting import Frames, Library, Performance
from tests.bench.screening.call_result import CallResult, EndedBy, Figures
from tests.bench.screening.listening import Ear
from tests.bench.screening.scene import Scene
from tests.bench.screening.timers import Timers
from tests.bench.screening.user_agent import Dialog, UserAgent

HOST = "127.0.0.1"
SLOTS = 8
TICK_SECONDS = FRAME_SECONDS / SLOTS
TICKS_BETWEEN_FETCHES = 4
MEDIA_SOCKETS = 4
"""Calls share a few sockets and are told apart by where packets come from: a socket each would cost a look each."""
RECEIVE_BUFFER = 4 * 1024 * 1024
LATE_STEP = 0.0001
"""How late packets were sent is counted in steps of 0.1 ms, up to 2 s."""
_SO_RCVBUFFORCE = 33
_SO_TIMESTAMPNS = 35
"""Linux's numbers; Python has no names for them."""
_TIMESPEC = struct.Struct("@ll")
_LONGEST_SIP = 65_535
_LONGEST_RTP = 1500


@dataclass(frozen=True, slots=True)
class Plan:
    """What to act: which scene answers at which number (digits, without +), and where the results go."""

    scenes: Mapping[str, Scene]
    numbers: Mapping[str, str]
    results: Path
    ring_seconds: float
    announcement_seconds: float


@dataclass(eq=False, slots=True)
class _Call:
    """A call that was answered."""

    dialog: Dialog
    answered_at: float
    ear: Ear
    stream: Stream
    performance: Frames
    socket: socket.socket
    hears_us_at: Address
    slot: list[_Call]
    keys: tuple[KeyPress, ...] = ()
    begun: bool = False


class FarEnd:
    """The telephone that `UserAgent` answers for; `run` until the connection says stop or is closed."""

    def __init__(self, plan: Plan, control: Connection, results: BinaryIO) -> None:
        self._plan = plan
        self._control = control
        self._results = results
        self._library = Library(plan.scenes.values())
        self._sip = _udp_socket(0)
        self._media = [_media_pair() for _ in range(MEDIA_SOCKETS)]
        self._next_media = cycle(self._media)
        self._by_port = {rtp.getsockname(): rtp for rtp, _ in self._media}
        self._timers = Timers()
        self.address: Address = self._sip.getsockname()
        self._agent = UserAgent(self.address, self._send, self._timers, self, plan.ring_seconds)
        self._wheel: list[list[_Call]] = [[] for _ in range(SLOTS)]
        self._calls: dict[Dialog, _Call] = {}
        self._invited_at: dict[Dialog, float] = {}
        self._by_source: dict[Address, _Call] = {}
        self._late = [0] * int(2 / LATE_STEP)
        self._sent = self._received = self._strangers = self._malformed = 0
        self._all = self._most_at_once = 0

    def run(self) -> Figures:
        """Serve until it is told to stop; calls that go on then are not ended."""
        began, cpu_began = time.monotonic(), time.process_time()
        due, tick = began, 0
        waited_for = [self._sip.fileno(), self._control.fileno()]
        while True:
            readable, _, _ = select.select(waited_for, [], [], max(0.0, due - time.monotonic()))
            if waited_for[0] in readable:
                self._fetch_sip()
            if waited_for[1] in readable:
                break
            while due <= time.monotonic():
                self._timers.run(due)
                if tick % TICKS_BETWEEN_FETCHES == 0:
                    self._fetch_media()
                self._send_slot(self._wheel[tick % SLOTS], due)
                tick += 1
                due += TICK_SECONDS
        return self._figures(time.monotonic() - began, time.process_time() - cpu_began)

    def close(self) -> None:
        """Let go of the sockets."""
        for each in (self._sip, *(each for pair in self._media for each in pair)):
            each.close()

    # ---- the telephone -------------------------------------------------------------------------------

    def is_known(self, number: str) -> bool:
        """As `Telephone` says."""
        return number in self._plan.numbers

    def media_address(self) -> Address:
        """As `Telephone` says."""
        address: Address = next(self._next_media)[0].getsockname()
        return address

    def invited(self, dialog: Dialog) -> None:
        """As `Telephone` says."""
        self._invited_at[dialog] = time.time()
        self._all += 1

    def answered(self, dialog: Dialog) -> None:
        """As `Telephone` says: the scene begins."""
        offer = dialog.offer
        if offer is None:
            raise AssertionError("a call without an offer was answered")
        answered_at = time.time()
        scene = self._plan.scenes[self._plan.numbers[dialog.number]]
        # The same for the same scene, so that two runs lose the same packets.
        chance = Random(scene.name)  # noqa: S311 - no secret
        ear = Ear(offer.payload_type, answered_at, self._plan.announcement_seconds)
        stream = Stream(offer.payload_type, offer.key_type, Random(dialog.tag), bursts(scene.loss, chance))  # noqa: S311
        frames = Performance(scene, self._library, stream, ear, lambda key: self._pressed(dialog, key)).frames()
        slot = min(self._wheel, key=len)
        media = self._by_port[dialog.hears_at]
        call = _Call(dialog, answered_at, ear, stream, frames, media, offer.address, slot)
        slot.append(call)
        self._calls[dialog] = self._by_source[offer.address] = call
        self._most_at_once = max(self._most_at_once, len(self._calls))

    def moved(self, dialog: Dialog) -> None:
        """As `Telephone` says."""
        call, offer = self._calls.get(dialog), dialog.offer
        if call is None or offer is None:
            return
        self._by_source.pop(call.hears_us_at, None)
        call.hears_us_at = offer.address
        self._by_source[offer.address] = call

    def ended(self, dialog: Dialog, status: int, by: EndedBy) -> None:
        """As `Telephone` says: the result is written down."""
        call = self._calls.pop(dialog, None)
        if call is not None:
            call.slot.remove(call)
            if self._by_source.get(call.hears_us_at) is call:
                del self._by_source[call.hears_us_at]
        self._results.write(call_result.line(self._result(dialog, call, status, by)))
        self._results.flush()

    def _pressed(self, dialog: Dialog, key: str) -> None:
        call, now = self._calls[dialog], time.time()
        call.keys = (*call.keys, KeyPress(key, now))
        call.ear.end_announcement(now)

    def _result(self, dialog: Dialog, call: _Call | None, status: int, by: EndedBy) -> CallResult:
        now, invited_at = time.time(), self._invited_at.pop(dialog)
        name = self._plan.numbers.get(dialog.number, "")
        if call is None:
            return CallResult(dialog.number, name, dialog.call_id, status, invited_at, now, by)
        ear, stream = call.ear, call.stream
        ear.end_announcement(now)
        self._malformed += ear.malformed
        return CallResult(
            number=dialog.number,
            scene=name,
            call_id=dialog.call_id,
            status=status,
            invited_at=invited_at,
            ended_at=now,
            ended_by=by,
            answered_at=call.answered_at,
            first_packet_at=ear.first_packet_at,
            first_audio_at=ear.first_audio_at,
            longest_gap=ear.longest_gap,
            longest_silence=ear.longest_silence,
            keys=call.keys,
            sent=stream.sent,
            lost=stream.lost,
            received=ear.received,
            missing=ear.missing,
            audible_seconds=ear.audible * FRAME_SECONDS,
            timeline=ear.timeline.decode(),
        )

    # ---- packets -------------------------------------------------------------------------------------

    def _send(self, datagram: bytes, to: Address) -> None:
        self._sip.sendto(datagram, to)

    def _fetch_sip(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                datagram, source = self._sip.recvfrom(_LONGEST_SIP)
                self._timers.now = time.monotonic()
                self._agent.receive(datagram, source)

    def _fetch_media(self) -> None:
        by_source = self._by_source
        for rtp, _ in self._media:
            for packet, at, source in _received(rtp):
                call = by_source.get(source)
                if call is None:
                    self._strangers += 1
                else:
                    self._received += 1
                    call.ear.hear(packet, at)

    def _send_slot(self, slot: list[_Call], due: float) -> None:
        if not slot:
            return
        now, sent, over = time.time(), 0, []
        for call in slot:
            try:
                packets = call.performance.send(now) if call.begun else next(call.performance)
            except StopIteration:
                over.append(call)
                continue
            call.begun = True
            for packet in packets:
                call.socket.sendto(packet, call.hears_us_at)
                sent += 1
        late = int((time.monotonic() - due) / LATE_STEP)
        self._late[min(late, len(self._late) - 1)] += sent
        self._sent += sent
        for call in over:
            self._agent.hang_up(call.dialog)

    def _figures(self, seconds: float, cpu_seconds: float) -> Figures:
        return Figures(
            calls=self._all,
            most_at_once=self._most_at_once,
            sent=self._sent,
            received=self._received,
            strangers=self._strangers,
            malformed=self._agent.malformed + self._malformed,
            cpu_seconds=cpu_seconds,
            seconds=seconds,
            late_median=self._late_share(0.5),
            late_99=self._late_share(0.99),
            late_most=self._late_share(1.0),
        )

    def _late_share(self, share: float) -> float:
        """Milliseconds within which this share of all packets was sent."""
        wanted, seen = share * sum(self._late), 0
        for step, packets in enumerate(self._late):
            seen += packets
            if packets and seen >= wanted:
                return (step + 1) * LATE_STEP * 1000
        return 0.0


def serve(control: Connection) -> None:
    """The whole process: is told its plan, tells its SIP port when it is ready, and its figures when told to stop."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the bench's, which then stops us
    try:
        plan: Plan = control.recv()
    except EOFError:  # the bench has died
        return
    with plan.results.open("ab") as results:
        far_end = FarEnd(plan, control, results)
        try:
            # The scenes stay for ever: looking through them again and again would only hold up packets.
            gc.collect()
            gc.freeze()
            control.send(far_end.address[1])
            figures = far_end.run()
        finally:
            far_end.close()
    # The bench may have died; then nobody wants the figures.
    with contextlib.suppress(EOFError, OSError):
        control.recv()
        control.send(figures)


def _received(rtp: socket.socket) -> Iterator[tuple[bytes, float, Address]]:
    """All packets that wait, with the times at which they came."""
    receive = rtp.recvmsg
    while True:
        try:
            packet, notes, _, source = receive(_LONGEST_RTP, 64)
        except BlockingIOError:
            return
        at = 0.0
        for _, kind, note in notes:
            if kind == _SO_TIMESTAMPNS and len(note) == _TIMESPEC.size:
                seconds, nanoseconds = _TIMESPEC.unpack(note)
                at = seconds + nanoseconds * 1e-9
        yield packet, at or time.time(), source


def _media_pair() -> tuple[socket.socket, socket.socket]:
    """An RTP socket on an even port, and one on the next for RTCP, which is thrown away unread."""
    while True:
        rtp = _udp_socket(0)
        port = rtp.getsockname()[1]
        try:
            if port % 2 == 0:
                rtcp = _udp_socket(port + 1)
                break
        except OSError:
            pass
        rtp.close()
    with contextlib.suppress(OSError):  # needs a privilege; without it the system's own limit holds
        rtp.setsockopt(socket.SOL_SOCKET, _SO_RCVBUFFORCE, RECEIVE_BUFFER)
    with contextlib.suppress(OSError):  # no Linux: the time of fetching has to do
        rtp.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    return rtp, rtcp


def _udp_socket(port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.setblocking(False)
    try:
        made.bind((HOST, port))
    except OSError:
        made.close()
        raise
    return made
