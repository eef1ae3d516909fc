"""`ringback serve` as a process of its own, without an Asterisk: for tests of how it starts and ends."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

RINGBACK = str(Path(sys.executable).parent / "ringback")


def said(directory: Path) -> str:
    return (directory / "log").read_text("utf-8")


@contextmanager
def serving(directory: Path, *arguments: str, until: str, port: int = 0) -> Iterator[subprocess.Popen[bytes]]:
    """An engine without Asterisk that has logged `until`; `arguments` are further ones of `serve`."""
    (directory / "ringback.toml").write_text(
        f'[http]\nport = {port}\n[prompts]\ndir = "prompts"\n[[asterisk]]\nari_url = "http://127.0.0.1:1/ari"\n',
        "utf-8",
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [RINGBACK, "serve", *arguments],
            cwd=directory,
            stdout=log,
            stderr=log,
            env={**os.environ, "RINGBACK_ASTERISK__0__ARI_PASSWORD": "secret-of-the-lab"},
        )
    try:
        deadline = time.monotonic() + 20
        while until not in said(directory):
            assert process.poll() is None, said(directory)
            assert time.monotonic() < deadline
            time.sleep(0.005)
        yield process
    finally:
        process.kill()
        process.wait(20)
