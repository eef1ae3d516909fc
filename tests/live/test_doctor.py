"""The doctor against a real Asterisk: a sound one, and one with each thing broken that can be broken from outside."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine.asterisk.ari import AriClient, Ok
from engine.asterisk.recovery import HEARD
from engine.doctor import Finding, examine
from engine.lab import Lab


@pytest.fixture
def environment(lab: Lab, tmp_path: Path) -> dict[str, str]:
    """Settings that fit the lab."""
    for name, secret in (("ari", lab.pbx.ari_password), ("ami", lab.pbx.ami_password)):
        (tmp_path / name).write_text(secret)
    return {
        "RINGBACK_STORE__URL": f"sqlite+aiosqlite:///{tmp_path / 'ringback.db'}",
        "RINGBACK_PROMPTS__DIR": str(tmp_path / "prompts"),
        "RINGBACK_ASTERISK__0__ARI_URL": lab.pbx.ari_url,
        "RINGBACK_ASTERISK__0__ARI_USER": lab.pbx.ari_user,
        "RINGBACK_ASTERISK__0__ARI_PASSWORD_FILE": str(tmp_path / "ari"),
        "RINGBACK_ASTERISK__0__AMI_PORT": str(lab.pbx.ami_port),
        "RINGBACK_ASTERISK__0__AMI_USER": lab.pbx.ami_user,
        "RINGBACK_ASTERISK__0__AMI_PASSWORD_FILE": str(tmp_path / "ami"),
        "RINGBACK_ASTERISK__0__APPLICATION": "doctor-test",
    }


async def found(environment: dict[str, str], **changed: str) -> dict[str, Finding]:
    more = {f"RINGBACK_ASTERISK__0__{name}": value for name, value in changed.items()}
    return {each.name: each for each in await examine(None, {**environment, **more})}


def wrong(findings: dict[str, Finding]) -> list[str]:
    assert all(each.mend for each in findings.values() if not each.ok)
    return [name for name, each in findings.items() if not each.ok]


async def test_a_sound_installation_has_nothing_to_mend(environment: dict[str, str], lab: Lab) -> None:
    findings = await found(environment)
    assert wrong(findings) == [], findings
    kinds = "ARI version application modules trunk clock AMI dialplan phones".split()  # noqa: SIM905
    assert [f"pbx1: {kind}" for kind in kinds] == [name for name in findings if name.startswith("pbx1")]
    assert findings["pbx1: version"].detail == lab.version
    assert findings["pbx1: trunk"].detail == "PJSIP/trunk is online"


async def test_wrong_passwords_are_found_and_not_repeated(environment: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("not-the-password")
    file = str(tmp_path / "wrong")
    findings = await found(environment, ARI_PASSWORD_FILE=file, AMI_PASSWORD_FILE=file)
    assert wrong(findings) == ["pbx1: ARI", "pbx1: AMI"]
    assert all("refuses user ringback" in findings[f"pbx1: {kind}"].detail for kind in ("ARI", "AMI"))
    assert "not-the-password" not in str(findings)


async def test_nobody_at_the_address_is_found(environment: dict[str, str]) -> None:
    findings = await found(environment, ARI_URL="http://127.0.0.1:1/ari", AMI_PORT="1")
    assert wrong(findings) == ["pbx1: ARI", "pbx1: AMI"]
    assert "start Asterisk" in findings["pbx1: ARI"].mend


async def test_an_address_that_is_not_ari_is_found(environment: dict[str, str], lab: Lab) -> None:
    http_port = lab.pbx.ari_url.rsplit(":", 1)[1].partition("/")[0]
    findings = await found(environment, ARI_URL=f"{lab.pbx.ari_url}x", AMI_PORT=http_port)
    assert wrong(findings) == ["pbx1: ARI", "pbx1: AMI"]
    assert "answers 404" in findings["pbx1: ARI"].detail


async def test_a_trunk_that_does_not_exist_is_found(environment: dict[str, str]) -> None:
    findings = await found(environment, CUSTOMER_ENDPOINT="PJSIP/{number}@carrier")
    assert wrong(findings) == ["pbx1: trunk"]
    assert "pjsip.conf" in findings["pbx1: trunk"].mend


async def test_a_trunk_before_a_sip_address_is_looked_at(environment: dict[str, str]) -> None:
    findings = await found(environment, CUSTOMER_ENDPOINT="PJSIP/trunk/sip:{number}@127.0.0.1:5080")
    assert wrong(findings) == []
    assert findings["pbx1: trunk"].detail == "PJSIP/trunk is online"


async def test_an_engine_that_runs_is_told_from_another_program(environment: dict[str, str], lab: Lab) -> None:
    async with AriClient(lab.pbx.ari_url, lab.pbx.ari_user, lab.pbx.ari_password) as client:
        socket = await client.open_stream("doctor-test", subscribe_all=False, heartbeat_seconds=10)
        try:
            async with asyncio.timeout(5):
                while not isinstance(await client.applications.get("doctor-test"), Ok):  # noqa: ASYNC110 - no event tells it
                    await asyncio.sleep(0.02)
            assert wrong(await found(environment)) == ["pbx1: application"]
            assert isinstance(await client.applications.set_event_filter("doctor-test", allowed=HEARD), Ok)
            findings = await found(environment)
        finally:
            await socket.close()
    assert wrong(findings) == []
    assert findings["pbx1: application"].detail == "doctor-test is used by a Ringback engine"


@pytest.fixture
def broken(lab: Lab) -> Iterator[None]:
    """The PBX without our dialplan and without music; whole again afterwards."""
    lab.console("dialplan remove context ringback")
    lab.console("module unload res_musiconhold.so")
    yield
    lab.console("module load res_musiconhold.so")
    lab.console("dialplan reload")


async def test_missing_dialplan_and_modules_are_found(environment: dict[str, str], broken: None) -> None:
    findings = await found(environment)
    assert wrong(findings) == ["pbx1: modules", "pbx1: dialplan"]
    assert "res_musiconhold.so" in findings["pbx1: modules"].mend
    assert "asterisk render" in findings["pbx1: dialplan"].mend


@pytest.fixture
def earless(lab: Lab) -> Iterator[None]:
    """The PBX without what sends us the audio of customers; whole again afterwards."""
    lab.console("module unload app_audiosocket.so")
    yield
    lab.console("module load app_audiosocket.so")


async def test_what_an_ear_needs_is_missed_unless_there_is_to_be_none(
    environment: dict[str, str], earless: None
) -> None:
    mend = (await found(environment))["pbx1: modules"].mend
    assert "load = app_audiosocket.so" in mend
    assert mend.endswith("or set max_ears = 0")
    environment["RINGBACK_ASTERISK__0__MAX_EARS"] = "0"
    assert wrong(await found(environment)) == []


async def test_without_a_manager_password_the_dialplan_is_said_to_be_unchecked(environment: dict[str, str]) -> None:
    del environment["RINGBACK_ASTERISK__0__AMI_PASSWORD_FILE"]
    findings = await found(environment)
    assert wrong(findings) == []
    assert "not checked" in findings["pbx1: dialplan"].detail
    assert "pbx1: AMI" not in findings
