"""Puts the checks together: which run, side by side, and in which order their findings are told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from engine.config import load
from engine.doctor import machine
from engine.doctor.asterisk import ari
from engine.doctor.bounded import bounded, in_thread
from engine.doctor.finding import Finding, failed
from engine.doctor.manager import ami
from engine.errors import ConfigError


async def examine(config_file: Path | None = None, environment: Mapping[str, str] | None = None) -> list[Finding]:
    """Every finding about the installation that these settings describe, in a steady order."""
    try:
        settings = load(config_file, environment)
    except ConfigError as error:
        # The other checks would look at an installation that nobody has.
        return [*machine.python(), failed("settings", error), *await in_thread("name lookup", machine.own_name)]
    local: dict[str, Callable[[], Sequence[Finding]]] = {
        "python": machine.python,
        "settings": partial(machine.settings_read, settings, config_file),
        "store": partial(machine.store, settings.store.url),
        "prompts": partial(machine.prompts, settings),
        "name lookup": machine.own_name,
    }
    running: list[asyncio.Task[Sequence[Finding]]] = []
    async with asyncio.TaskGroup() as tasks:
        for name, check in local.items():
            running.append(tasks.create_task(in_thread(name, check), name=name))
        for node in settings.asterisk:
            for kind, look in (("ARI", ari), ("AMI", ami)):
                name = f"{node.name}: {kind}"
                running.append(tasks.create_task(bounded(name, look(node)), name=name))
    return [finding for task in running for finding in task.result()]
