"""Stories of machines, told beside the other stories; test_screening says how they must end."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import aiohttp

from engine.lab import Lab
from tests.live.calls.centre import Callback, Centre

AGENTS = (1221, 1222, 1231, 1241, 1251, 1252, 1253, 1261)
PERSON, VOICEMAIL, SLOW_VOICEMAIL, FAX = "00", "13", "23", "28"
MESSAGES = {digits: f"140655501{digits}" for digits in (VOICEMAIL, SLOW_VOICEMAIL)}
IGNORED, UNSCREENED = f"140755501{VOICEMAIL}", f"140855501{VOICEMAIL}"
AMD = {digits: f"140955501{digits}" for digits in (PERSON, VOICEMAIL, FAX)}
INTERRUPTS = f"141055501{VOICEMAIL}"


@dataclass(frozen=True, slots=True)
class Stories:
    """The callbacks of each story, ended. `amd_said`: verdict, reason and seconds of the person that AMD() looked at.

    `talkers`: the attempts whose customer Asterisk was heard to report on.
    """

    messages: dict[str, Callback]
    ignored: Callback
    unscreened: Callback
    amd: dict[str, Callback]
    amd_said: tuple[str, str, float]
    interrupts: Callback
    interrupted_verdict: str
    talkers: frozenset[str]


def tell(centre: Centre) -> Stories:
    """All stories to their end, side by side."""
    with _talkers(centre.lab) as talkers:
        centre.ready(*AGENTS)
        messages = {digits: centre.request("leaves_message", number) for digits, number in MESSAGES.items()}
        ignored, unscreened = centre.request("ignores", IGNORED), centre.request("unscreened", UNSCREENED)
        amd = {digits: centre.request("amd", number) for digits, number in AMD.items()}
        interrupts = centre.request("taken_for_machine", INTERRUPTS)
        centre.wait(lambda: _attempt(centre, amd[PERSON])["verdict"], "AMD() has looked at a person", 30)
        said = _attempt(centre, amd[PERSON])
        centre.wait(lambda: _parts(centre, interrupts), "the engine says goodbye to what it takes for a machine", 40)
        before = _attempt(centre, interrupts)["verdict"]
        _press(centre, INTERRUPTS, "1")
        ended = {each["id"]: each for each in centre.until_ended(*messages.values(), *amd.values())}
        others = centre.until_ended(ignored, unscreened, interrupts)
        return Stories(
            messages={digits: ended[callback] for digits, callback in messages.items()},
            ignored=others[0],
            unscreened=others[1],
            amd={digits: ended[callback] for digits, callback in amd.items()},
            amd_said=(said["verdict"], said["verdict_reason"], said["verdict_seconds"]),
            interrupts=others[2],
            interrupted_verdict=before,
            talkers=frozenset(talkers),
        )


def _attempt(centre: Centre, callback: str) -> Callback:
    """The first attempt, with nothing known of it while there is none."""
    attempts = centre.callback(callback)["attempts"]
    found: Callback = attempts[0] if attempts else {"verdict": None}
    return found


def _parts(centre: Centre, callback: str) -> bool:
    return bool(centre.rows("select 1 from timers where owner = ? and name = 'parting'", f"{callback}-1"))


def _press(centre: Centre, number: str, key: str) -> None:
    """Somebody picks up in the middle of the voicemail and presses a key; neither engine nor PBX takes part."""
    centre.lab.console("module load res_clioriginate.so", side="network")
    [call] = centre.calls_to_so_far(number)
    answer = centre.lab.console(f"channel redirect {call.channel} press,{key},1", side="network")
    assert "successfully" in answer, answer


@contextmanager
def _talkers(lab: Lab) -> Iterator[set[str]]:
    """The attempts whose customer's talk Asterisk reports, by an application of our own that hears of all channels."""
    heard: set[str] = set()
    ready, over = threading.Event(), threading.Event()

    async def listen() -> None:
        url = f"{lab.pbx.ari_url}/events?app=talkers&subscribeAll=true"
        async with (
            aiohttp.ClientSession(headers=lab.pbx.headers()) as session,
            session.ws_connect(url, max_msg_size=0) as events,
        ):
            ready.set()
            while not over.is_set():
                try:
                    event = await events.receive_json(timeout=0.5)
                except TimeoutError:
                    continue
                if event["type"] == "ChannelTalkingStarted":
                    heard.add(str(event["channel"]["id"]).removesuffix(".customer"))

    thread = threading.Thread(target=lambda: asyncio.run(listen()), name="talkers")
    thread.start()
    try:
        assert ready.wait(10)
        yield heard
    finally:
        over.set()
        thread.join()
