"""SIGTERM ends what is not connected politely and leaves conversations alone; a new start picks up what waits."""

from collections.abc import Iterator
from contextlib import contextmanager

from engine.lab import Lab
from engine.lab.engine_process import EngineProcess
from tests.live.calls.audio import seconds_of_tone
from tests.live.calls.centre import Centre, agent, service
from tests.live.faults.background import Background, Place

TALK_SECONDS = 20.0
"""The engine stops, is started again and finds the conversation still going on, also on a busy machine."""


@contextmanager
def own_lab(place: Place) -> Iterator[Centre]:
    """A lab of its own: no other engine may be on the Stasis application that is stopped here."""
    with Lab.up(record_audio=True, talk_seconds=TALK_SECONDS) as lab:
        engine = EngineProcess(lab, place.folder)
        with engine:
            centre = Centre(lab, engine)
            services = ("talking", "announcing", "ringing", "waiting")
            centre.configure(
                [service(name, attempts={"max": 3, "interval_seconds": 2}, hold_limit_seconds=30) for name in services],
                [agent(1001, "talking"), agent(1002, "announcing"), agent(1003, "ringing"), agent(1004, "waiting")],
            )
            yield centre


def a_stop_in_calls(place: Place) -> None:
    with own_lab(place) as own:
        own.ready(1001, 1002, 1003)
        talking = own.request("talking", "12025550125")
        own.until_state(talking, "connected")
        announcing = own.request("announcing", "12025550100")
        ringing = own.request("ringing", "12025550111")
        waiting = own.request("waiting", "12025550101")
        own.until_state(announcing, "announcing")
        own.wait(lambda: own.calls_to_so_far("12025550111"), "the phone rings", 10)

        assert own.engine.terminate() == 0

        # Not connected: ended, and the one who had answered was told why.
        assert own.calls_to("12025550111")[0].answered_at is None
        announced = own.calls_to("12025550100")[0]
        assert announced.ended_at is not None
        assert own.rows("select outcome from attempts where callback = ?", announcing)[0]["outcome"] == "interrupted"
        # Connected: goes on without an engine.
        talk = own.calls_to_so_far("12025550125")[0]
        assert talk.ended_at is None
        assert own.rows("select state from callbacks where id = ?", talking)[0]["state"] == "connected"

        own.engine.start()
        own.ready(1002, 1003, 1004)
        own.wait(lambda: own.callback(talking)["state"] == "completed", "the conversation ends by itself", 40)
        assert own.callback(talking)["reason"] == "talked"
        assert own.callback(talking)["attempts"][0]["talk_seconds"] > TALK_SECONDS - 2
        assert len(own.calls_to("12025550125")) == 1
        assert seconds_of_tone(own.lab.recordings(own.calls_to("12025550125")[0]), 1000) > TALK_SECONDS - 2

        again, taken_up = own.until_ended(announcing, waiting)
        assert [attempt["outcome"] for attempt in again["attempts"]] == ["interrupted", "connected"]
        assert taken_up["state"] == "completed"
        own.wait(lambda: len(own.callback(ringing)["attempts"]) >= 2, "the number that rang is tried again", 30)


def a_kill_in_a_conversation(place: Place) -> None:
    with own_lab(place) as own:
        own.ready(1001)
        talking = own.request("talking", "12125550125")
        own.until_state(talking, "connected")
        own.engine.kill()
        agent_calls = [
            call for call in own.calls_to("1001") if call.invited_at > own.calls_to_so_far("12125550125")[0].invited_at
        ]
        assert len(agent_calls) == 1

        own.engine.start()

        own.until_state(talking, "completed", 20)
        assert own.callback(talking)["reason"] == "ended_unobserved"
        assert len(own.calls_to("12125550125")) == 1
        own.wait(lambda: own.agent_state(1001)[0] == "ready", "the agent comes out of wrap-up", 10)


STORIES = {a_stop_in_calls: 50, a_kill_in_a_conversation: 35}


def test_a_stop_leaves_the_conversation_alone_and_a_start_picks_up_the_rest(background: Background) -> None:
    background.result(a_stop_in_calls)


def test_a_conversation_that_ended_without_an_engine_is_closed_and_never_dialled_again(background: Background) -> None:
    background.result(a_kill_in_a_conversation)
