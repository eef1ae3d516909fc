"""The kinds of value that `ringback.toml` holds, each with its own check and a message that says how to mend it.

What goes near a dial string or a place in Asterisk's dialplan has a strict character set, and nothing here loosens it.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

_PLACEHOLDER = re.compile(r"\{(?:number|e164)\}")
_ENDPOINT_TEMPLATE = re.compile(r"PJSIP/[A-Za-z0-9_.+:@-]+")
_URI_TEMPLATE = re.compile(
    r"PJSIP/[A-Za-z0-9_.-]+/sips?:[A-Za-z0-9_.+-]*\{(?:number|e164)\}[A-Za-z0-9_.-]*@[A-Za-z0-9.-]+(?::[0-9]{1,5})?"
)
_HOST_NAME = re.compile(
    r"(?=.{1,253}$)(?!.*(^|\.)(0[xX][0-9A-Fa-f]*|[0-9]+)$)"  # such as 0 or 127.1: addresses too
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)
_LONGEST_EAR_ADDRESS = 34
"""Asterisk's places in the dialplan have 79 characters: a UUID, a blank, `[address]:65535`."""


def _endpoint_template(value: str) -> str:
    if len(_PLACEHOLDER.findall(value)) != 1:
        raise ValueError("needs {number} or {e164} exactly once, such as PJSIP/{number}@trunk")
    if not _ENDPOINT_TEMPLATE.fullmatch(_PLACEHOLDER.sub("0", value)) and not _URI_TEMPLATE.fullmatch(value):
        raise ValueError(
            "must look like PJSIP/{number}@trunk or PJSIP/trunk/sip:{number}@host:port; "
            "only letters, digits and _ . + : @ - may be used"
        )
    return value


def _http_address(value: str) -> str:
    if not re.fullmatch(r"https?://[^\s/?#@]+(/[^\s?#]*)?", value):
        raise ValueError("must be an address such as http://127.0.0.1:8088, without query and without password")
    return value.rstrip("/")


def _origin(value: str) -> str:
    if not re.fullmatch(r"https?://[A-Za-z0-9.\[\]:-]+", value):
        raise ValueError("must be an origin such as https://desk.example.com, without a path")
    return value.lower()


def _ip_address(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value.strip()))
    except ValueError:
        raise ValueError("must be the IP address of one proxy, such as 127.0.0.1; networks are not taken") from None


def _ear_host(value: str) -> str:
    """It is told to Asterisk in a place of the dialplan, so nothing may be in it that means something there."""
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        if not _HOST_NAME.fullmatch(value):
            raise ValueError("must be an IP address or a host name, such as 192.0.2.20, without a port") from None
        return value
    if address.is_unspecified or address.is_multicast:
        raise ValueError("must be the one address of this machine that Asterisk reaches, not all of them")
    if isinstance(address, ipaddress.IPv6Address) and address.scope_id is not None:
        raise ValueError("must not have an interface in it; use an address that needs none")
    if len(str(address)) > _LONGEST_EAR_ADDRESS:
        raise ValueError("is too long for a place in Asterisk's dialplan; use a shorter IPv6 address, or IPv4")
    return str(address)


def _delivery(value: str) -> str:
    if value == "http":
        raise ValueError("http is not available in this version; share the folder and write shared")
    return value


HttpAddress = Annotated[str, AfterValidator(_http_address)]
Origin = Annotated[str, AfterValidator(_origin)]
IpAddress = Annotated[str, AfterValidator(_ip_address)]
EarHost = Annotated[str, AfterValidator(_ear_host)]
EndpointTemplate = Annotated[str, AfterValidator(_endpoint_template)]
Delivery = Annotated[Literal["shared", "http"], AfterValidator(_delivery)]
Port = Annotated[int, Field(ge=1, le=65535)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{1,64}$")]
