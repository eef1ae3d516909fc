"""Prepares a lab's directory before anything is started: ports, passwords, configuration, prompts and music."""

import os
import secrets
import time
from dataclasses import dataclass, replace
from pathlib import Path

from engine.asterisk.rendering import AsteriskSettings
from engine.lab import configuration, sounds, state
from engine.lab.installation import Installation
from engine.lab.ports import PortBlock, SidePorts, free_block
from engine.lab.spoken import bring_shared_prompts
from engine.lab.state import AsteriskAddress, LabState
from engine.prompts import audio, library, music


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the caller of `Lab.up()` may choose."""

    record_audio: bool
    talk_seconds: float


def prepare(installation: Installation, directory: Path, wishes: Wishes) -> LabState:
    """Fill the lab's empty directory; the result has no process ids yet."""
    ports = free_block()
    settings = AsteriskSettings(
        prompts_dir=installation.inside(directory / "prompts"),
        ari_password=secrets.token_hex(12),
        ami_password=secrets.token_hex(12),
        http_port=ports.pbx.http,
        ami_port=ports.pbx.ami,
    )
    network_settings = replace(settings, ari_password=secrets.token_hex(12), http_port=ports.network.http)
    pbx = _address(directory / "pbx", settings, ports.pbx)
    lab = LabState(
        id=directory.name,
        directory=directory,
        root=installation.root,
        version=installation.version,
        owner_pid=os.getpid(),
        detached=False,
        ready=False,
        started_at=time.time(),
        record_audio=wishes.record_audio,
        talk_seconds=wishes.talk_seconds,
        pbx=replace(pbx, ami_port=settings.ami_port, ami_user=settings.ami_user, ami_password=settings.ami_password),
        network=_address(directory / "network", network_settings, ports.network),
    )
    state.write(lab)
    _write_configuration(installation, lab, settings, network_settings, ports)
    audio.write(directory / "prompts" / library.MUSIC, audio.wav_bytes(music.hold_music()))
    bring_shared_prompts(directory / "prompts")
    sounds.write_all(directory / "sounds")
    return lab


def _write_configuration(
    installation: Installation,
    lab: LabState,
    pbx_settings: AsteriskSettings,
    network_settings: AsteriskSettings,
    ports: PortBlock,
) -> None:
    pbx, network, recordings = (lab.directory / name for name in ("pbx", "network", "recordings"))
    recordings.mkdir()
    configuration.write_pbx(pbx, installation.inside(pbx), pbx_settings, ports)
    configuration.write_network(
        network,
        installation.inside(network),
        network_settings,
        ports,
        {
            "witness_file": installation.inside(lab.directory / "witness.csv"),
            "recordings_dir": installation.inside(recordings),
            "sounds_dir": installation.inside(lab.directory / "sounds"),
            "record_audio": "yes" if lab.record_audio else "no",
            "talk_seconds": f"{lab.talk_seconds:g}",
        },
    )


def _address(home: Path, settings: AsteriskSettings, ports: SidePorts) -> AsteriskAddress:
    return AsteriskAddress(
        ari_url=f"http://{settings.http_address}:{settings.http_port}/ari",
        ari_user=settings.ari_user,
        ari_password=settings.ari_password,
        sip_port=ports.sip,
        config_dir=home / "etc",
        pid=0,
    )
