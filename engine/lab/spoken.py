"""The prompts that name no service, spoken once for all labs of this user: every engine on a lab would say them anew.

They lie beside the private Asterisk. Whoever comes first speaks them, the others wait for it; a lab only copies.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

from engine.lab.private_root import cache_dir
from engine.prompts import PromptError, SpokenService, build, library
from engine.prompts.occasions import SHARED_FOLDER

_ANYBODY = SpokenService("any", "Any", "Any", takes_calls=True, callback_key="1", records=True)
"""A service that needs everything, so that all of it is spoken."""


def bring_shared_prompts(to: Path) -> None:
    """Put them into a lab's empty folder of prompts. Without a synthesiser nothing is done: the engine tells that."""
    spoken = cache_dir() / "prompts"
    try:
        build((_ANYBODY,), spoken, progress=lambda _line: None)
    except PromptError:
        return
    index = json.loads((spoken / library.INDEX).read_text("utf-8"))
    shared = {file: entry for file, entry in index["files"].items() if file.startswith(f"{SHARED_FOLDER}/")}
    shutil.copytree(spoken / SHARED_FOLDER, to / SHARED_FOLDER)
    (to / library.INDEX).write_text(json.dumps({**index, "files": shared}), "utf-8")
