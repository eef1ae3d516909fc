"""Reading events: every type we use, and texts that are none."""

from datetime import UTC, datetime
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.asterisk.ari import events
from engine.asterisk.ari.events import AriEvent, UnrecognisedEvent
from engine.asterisk.ari.parsing import parse
from engine.asterisk.ari.snapshots import ChannelState, PlaybackState, read_application
from tests.unit.ari_samples import CHANNEL, NUMBER, PLAYBACK, SAMPLES, written


def test_every_event_we_use_has_a_sample() -> None:
    assert {kind.__name__ for kind in get_args(AriEvent)} == set(SAMPLES)


@pytest.mark.parametrize("kind", SAMPLES)
def test_each_type_is_read_as_its_own_class_with_its_time(kind: str) -> None:
    event = parse(written(kind))
    assert type(event).__name__ == kind
    assert not isinstance(event, UnrecognisedEvent)
    assert event.at == datetime(2026, 1, 31, 9, 15, 0, 123000, UTC)


@pytest.mark.parametrize("kind", SAMPLES)
def test_no_event_shows_a_number_or_a_name_when_it_is_logged(kind: str) -> None:
    shown = repr(parse(written(kind)))
    assert NUMBER not in shown
    assert "Ann" not in shown


@pytest.mark.parametrize(
    ("kind", "field"),
    [(kind, field) for kind, sample in SAMPLES.items() for field in sample if field not in {"musicclass", "forward"}],
)
def test_a_field_of_the_wrong_type_makes_the_event_unrecognised(kind: str, field: str) -> None:
    event = parse(written(kind, **{field: 1.5}))
    assert isinstance(event, UnrecognisedEvent)
    assert event.type == kind
    assert event.reason


def test_a_busy_call_ends_with_both_causes() -> None:
    event = parse(written("ChannelDestroyed"))
    assert isinstance(event, events.ChannelDestroyed)
    assert (event.cause, event.cause_txt, event.tech_cause) == (17, "User busy", 486)
    assert event.channel.id == "a1.customer"


def test_a_call_that_ends_without_a_sip_refusal_has_no_tech_cause() -> None:
    event = parse(written("ChannelDestroyed", tech_cause=None))
    assert isinstance(event, events.ChannelDestroyed)
    assert event.tech_cause is None


def test_the_start_in_our_application_tells_arguments_and_whom_the_leg_replaces() -> None:
    event = parse(written("StasisStart", args=["customer", "x"], replace_channel=CHANNEL | {"id": "old"}))
    assert isinstance(event, events.StasisStart)
    assert event.args == ("customer", "x")
    assert event.replace_channel is not None
    assert event.replace_channel.id == "old"


def test_a_failed_playback_is_told_apart() -> None:
    event = parse(written("PlaybackFinished", playback=PLAYBACK | {"state": "failed"}))
    assert isinstance(event, events.PlaybackFinished)
    assert event.playback.state is PlaybackState.FAILED
    assert event.playback.target_uri == "channel:a1.customer"


def test_a_global_variable_has_no_channel() -> None:
    event = parse(written("ChannelVarset", channel=None))
    assert isinstance(event, events.ChannelVarset)
    assert event.channel is None


def test_a_state_that_a_newer_asterisk_invents_is_unknown_and_not_an_error() -> None:
    event = parse(written("ChannelStateChange", channel=CHANNEL | {"state": "Levitating"}))
    assert isinstance(event, events.ChannelStateChange)
    assert event.channel.state is ChannelState.UNKNOWN


def test_bytes_are_read_like_text() -> None:
    assert parse(written("StasisEnd").encode()) == parse(written("StasisEnd"))


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("", ""),
        ("{", ""),
        (b"\xff\xfe", ""),
        ("[]", ""),
        ("null", ""),
        ("{}", ""),
        ('{"type": 7}', ""),
        ('{"type": "PlaybackContinuing", "timestamp": "x"}', "PlaybackContinuing"),
        ('{"type": "StasisEnd"}', "StasisEnd"),
        ('{"type": "StasisEnd", "timestamp": "yesterday", "channel": {}}', "StasisEnd"),
        ('{"type": "ApplicationReplaced", "timestamp": "2026-01-31T09:15:00.123"}', "ApplicationReplaced"),
        ("[" * 100_000, ""),
        ("9" * 10_000, ""),
    ],
)
def test_an_odd_text_is_unrecognised_and_never_an_error(raw: str | bytes, kind: str) -> None:
    event = parse(raw)
    assert isinstance(event, UnrecognisedEvent)
    assert event.type == kind


FIELDS = sorted({field for sample in SAMPLES.values() for field in sample} | {"timestamp", "type"})
odd_values = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=30)
    | st.lists(st.text(max_size=5), max_size=2)
    | st.dictionaries(st.sampled_from(FIELDS), st.text(max_size=5), max_size=2)
)


@given(kind=st.sampled_from(sorted(SAMPLES)), changes=st.dictionaries(st.sampled_from(FIELDS), odd_values, max_size=2))
def test_whatever_a_field_holds_parsing_never_raises(kind: str, changes: dict[str, object]) -> None:
    parse(written(kind, **changes))


@given(st.binary() | st.text())
def test_whatever_arrives_parsing_never_raises(raw: str | bytes) -> None:
    parse(raw)


def test_an_application_shows_its_subscriptions_and_filter() -> None:
    application = read_application(
        {
            "name": "ringback",
            "channel_ids": [],
            "bridge_ids": [],
            "endpoint_ids": ["PJSIP/trunk"],
            "device_names": [],
            "events_allowed": [],
            "events_disallowed": [{"type": "ChannelVarset"}],
        }
    )
    assert application.endpoint_ids == ("PJSIP/trunk",)
    assert application.events_disallowed == ("ChannelVarset",)
