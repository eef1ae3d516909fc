"""Gives each lab a block of ports of its own, on loopback.

A block is free when its fixed ports (HTTP, SIP, AMI) can be bound; a running lab of anybody on this machine has
its own bound, so whole blocks, with their RTP ranges, never overlap. Blocks lie below and above the range from which
the system takes ports for outgoing connections.
"""

import socket
from dataclasses import dataclass

from engine.lab.errors import LabError

_SIZE = 2_000
_BLOCKS = (*range(10_000, 32_000, _SIZE), 61_000, 63_000)


@dataclass(frozen=True, slots=True)
class SidePorts:
    """The ports of one Asterisk: HTTP and AMI (TCP), SIP (UDP), and RTP from `rtp_start` to `rtp_end`."""

    http: int
    ami: int
    sip: int
    rtp_start: int
    rtp_end: int


@dataclass(frozen=True, slots=True)
class PortBlock:
    """The ports of one lab."""

    pbx: SidePorts
    network: SidePorts


def free_block() -> PortBlock:
    """The first block that nobody uses."""
    for base in _BLOCKS:
        half = _SIZE // 2
        block = PortBlock(pbx=_side(base, base + half), network=_side(base + half, base + _SIZE))
        if is_free(block):
            return block
    raise LabError("every block of ports is taken; end a lab with `ringback lab down --all`")


def is_free(block: PortBlock) -> bool:
    """Whether nobody holds the fixed ports of this block."""
    return all(
        _can_bind(kind, port)
        for side in (block.pbx, block.network)
        for kind, port in (
            (socket.SOCK_STREAM, side.http),
            (socket.SOCK_STREAM, side.ami),
            (socket.SOCK_DGRAM, side.sip),
        )
    )


def _side(start: int, end: int) -> SidePorts:
    return SidePorts(http=start, ami=start + 1, sip=start + 2, rtp_start=start + 10, rtp_end=end - 1)


def _can_bind(kind: socket.SocketKind, port: int) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            # A connection of a lab that has just ended may linger on the port; Asterisk does not mind it either.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
