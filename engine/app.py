"""The composition root: builds the engine's parts, starts them in order and stops them in reverse.

Nothing is decided here. If one of the long-running parts ends by itself, the whole engine ends and says why: half an
engine must not go on taking requests.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import structlog

from engine.agent_news import AgentNews
from engine.api import build_app
from engine.api.ports import Check
from engine.asterisk.ami import PhoneWatch
from engine.asterisk.node import AsteriskNode
from engine.asterisk.recovery import Journalled
from engine.asterisk_login import ami_settings, node_settings
from engine.attendance import send_absent_ones_away
from engine.callers_numbers import CallersNumbers
from engine.config import Settings, read_secret
from engine.core.callerflow import CallerFlow
from engine.core.callflow import CallFlow
from engine.core.callphase import Phase
from engine.core.configuration import Configuration, Pace
from engine.core.decision import Reply
from engine.core.dispatcher import Dispatcher
from engine.core.events import (
    ConfigurationApplied,
    Event,
    StopRequested,
    TelephonyLost,
    TelephonyReady,
)
from engine.errors import ConfigError, StoreError
from engine.journal_watch import JournalWatch
from engine.lanes import EffectLanes
from engine.listening import listening
from engine.metrics import Metrics
from engine.outage import StoreGuard
from engine.prompts import PromptLibrary
from engine.recording import Recorder
from engine.runtime import Runtime
from engine.start_times import StartTimes
from engine.store.journal import Journal
from engine.store.queries import Queries
from engine.store.records import AccessRecord, NodeSeen, StoredState
from engine.stored_snapshot import snapshot_of
from engine.voices import ServicePrompts, prepare_prompts, prompt_problems_at_start
from engine.written import Written

log = structlog.get_logger()

STOP_LIMIT_SECONDS = 30.0
"""The longest a stop waits for calls that are being connected and for last words."""


class RunningEngine:
    """One engine on one journal. Build it with `running_engine`."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        queries: Queries,
        stored: StoredState,
        start: StartTimes,
        recorder: Recorder | None = None,
    ) -> None:
        self.settings = settings
        self._recorder = recorder
        self._start = start
        self.metrics = Metrics()
        self._journal = journal
        self._queries = queries
        self._watch = JournalWatch(self.metrics)
        self.written = Written()
        self.written.listen(self._watch.written)
        self._pace = Pace(settings.asterisk[0].max_calls, settings.asterisk[0].calls_per_second)
        self._runtime = Runtime(
            self._dispatcher_of(stored),
            journal,
            observe=self.metrics.committed,
            decided=self.written.tell,
            told=self._decided_on,
            decide=recorder.decide if recorder else Dispatcher.handle,
        )
        self.agent_news = AgentNews(self.written, lambda: self.dispatcher, self._runtime.now)
        self._prompts = PromptLibrary(settings.prompts.dir, str(settings.prompts.as_asterisk_sees_it))
        node = node_settings(settings.asterisk[0])
        self._node = AsteriskNode(
            node,
            ServicePrompts(self._prompts, lambda: self.dispatcher.configuration),
            self._hear,
            journalled=Journalled(
                live=lambda: [flow.call for flow in self.dispatcher.calls()],
                is_live=lambda call: self.dispatcher.is_live(call),
                endpoints=self._endpoints,
                known=queries.known_calls,
                started=lambda startup_time: self._runtime.write(NodeSeen(node.name, startup_time)),
            ),
            identify=lambda dialled, caller: self._numbers.of_caller(dialled, caller),
            owns=lambda leg: self.dispatcher.owns(leg),
            startup_time=stored.nodes.get(node.name),
            figures=self.metrics,
            joined=lambda: start.reached("connecting"),
        )
        self._phones = PhoneWatch(
            node.name,
            ami_settings(settings.asterisk[0]),
            self._runtime.tell,
            endpoints=self._endpoints,
            trunk=self._node.calls.trunk,
            figures=self.metrics,
        )
        self._numbers = CallersNumbers(lambda: self.dispatcher, self._runtime.tell, self._node.perform)
        self._lanes = EffectLanes(
            self._numbers.perform,
            self._runtime.tell,
            lambda attempt: self.dispatcher.is_live(attempt),
            observe=self.metrics.effect_ended,
        )
        self._runtime.effects = self._lanes
        self._store = StoreGuard(
            self._runtime,
            self._lanes,
            self._reload,
            limit_seconds=settings.store.store_down_seconds,
            settled=self._lanes.idle,
            restored=self._restored,
            down=self.metrics.store_failed,
        )
        self._stopping = False

    @property
    def dispatcher(self) -> Dispatcher:
        """The one in charge; another one after the store was down."""
        return self._runtime.dispatcher

    # ---- what the HTTP side asks for (engine.api.ports.Engine) ---------------------------------------

    @property
    def accepting(self) -> bool:
        """False while stopping or without a store."""
        return self._runtime.accepting and not self._stopping

    async def submit(self, event: Event) -> Reply | None:
        """Decide on a request; returns once it is durable. Raises StoreError."""
        return await self._runtime.submit(event)

    async def write(self, record: AccessRecord) -> None:
        """Write a record that needs no decision. Raises StoreError."""
        await self._runtime.write(record)

    def now(self) -> float:
        """The time by which everything is decided, in epoch seconds."""
        return self._runtime.now()

    def health(self) -> Mapping[str, Check]:
        """How each outside system stands."""
        store = Check(self._store.trouble is None, self._store.trouble or "")
        trouble = self._node.trouble
        name = self._node.settings.name
        phones = Check(self._phones.trouble is None, self._phones.detail)
        return {"store": store, f"asterisk:{name}": Check(trouble is None, trouble or ""), f"ami:{name}": phones}

    async def prepare(self, configuration: Configuration) -> list[str]:
        """Make ready what a configuration needs before it is applied; the problems that are left."""
        return await prepare_prompts(configuration, self.settings.prompts)

    # ---- running -------------------------------------------------------------------------------------

    async def run(self, admin_key_hash: str | None) -> None:
        """Serve until cancelled; a cancelled engine ends its calls politely. Raises what made a part end."""
        self._runtime.tell(TelephonyLost())
        async with asyncio.TaskGroup() as tasks:
            runtime = tasks.create_task(self._store.run(), name="runtime")
            node = tasks.create_task(self._run_node(), name=f"asterisk {self._node.settings.name}")
            phones = tasks.create_task(self._phones.run(), name=f"phones of {self._node.settings.name}")
            absent = tasks.create_task(self._send_absent_ones_away(), name="absent agents")
            try:
                async with self._listening(admin_key_hash):
                    try:
                        await asyncio.Event().wait()
                    finally:
                        self._stopping = True  # requests that are still being answered must not start anything new
            finally:
                if not runtime.done() and not node.done():
                    await self._stop()
                for each in (absent, phones, node, runtime):
                    each.cancel()

    async def _reload(self) -> Dispatcher:
        """What the journal holds, once it can be written again. Raises StoreError."""
        await self._journal.probe()
        stored = await self._journal.load()
        # Nothing is decided between this and the restore, so what is recorded next is told to this dispatcher.
        return self._dispatcher_of(stored)

    def _dispatcher_of(self, stored: StoredState) -> Dispatcher:
        """All decisions from here on, made from what the journal holds."""
        snapshot = snapshot_of(stored, self._pace)
        if self._recorder is not None:
            self._recorder.begin(snapshot, stored.document)
        return Dispatcher(snapshot)

    def _endpoints(self) -> list[str]:
        return [agent.endpoint for agent in self.dispatcher.configuration.agents.values()]

    def _decided_on(self, event: Event, reply: Reply | None) -> None:
        self._watch.told(event, reply)
        if isinstance(event, ConfigurationApplied):
            self._phones.tell_again()

    async def _send_absent_ones_away(self) -> None:
        grace = self.settings.agents.grace_seconds
        await send_absent_ones_away(lambda: self.dispatcher, self.submit, self.agent_news.connected, grace)

    def _restored(self) -> None:
        self.written.tell_restored()
        self._lanes.forget_ended()
        self._node.look_again()
        self._phones.tell_again()

    async def _run_node(self) -> None:
        await self._node.run()
        raise ConfigError(self._node.trouble or "the event socket ended")

    def _hear(self, event: Event) -> None:
        if isinstance(event, TelephonyReady):
            # What fell due while we were away comes before whom to call now.
            self._runtime.arm_timers()
            self.metrics.started(self._start.ready())
        self._runtime.tell(event)

    @contextlib.asynccontextmanager
    async def _listening(self, admin_key_hash: str | None) -> AsyncIterator[None]:
        app = build_app(
            settings=self.settings,
            engine=self,
            queries=self._queries,
            metrics=self.metrics,
            prepare=self.prepare,
            admin_key_hash=admin_key_hash,
        )
        http = self.settings.http
        async with listening(app, http.host, http.port) as port:
            log.info("http.listening", url=f"http://{http.host}:{port}")
            yield

    async def _stop(self) -> None:
        """End what is not connected, let those who are being connected arrive, leave conversations alone."""
        self._stopping = True
        live = len(list(self.dispatcher.calls()))
        log.info("engine.stopping", live=live)
        if not self._node.stream.connected:
            # Nobody can be spoken to or hung up on, and what nobody saw must not be written down as an end.
            log.info("engine.stopped", calls_left_to_the_next_start=live, asterisk=self._node.trouble)
            return
        try:
            async with asyncio.timeout(STOP_LIMIT_SECONDS):
                try:
                    await self._runtime.submit(StopRequested())
                    while any(_unfinished(flow) for flow in self.dispatcher.calls()):
                        await self._watch.next_change()
                except StoreError as error:
                    # The next start finds these legs gone and calls again.
                    log.error("engine.stopped_hard", why=str(error))
                    self._store.release_unconfirmed()
                await self._lanes.idle()
                await self._node.calls.close()
        except TimeoutError:
            log.error("engine.stopped_hard", why=f"not done within {STOP_LIMIT_SECONDS:.0f} s")
        left = [flow.call.id for flow in self.dispatcher.calls()]
        log.info("engine.stopped", conversations_left_alone=len(left))


