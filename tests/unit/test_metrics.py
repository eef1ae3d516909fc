"""The figures that Prometheus scrapes."""

from engine.core.decision import Snapshot
from engine.core.dispatcher import Dispatcher
from engine.core.events import (
    CallbackRequested,
    InteractionRequested,
    PauseRequested,
    PresenceRequested,
    SuppressRequested,
)
from engine.core.records import Request
from engine.core.terms import AgentId, CallbackId, InteractionId, Media, Presence, RequestChannel, ServiceId
from engine.document import parse
from engine.metrics import Metrics


def test_counts_and_times_appear_under_our_prefix() -> None:
    metrics = Metrics()
    metrics.accepted("billing")
    metrics.refused("queue-full")
    metrics.attempt_ended("busy")
    metrics.ari_request("originate", "ok")
    metrics.event("LegAnswered")
    metrics.committed(3, 0.002)
    metrics.http("GET", "/api/v1/services", 200, 0.001)
    text = metrics.text().decode()
    for line in (
        'ringback_requests_accepted_total{service="billing"} 1.0',
        'ringback_requests_refused_total{code="queue-full"} 1.0',
        'ringback_attempts_total{outcome="busy"} 1.0',
        'ringback_ari_requests_total{operation="originate",result="ok"} 1.0',
        'ringback_events_total{type="LegAnswered"} 1.0',
        "ringback_commit_seconds_count 1.0",
        'ringback_commit_group_size_bucket{le="5.0"} 1.0',
        'ringback_http_request_seconds_count{method="GET",route="/api/v1/services",status="200"} 1.0',
    ):
        assert line in text


def test_two_engines_in_one_process_do_not_share_figures() -> None:
    first, second = Metrics(), Metrics()
    first.accepted("billing")
    assert 'service="billing"' not in second.text().decode()


def test_gauges_are_read_from_the_dispatcher_at_the_scrape() -> None:
    service = {"id": "billing", "name": "Billing", "company": "Example", "skill_expression": "billing"}
    agent = {"id": "amy", "name": "Amy", "endpoint": "PJSIP/amy", "skills": {"billing": 1}}
    dispatcher = Dispatcher(Snapshot(parse({"services": [service], "agents": [agent]}, version=4).configuration))
    metrics = Metrics()
    metrics.watch(lambda: dispatcher, lambda: {"store": True, "asterisk:pbx1": False})
    request = Request(ServiceId("billing"), "+12025550113", "en", RequestChannel.API)
    dispatcher.handle(CallbackRequested(CallbackId("cb1"), request, "hash"), 1.0)
    waiting = metrics.text().decode()
    assert 'ringback_callbacks_open{service="billing",state="queued"} 1.0' in waiting
    assert 'ringback_line_waiting{service="billing"} 1.0' in waiting
    assert 'ringback_agents{state="logged_out"} 1.0' in waiting
    assert "ringback_calls_live 0.0" in waiting
    assert 'ringback_up{system="store"} 1.0' in waiting
    assert 'ringback_up{system="asterisk:pbx1"} 0.0' in waiting
    assert "ringback_configuration_version 4.0" in waiting
    assert "ringback_services_paused 0.0" in waiting
    assert "ringback_suppressions 0.0" in waiting
    assert "ringback_interactions_open{" not in waiting
    dispatcher.handle(PresenceRequested(AgentId("amy"), Presence.READY), 2.0)
    served = metrics.text().decode()
    assert 'ringback_callbacks_open{service="billing",state="reserved"} 1.0' in served
    assert 'ringback_line_waiting{service="billing"} 0.0' in served
    assert "ringback_calls_live 1.0" in served
    assert "cb1" not in served
    assert "2025550113" not in served
    dispatcher.handle(InteractionRequested(InteractionId("in1"), Media("chat"), ServiceId("billing")), 3.0)
    dispatcher.handle(PauseRequested(ServiceId("billing")), 3.0)
    dispatcher.handle(SuppressRequested("+12025550114"), 3.0)
    later = metrics.text().decode()
    assert 'ringback_interactions_open{service="billing",state="queued"} 1.0' in later
    assert 'ringback_line_waiting{service="billing"} 1.0' in later
    assert "ringback_services_paused 1.0" in later
    assert "ringback_suppressions 1.0" in later
    assert "in1" not in later
    assert "2025550114" not in later
