"""How labs come and go: side by side, killed, left behind, detached; nothing is ever left."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from engine.lab import Lab, NoSuchLabError, running, sweep
from engine.lab.calling import call

BUSY, UNALLOCATED = "PJSIP/12025550110@trunk", "PJSIP/12025550117@trunk"


def test_two_labs_stand_side_by_side_and_leave_nothing(lab: Lab) -> None:
    with Lab.up() as other:
        directory, pids = other.directory, (other.pbx.pid, other.network.pid)
        assert other.pbx.sip_port != lab.pbx.sip_port
        assert {lab.id, other.id} <= {each.id for each in running()}
        report = asyncio.run(call(other.pbx, BUSY, announcement=other.announcement_in_asterisk))
        assert report.sip_code == 486
        assert [each.number for each in other.witness()] == ["12025550110"]
    assert not directory.exists()
    assert not any(_runs(pid) for pid in pids)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", other.pbx.sip_port))
    assert other.id not in {each.id for each in running()}
    other.down()  # a second time does nothing


def test_the_pbx_can_be_killed_and_started_again_while_the_record_goes_on(lab: Lab) -> None:
    with Lab.up() as other:
        before = other.pbx.pid
        other.stop_pbx()
        other.start_pbx()
        assert other.pbx.pid != before
        report = asyncio.run(call(other.pbx, UNALLOCATED, announcement=other.announcement_in_asterisk))
        assert report.sip_code == 404
        assert len(other.witness()) == 1


_OWNER = """
import sys, time
from engine.lab import Lab
lab = Lab.up(detached=sys.argv[1] == "detached")
print(lab.id, flush=True)
if sys.argv[1] == "owned":
    time.sleep(600)
"""


def _owner(kind: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([sys.executable, "-c", _OWNER, kind], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process.stdout:
        return process, process.stdout.readline().strip()


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_lab_ends_with_its_owner_however_that_ends(end: signal.Signals) -> None:
    process, lab_id = _owner("owned")
    attached = Lab.attach(lab_id)
    process.send_signal(end)
    process.wait(20)
    deadline = time.monotonic() + 20
    while attached.directory.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not attached.directory.exists()
    assert not any(_runs(each.pid) for each in (attached.pbx, attached.network))


def test_a_lab_whose_owner_and_guard_are_gone_is_recognised_and_swept() -> None:
    process, lab_id = _owner("owned")
    attached = Lab.attach(lab_id)
    for guard in _guards(attached.directory):
        os.kill(guard, signal.SIGKILL)
    process.kill()
    process.wait(20)
    assert attached.directory.exists()
    assert lab_id not in {each.id for each in running()}
    with pytest.raises(NoSuchLabError):
        Lab.attach(lab_id)
    assert lab_id in sweep()
    assert not attached.directory.exists()


def test_a_detached_lab_outlives_its_process_and_is_ended_by_another() -> None:
    process, lab_id = _owner("detached")
    assert process.wait(20) == 0
    with Lab.attach(lab_id) as attached:
        assert attached.console("core show uptime")
    assert lab_id not in {each.id for each in running()}


def _runs(pid: int) -> bool:
    try:
        # Empty once the process has ended, even when nobody has taken note of its end yet.
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except FileNotFoundError:
        return False


def _guards(directory: Path) -> list[int]:
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended since it was listed
        if b"engine.lab.guard" in words and str(directory).encode() in words:
            found.append(int(entry.name))
    return found