@contextlib.asynccontextmanager
async def running_engine(
    settings: Settings, record: Path | None = None
) -> AsyncIterator[tuple[RunningEngine, str | None]]:
    """An engine on the configured store, not yet serving, and the hash of the first administrator's key if one is set.

    `record`: a file to be made that keeps every event with its time, for a replay. Raises ConfigError, StoreError or
    RecordError with one line that says how to mend.
    """
    start = StartTimes()
    start.reached("imports")
    if len(settings.asterisk) > 1:
        raise ConfigError("several [[asterisk]] are not available in this version; keep one of them")
    admin_key_hash = None
    if settings.admin_key_file is not None:
        key = read_secret(settings.admin_key_file, "admin_key_file").get_secret_value()
        admin_key_hash = hashlib.sha256(key.encode()).hexdigest()
    async with contextlib.AsyncExitStack() as stack:
        journal = await Journal.open(settings.store.url)
        stack.push_async_callback(journal.close)
        queries = Queries(settings.store.url)
        stack.push_async_callback(queries.close)
        stored = await journal.load()
        start.reached("store")
        recorder = None
        if record is not None:
            recorder = Recorder(record)
            stack.push_async_callback(asyncio.to_thread, recorder.close)
        engine = RunningEngine(settings, journal, queries, stored, start, recorder)
        configuration = engine.dispatcher.configuration
        if problems := await asyncio.to_thread(prompt_problems_at_start, configuration, settings.prompts):
            raise ConfigError("; ".join(problems))
        start.reached("building")
        yield engine, admin_key_hash


def _unfinished(flow: CallFlow | CallerFlow) -> bool:
    """Whether a stop waits for the call; who rang in and waits with music does so without us, until we are back."""
    waits = isinstance(flow, CallerFlow) and flow.phase is Phase.WAITING and flow.agent is None
    return flow.phase not in (Phase.CONNECTED, Phase.ENDED) and not waits
