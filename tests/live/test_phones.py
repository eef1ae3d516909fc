"""Agents' phones as the engine sees them through the manager interface of a real Asterisk, and what it does with it.

The tests follow each other on one lab and one engine, for they take Asterisk's modules away, and Asterisk itself.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from tests.live.calls.centre import Centre, agent, service
from tests.live.sip_phone import SipPhone

MODULE = "res_manager_devicestate.so"
LOOK = "module reload pbx_config.so"
"""After any reload the engine looks anew; without one it does so twice a minute."""
RINGS_OUT, OTHER, REGISTERS, SAME = 1901, 1301, 1950, 1302
ENDPOINT = f"agent-{REGISTERS}"
"""An endpoint without a contact until its phone registers; nobody asks it whether it is alive."""


@pytest.fixture(scope="module")
def own_lab() -> Iterator[Lab]:
    with Lab.up() as lab:
        agents = lab.pbx.config_dir / "agents.conf"
        with agents.open("a", encoding="utf-8") as file:
            file.write(
                f"[{ENDPOINT}](ringback-agent)\naors = {ENDPOINT}\n"
                f"[{ENDPOINT}](ringback-agent-aor)\nqualify_frequency = 0\n"
            )
        yield lab


@pytest.fixture(scope="module")
def house(own_lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Centre]:
    environment = {
        "RINGBACK_ASTERISK__0__AMI_PORT": str(own_lab.pbx.ami_port),
        "RINGBACK_ASTERISK__0__AMI_USER": own_lab.pbx.ami_user,
        "RINGBACK_ASTERISK__0__AMI_PASSWORD": own_lab.pbx.ami_password,
        "RINGBACK_AGENTS__GRACE_SECONDS": "5",
    }
    with EngineProcess(own_lab, tmp_path_factory.mktemp("phones"), environment=environment) as engine:
        centre = Centre(own_lab, engine)
        centre.configure(
            [service("busy"), service("registers", attempts={"max": 1}), service("same")],
            [agent(RINGS_OUT, "busy"), agent(OTHER, "busy"), agent(REGISTERS, "registers"), agent(SAME, "same")],
        )
        yield centre


@pytest.fixture(scope="module")
def followers(house: Centre) -> list[str]:
    """Two customers of one agent, who are called while other tests go on."""
    house.ready(SAME)
    return [house.request("same", "12125550103"), house.request("same", "12125550104")]


@pytest.fixture(scope="module")
def phone(own_lab: Lab) -> Iterator[SipPhone]:
    with SipPhone(own_lab, ENDPOINT) as telephone:
        yield telephone


def phone_of(house: Centre, number: int) -> str:
    return str(next(each["phone"] for each in house.client.items("/agents") if each["id"] == f"a{number}"))


def until_phone(house: Centre, number: int, state: str) -> None:
    house.wait(lambda: phone_of(house, number) == state, f"the phone of {number} is {state}", 20)


def readiness(house: Centre) -> dict[str, Any]:
    try:
        with urlopen(f"{house.engine.url}/readyz", timeout=5) as answer:  # noqa: S310 - our own engine on loopback
            found: dict[str, Any] = json.load(answer)
    except HTTPError as not_ready:
        with not_ready:
            found = json.load(not_ready)
    return found


def until_ami(house: Centre, words: str, *, status: str) -> None:
    """Wait until `/readyz` says so of AMI."""
    house.wait(lambda: words in readiness(house)["checks"]["ami:lab"]["detail"], f"AMI: {words}", 20)
    assert readiness(house)["status"] == status


def outside_call(lab: Lab, method: str) -> None:
    """Ring the phone that nobody answers, or give up; no business of the engine."""
    to = f"/outside?endpoint=PJSIP/agent-{RINGS_OUT}&context=none&extension=s&priority=1&timeout=60"
    path = to if method == "POST" else "/outside"
    request = Request(f"{lab.pbx.ari_url}/channels{path}", method=method, headers=lab.pbx.headers())  # noqa: S310
    urlopen(request, timeout=5).close()  # noqa: S310 - the lab's own Asterisk


def test_after_rendering_asterisk_is_told_to_read_it_and_the_new_endpoint_is_there(
    own_lab: Lab, house: Centre, tmp_path: Path
) -> None:
    until_phone(house, OTHER, "idle")
    assert phone_of(house, REGISTERS) == "unknown", "Asterisk has not read of it yet"
    for name, secret in (("ari", own_lab.pbx.ari_password), ("ami", own_lab.pbx.ami_password)):
        (tmp_path / name).write_text(secret)
    port = own_lab.pbx.ari_url.split(":")[2].split("/")[0]
    rendered = subprocess.run(
        [
            *(str(Path(sys.executable).parent / "ringback"), "asterisk", "render", "--json", "--reload"),
            *("--to", str(own_lab.pbx.config_dir / "ringback"), "--prompts-dir", own_lab.prompts_dir_in_asterisk),
            *("--ami-port", str(own_lab.pbx.ami_port), "--http-port", port),
            *("--ari-password-file", str(tmp_path / "ari"), "--ami-password-file", str(tmp_path / "ami")),
        ],
        check=True,
        stdout=subprocess.PIPE,
    )
    told = json.loads(rendered.stdout)
    assert {each["result"] for each in told["reloads"]} == {"done"}
    assert told["reloads"][0]["module"] == "res_pjsip.so"
    assert told["needs_restart"] == ["asterisk.options.conf", "modules.conf"]
    until_phone(house, REGISTERS, "unregistered")
    until_ami(house, "trunk reachable", status="ready")


def test_an_agent_whose_phone_is_busy_with_an_outside_call_is_not_chosen(
    own_lab: Lab, house: Centre, followers: list[str]
) -> None:
    house.ready(RINGS_OUT, OTHER)
    until_phone(house, RINGS_OUT, "idle")
    outside_call(own_lab, "POST")
    try:
        until_phone(house, RINGS_OUT, "busy")
        (callback,) = house.until_ended(house.request("busy", "12125550101"))
    finally:
        outside_call(own_lab, "DELETE")
    assert (callback["state"], callback["agent"]) == ("completed", f"a{OTHER}")
    assert house.agent_state(RINGS_OUT) == ("ready", None), "no ring was missed"
    until_phone(house, RINGS_OUT, "idle")
    until_phone(house, OTHER, "idle")


def test_who_waits_for_an_agent_without_a_phone_is_called_when_it_registers(house: Centre, phone: SipPhone) -> None:
    house.ready(REGISTERS)
    callback = house.request("registers", "12125550110")
    house.until_state(callback, "queued")
    explained = json.dumps(house.client.get(f"/callbacks/{callback}/explain"))
    assert f"Agent {REGISTERS} is at a phone that is not registered" in explained

    phone.registers()

    (ended,) = house.until_ended(callback, limit_seconds=20)
    assert [(each["outcome"], each["agent"]) for each in ended["attempts"]] == [("busy", f"a{REGISTERS}")]
    assert phone_of(house, REGISTERS) == "idle"
    phone.unregisters()
    until_phone(house, REGISTERS, "unregistered")


def test_two_customers_of_one_agent_follow_each_other_though_the_first_call_made_the_phone_busy(
    house: Centre, followers: list[str]
) -> None:
    ended = house.until_ended(*followers)
    assert [each["state"] for each in ended] == ["completed", "completed"]
    assert [attempt["outcome"] for each in ended for attempt in each["attempts"]] == ["connected", "connected"]


def test_without_the_module_that_tells_changes_phones_are_unknown_and_it_is_said_how_to_mend(
    own_lab: Lab, house: Centre
) -> None:
    own_lab.console(f"module unload {MODULE}")
    own_lab.console(LOOK)
    house.wait(lambda: readiness(house)["status"] == "degraded", "the next look finds it", 60)
    until_ami(house, f"load = {MODULE}", status="degraded")
    assert phone_of(house, OTHER) == "unknown"

    own_lab.console(f"module load {MODULE}")
    own_lab.console(LOOK)
    house.wait(lambda: readiness(house)["status"] == "ready", "the next look finds it", 60)
    until_phone(house, OTHER, "idle")


def test_an_asterisk_that_dies_makes_phones_unknown_and_they_are_seen_again_when_it_is_back(
    own_lab: Lab, house: Centre
) -> None:
    own_lab.stop_pbx()
    until_phone(house, OTHER, "unknown")

    own_lab.start_pbx()

    until_phone(house, OTHER, "idle")
    until_phone(house, REGISTERS, "unregistered")
    house.wait(lambda: readiness(house)["status"] == "ready", "all is well again", 30)


def test_after_a_start_who_was_ready_and_has_no_phone_is_set_to_not_ready(house: Centre) -> None:
    assert house.agent_state(REGISTERS)[0] == "ready"
    house.engine.terminate()
    house.engine.start()
    house.wait(lambda: house.agent_state(REGISTERS) == ("not_ready", "system"), "the grace is over", 20)
    assert house.agent_state(SAME)[0] == "ready", "their phone is there"


def test_with_a_wrong_password_it_is_said_plainly_and_customers_are_served(house: Centre) -> None:
    house.engine.terminate()
    house.engine.spawn(RINGBACK_ASTERISK__0__AMI_PASSWORD="wrong-and-never-shown")
    house.wait(lambda: _answers(house), "it serves", 30)
    until_ami(house, "refuses user", status="degraded")
    assert "ami_password_file" in readiness(house)["checks"]["ami:lab"]["detail"]
    house.until_state(house.request("same", "12125550105"), "announcing")
    assert len([each for each in house.engine.log_entries() if each.get("event") == "ami.away"]) == 1
    assert "wrong-and-never-shown" not in house.engine.log_file.read_text("utf-8")


def _answers(house: Centre) -> bool:
    try:
        return bool(readiness(house)["checks"]["asterisk:lab"]["ok"])
    except Exception:  # noqa: BLE001 - it is starting
        return False
