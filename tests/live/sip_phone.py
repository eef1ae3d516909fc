"""A telephone that registers at the lab's PBX and leaves again. It answers no call."""

from __future__ import annotations

import socket
from types import TracebackType
from typing import Self

from engine.lab import Lab

HOST = "127.0.0.2"
"""Not the address of the simulated network, by which the PBX would take it for the trunk."""


class SipPhone:
    """The phone of one endpoint that asks for no password."""

    def __init__(self, lab: Lab, name: str) -> None:
        self._registrar = ("127.0.0.1", lab.pbx.sip_port)
        self._name = name
        self._count = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((HOST, 0))
        self._socket.settimeout(5.0)
        self._port = self._socket.getsockname()[1]

    def registers(self) -> None:
        self._register(120)

    def unregisters(self) -> None:
        self._register(0)

    def _register(self, expires: int) -> None:
        self._count += 1
        lines = [
            f"REGISTER sip:{self._registrar[0]}:{self._registrar[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{self._port};branch=z9hG4bK{self._port}{self._count};rport",
            "Max-Forwards: 70",
            f"From: <sip:{self._name}@{self._registrar[0]}>;tag={self._count}",
            f"To: <sip:{self._name}@{self._registrar[0]}>",
            f"Call-ID: {self._name}-{self._port}",
            f"CSeq: {self._count} REGISTER",
            f"Contact: <sip:{self._name}@{HOST}:{self._port}>",
            f"Expires: {expires}",
            "Content-Length: 0",
        ]
        self._socket.sendto("\r\n".join([*lines, "", ""]).encode(), self._registrar)
        while not (answer := self._socket.recv(65536)).startswith(b"SIP/2.0"):
            pass  # somebody calls; this phone rings for ever
        assert answer.startswith(b"SIP/2.0 200"), answer.splitlines()[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()
