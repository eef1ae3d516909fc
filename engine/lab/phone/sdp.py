"""Offers and answers of a call's audio (RFC 4566, RFC 3264): G.711 and telephone events, nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv4Address

from engine.lab.phone.rtp import PCMA, PCMU
from engine.lab.phone.sip import Address

_NAMES = {PCMU: "PCMU", PCMA: "PCMA"}
_AUDIO = re.compile(r"m=audio ([0-9]{1,5}) RTP/AVP((?: [0-9]{1,3})+)")
_CONNECTION = re.compile(r"c=IN IP4 (\S+)")
_EVENTS = re.compile(r"a=rtpmap:([0-9]{1,3}) telephone-event/8000", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Offer:
    """Where the caller hears, the codec we choose of those offered, and the payload type of its telephone events."""

    address: Address
    payload_type: int
    key_type: int | None


def read_offer(body: bytes) -> Offer | None:
    """The first audio stream with a codec that we speak, the caller's first choice of them; None without one."""
    host, port, types, key_type = "", 0, list[int](), None
    section = ""
    for line in body.decode(errors="replace").splitlines():
        if line.startswith("m="):
            audio = None if types else _AUDIO.fullmatch(line.strip())
            section = "audio" if audio else "other"
            if audio:
                port, types = int(audio[1]), [int(each) for each in audio[2].split()]
        elif section != "other" and (connection := _CONNECTION.match(line)):
            host = connection[1]
        elif section == "audio" and (events := _EVENTS.match(line)) and int(events[1]) in types:
            key_type = int(events[1])
    chosen = next((each for each in types if each in _NAMES), None)
    if chosen is None or not 0 < port < 65536 or (key_type or 0) > 127:
        return None
    try:
        return Offer((str(IPv4Address(host)), port), chosen, key_type)
    except AddressValueError:
        return None


def answer(offer: Offer, address: Address) -> bytes:
    """We hear at `address`. The same offer has the same answer, so a re-INVITE changes nothing."""
    return written(offer, address)


def written(offer: Offer, address: Address, *, version: int = 1, direction: str = "sendrecv") -> bytes:
    """A description of one audio stream heard at `address`; `version` grows with each change of it."""
    host, port = address
    types = [offer.payload_type] if offer.key_type is None else [offer.payload_type, offer.key_type]
    lines = [
        "v=0",
        f"o=- {port} {version} IN IP4 {host}",
        "s=-",
        f"c=IN IP4 {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(map(str, types))}",
        f"a=rtpmap:{offer.payload_type} {_NAMES[offer.payload_type]}/8000",
    ]
    if offer.key_type is not None:
        lines += [f"a=rtpmap:{offer.key_type} telephone-event/8000", f"a=fmtp:{offer.key_type} 0-16"]
    return "".join(f"{line}\r\n" for line in [*lines, "a=ptime:20", f"a={direction}"]).encode()
