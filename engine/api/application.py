"""Puts the HTTP side together: every resource's endpoints, under the prefix, behind one access control."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from engine.api.access import Access, KeyRing
from engine.api.access_log import access_log
from engine.api.agent_stream import AgentStreams
from engine.api.agents import Agents
from engine.api.availability import Availability
from engine.api.callbacks import Callbacks
from engine.api.configuration import ConfigurationDocument
from engine.api.creation import Creation
from engine.api.current import CurrentDocument
from engine.api.desk import Desk
from engine.api.dispositions import Dispositions
from engine.api.endpoints import PREFIX, Endpoint, add_route
from engine.api.explanation import Explanations
from engine.api.follow_up import FollowUps
from engine.api.inbound import InboundCalls
from engine.api.intake import Intake
from engine.api.interactions import Interactions
from engine.api.keys import Keys
from engine.api.lookup import Lookup
from engine.api.open_sessions import OpenSessions
from engine.api.openapi import openapi
from engine.api.operations import Operations
from engine.api.origins import Origins
from engine.api.pauses import Pauses
from engine.api.ports import Engine, Prepare
from engine.api.problems import answer_problems
from engine.api.rate_limit import AddressLimit, CustomerLimit, FailureLimit
from engine.api.reasons import Reasons
from engine.api.rescheduling import Rescheduling
from engine.api.services import Services
from engine.api.sessions import Sessions
from engine.api.slots import Slots
from engine.api.suppressions import Suppressions
from engine.config import MAX_BODY_BYTES, Settings
from engine.metrics import Metrics
from engine.store.queries import Queries

VERSION = "1"
"""The version of the interface, as in its prefix."""


def build_app(
    *,
    settings: Settings,
    engine: Engine,
    queries: Queries,
    metrics: Metrics,
    prepare: Prepare,
    admin_key_hash: str | None = None,
) -> web.Application:
    """The application to serve.

    `admin_key_hash` is the SHA-256 (hex) of a key that is an administrator's without standing in the store.
    Addresses for monitoring are served at the root and under the prefix.
    """
    app = web.Application(
        middlewares=[access_log(metrics, settings.http.trusted_proxies), answer_problems],
        client_max_size=MAX_BODY_BYTES,
    )
    ring = KeyRing(queries, admin_key_hash, engine.agent_news.wake)
    sessions = OpenSessions(engine, queries, settings.agents.session_seconds, engine.agent_news.wake)
    access = Access(ring, sessions, Origins(settings.http.public_url, settings.http.allowed_origins))
    documents = CurrentDocument(queries)
    intake = Intake(engine, documents, metrics, settings.http.public_url)
    lookup, creation = Lookup(engine, queries), Creation(engine, queries, intake, metrics)
    per_address = AddressLimit(settings.limits.requests_per_minute_per_address)
    limit = CustomerLimit(per_address, settings.http.trusted_proxies)
    failures = FailureLimit(
        AddressLimit(settings.agents.failed_logins_per_minute_per_address),
        AddressLimit(settings.agents.failed_logins_per_minute_per_username),
        settings.http.trusted_proxies,
    )
    streams = AgentStreams(engine, queries, access, settings.agents)
    app.on_shutdown.append(streams.close)
    described: dict[str, Any] = {}
    operations = Operations(engine, queries, metrics, lambda: described).endpoints()
    resources: list[Endpoint] = [
        *Callbacks(engine, queries, lookup, intake, creation, limit).endpoints(),
        *Explanations(engine, queries, lookup).endpoints(),
        *Rescheduling(engine, lookup, intake, creation, limit).endpoints(),
        *Services(engine, documents).endpoints(),
        *Availability(engine, documents).endpoints(),
        *Slots(engine).endpoints(),
        *Pauses(engine).endpoints(),
        *Agents(engine).endpoints(),
        *Desk(engine, queries, FollowUps(engine, intake, metrics)).endpoints(),
        *Sessions(engine, sessions, failures, secure=settings.http.public_url.startswith("https:")).endpoints(),
        *streams.endpoints(),
        *Dispositions(engine).endpoints(),
        *Reasons(engine).endpoints(),
        *Interactions(engine, queries).endpoints(),
        *InboundCalls(engine, queries).endpoints(),
        *Suppressions(engine).endpoints(),
        *ConfigurationDocument(engine, documents, prepare).endpoints(),
        *Keys(engine, queries, ring).endpoints(),
    ]
    served = [
        *((PREFIX + endpoint.path, endpoint) for endpoint in resources),
        *((endpoint.path, endpoint) for endpoint in operations),
        *((PREFIX + endpoint.path, endpoint) for endpoint in operations),
    ]
    for path, endpoint in served:
        add_route(app, endpoint, path, access)
    described.update(openapi(served, version=VERSION, server=settings.http.public_url))
    metrics.watch(lambda: engine.dispatcher, lambda: {name: check.ok for name, check in engine.health().items()})
    return app
