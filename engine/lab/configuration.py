"""Writes the configuration of a lab's two Asterisks.

Both read the shipped files of `asterisk-config/`, rendered as an operator would, through a small frame
(`engine/lab/frame/`) that adds only what the lab itself decides: directories, ports, phones and behaviour.
"""

from collections.abc import Mapping
from pathlib import Path

from engine.asterisk.rendering import AsteriskSettings, render, render_folder
from engine.lab.ports import PortBlock, SidePorts

AGENT_NUMBERS = (*range(1001, 1900), *range(1901, 1905))
PHONE_NUMBERS = range(1961, 2000)
"""Those that nobody answers until an `engine.lab.phone.Phone` has registered."""
_FRAME = Path(__file__).resolve().parent / "frame"
_HOME_FOLDERS = ("etc", "lib", "spool/recording", "run", "log", "cache")


def write_pbx(home: Path, home_inside: str, settings: AsteriskSettings, ports: PortBlock) -> None:
    """The PBX: shipped configuration, one trunk and all agents' phones towards the network."""
    etc = _write(home, home_inside, "pbx", settings, ports.pbx, {"network_sip_port": str(ports.network.sip)})
    phones = [_agent(number, ports.network.sip) for number in AGENT_NUMBERS] + [
        _phone(number) for number in PHONE_NUMBERS
    ]
    (etc / "agents.conf").write_text("".join(phones), "utf-8")


def write_network(
    home: Path, home_inside: str, settings: AsteriskSettings, ports: PortBlock, behaviour: Mapping[str, str]
) -> None:
    """The simulated network; `behaviour` fills the placeholders of its dialplan and of its record."""
    extra = {"pbx_sip_port": str(ports.pbx.sip), **behaviour}
    _write(home, home_inside, "network", settings, ports.network, extra)


def _write(
    home: Path,
    home_inside: str,
    side: str,
    settings: AsteriskSettings,
    ports: SidePorts,
    extra: Mapping[str, str],
) -> Path:
    for folder in _HOME_FOLDERS:
        (home / folder).mkdir(parents=True, exist_ok=True)
    etc = home / "etc"
    values = {
        "home": home_inside,
        "sip_port": str(ports.sip),
        "rtp_start": str(ports.rtp_start),
        "rtp_end": str(ports.rtp_end),
        **extra,
    }
    render_folder(_FRAME / side, values, etc)
    render(settings, etc / "ringback")
    return etc


def _agent(number: int, network_sip_port: int) -> str:
    return (
        f"[agent-{number}](ringback-agent)\naors = agent-{number}\n"
        f"[agent-{number}](ringback-agent-aor)\n"
        f"contact = sip:{number}@127.0.0.1:{network_sip_port}\nqualify_frequency = 0\n"
    )


def _phone(number: int) -> str:
    return (
        f"[agent-{number}](ringback-agent)\naors = agent-{number}\n[agent-{number}](ringback-agent-aor)\n"
        "qualify_frequency = 0\n"
    )
