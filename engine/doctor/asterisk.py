"""Checks of one Asterisk through ARI.

Only questions are asked; nothing is subscribed to, loaded or called. The first question decides whether the others make
sense at all.
"""

from __future__ import annotations

import asyncio
import re
import time

from engine.asterisk.ari import AriClient, Ok, Refused
from engine.asterisk.calls import trunk_of
from engine.asterisk.node import MIN_VERSION
from engine.asterisk.recovery import HEARD
from engine.config import AsteriskSettings
from engine.doctor.finding import Finding, bad, good

MAX_MAJOR = 23
"""The newest Asterisk that Ringback was tried with."""
MAX_DRIFT_SECONDS = 1.0
NEEDED_MODULES = (
    # SIP and media
    "chan_pjsip.so",
    "res_pjsip.so",
    "res_pjsip_session.so",
    "res_pjsip_sdp_rtp.so",
    "res_pjsip_caller_id.so",
    "res_pjsip_endpoint_identifier_ip.so",
    "res_rtp_asterisk.so",
    "codec_ulaw.so",
    "codec_alaw.so",
    "codec_resample.so",
    "format_wav.so",
    "format_pcm.so",
    "res_musiconhold.so",
    "bridge_simple.so",
    "bridge_softmix.so",
    # ARI
    "res_http_websocket.so",
    "res_stasis.so",
    "res_stasis_answer.so",
    "res_stasis_playback.so",
    "res_stasis_recording.so",
    "chan_bridge_media.so",
    "res_ari.so",
    "res_ari_model.so",
    "res_ari_applications.so",
    "res_ari_asterisk.so",
    "res_ari_bridges.so",
    "res_ari_channels.so",
    "res_ari_endpoints.so",
    "res_ari_events.so",
    "res_ari_playbacks.so",
    # What the shipped dialplan and our calls use
    "app_stasis.so",
    "app_dial.so",
    "app_playback.so",
    "app_exec.so",
    "pbx_config.so",
    "func_callerid.so",
    "func_channel.so",
    "func_logic.so",
    "func_strings.so",
    "func_timeout.so",
)
EAR_MODULES = ("res_stasis_snoop.so", "res_audiosocket.so", "app_audiosocket.so")
"""What sends the engine the audio of customers."""
_VERSION = re.compile(r"(?:certified[-/])?(\d+)\.(\d+)(?:\.\d+)*")


async def ari(settings: AsteriskSettings) -> list[Finding]:
    """Everything that ARI can tell about this Asterisk."""
    name = f"{settings.name}: ARI"
    secret = settings.ari_secret()
    if secret is None:
        return [bad(name, "no password is set", "set ari_password_file in [[asterisk]]")]
    async with AriClient(settings.ari_url, settings.ari_user, secret.get_secret_value()) as client:
        began = time.time()
        answer = await client.asterisk.ping()
        ended = time.time()
        if not isinstance(answer, Ok):
            return [_unreachable(name, settings, answer)]
        checks = (
            _version(client, settings),
            _application(client, settings),
            _modules(client, settings),
            _trunk(client, settings),
        )
        found = await asyncio.gather(*checks)
        alive = good(name, f"{settings.ari_url} answers in {(ended - began) * 1000:.1f} ms")
        return [alive, *found, clock(settings.name, answer.value.at.timestamp(), began, ended)]


def clock(asterisk: str, at: float, began: float, ended: float) -> Finding:
    """Whether the clocks agree. Asterisk read its own somewhere between our two readings; its milliseconds are cut."""
    name = f"{asterisk}: clock"
    drift = at - (began + ended) / 2
    uncertain = (ended - began) / 2 + 0.001
    if abs(drift) <= MAX_DRIFT_SECONDS + uncertain:
        return good(name, "agrees with ours" if abs(drift) <= uncertain else f"{drift:+.3f} s against ours")
    mend = "let both machines take their time from NTP (chrony or systemd-timesyncd)"
    return bad(name, f"{drift:+.1f} s against ours", mend)


def version_fits(name: str, version: str) -> Finding:
    """Judge Asterisk's own words for its version."""
    found = _VERSION.match(version)
    needed = ".".join(map(str, MIN_VERSION))
    if found is None:
        return bad(name, f"{version[:40]} is no release", f"use a release from {needed} on")
    seen = (int(found[1]), int(found[2]))
    if seen < MIN_VERSION:
        return bad(name, f"{found[0]} is too old", f"install Asterisk {needed} or newer; its SIP codes are needed")
    if seen[0] > MAX_MAJOR:
        return bad(name, f"{found[0]} is newer than any Ringback was tried with", f"install Asterisk 22 or {MAX_MAJOR}")
    return good(name, found[0])


def _unreachable(name: str, settings: AsteriskSettings, answer: object) -> Finding:
    url = settings.ari_url
    match answer:
        case Refused(status=401):
            mend = "write the password of ari.conf into the file of ari_password_file"
            return bad(name, f"{url} refuses user {settings.ari_user} or the password", mend)
        case Refused(status=403):
            return bad(name, f"{url} forbids user {settings.ari_user}", "look at the user's acl in ari.conf")
        case Refused(status=status):
            mend = "set ari_url to the address of ARI; http.conf and ari.conf: enabled = yes, module res_ari.so"
            return bad(name, f"{url} answers {status}", mend)
        case _:
            why = getattr(answer, "why", "")
            mend = "start Asterisk; http.conf: enabled = yes, bindaddr and bindport as in ari_url"
            return bad(name, f"no Asterisk at {url} ({why})", mend)


async def _version(client: AriClient, settings: AsteriskSettings) -> Finding:
    name = f"{settings.name}: version"
    match await client.asterisk.info():
        case Ok(value=info):
            return version_fits(name, info.version)
        case answer:
            return _untold(name, answer)


async def _application(client: AriClient, settings: AsteriskSettings) -> Finding:
    name, ours = f"{settings.name}: application", settings.application
    match await client.applications.get(ours):
        case Refused(status=404):
            return good(name, f"{ours} is free; no engine is connected")
        case Ok(value=known):
            if set(known.events_allowed) == set(HEARD) or trunk_of(settings.customer_endpoint) in known.endpoint_ids:
                return good(name, f"{ours} is used by a Ringback engine")
            mend = "stop the other program, or set another application in [[asterisk]] and render the dialplan anew"
            return bad(name, f"{ours} is used by another program", mend)
        case answer:
            return _untold(name, answer)


async def _modules(client: AriClient, settings: AsteriskSettings) -> Finding:
    name = f"{settings.name}: modules"
    match await client.asterisk.modules():
        case Ok(value=modules):
            running = {each.name for each in modules if each.status == "Running"}
            needed = NEEDED_MODULES + (EAR_MODULES if settings.max_ears else ())
            missing = [each for each in needed if each not in running]
            if not missing:
                return good(name, f"all {len(needed)} needed are running")
            mend = f"modules.conf: {', '.join(f'load = {each}' for each in missing)}; then restart Asterisk"
            if set(missing) <= set(EAR_MODULES):
                mend += ", or set max_ears = 0"
            return bad(name, f"not running: {', '.join(missing)}", mend)
        case answer:
            return _untold(name, answer)


async def _trunk(client: AriClient, settings: AsteriskSettings) -> Finding:
    name, trunk = f"{settings.name}: trunk", trunk_of(settings.customer_endpoint)
    if not trunk:
        mend = "write customer_endpoint like PJSIP/{number}@trunk, with the endpoint of pjsip.conf"
        return bad(name, "customer_endpoint names no trunk", mend)
    endpoint_name = trunk.removeprefix("PJSIP/")
    match await client.endpoints.get("PJSIP", endpoint_name):
        case Ok(value=endpoint) if endpoint.state == "offline":
            mend = (
                "check the trunk's contact and registration: asterisk -rx 'pjsip show endpoint " + endpoint_name + "'"
            )
            return bad(name, f"{trunk} is offline", mend)
        case Ok(value=endpoint):
            calls = f", {len(endpoint.channel_ids)} calls now" if endpoint.channel_ids else ""
            return good(name, f"{trunk} is {endpoint.state}{calls}")
        case Refused(status=404):
            mend = f"add [{endpoint_name}] to pjsip.conf (our pjsip.conf has a sample), or set customer_endpoint"
            return bad(name, f"there is no endpoint {trunk}", mend)
        case answer:
            return _untold(name, answer)


def _untold(name: str, answer: object) -> Finding:
    match answer:
        case Refused(status=status, message=message):
            told = f"Asterisk answers {status} {message}".rstrip()
        case _:
            told = str(getattr(answer, "why", "no answer"))
    return bad(name, told, "look into Asterisk's log; is the module of this ARI resource loaded?")
