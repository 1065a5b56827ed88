"""The agents of one process: who may start, what is going on, what waits for a person."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from starlette.exceptions import HTTPException

from chassis import idempotency, metrics, tracing
from chassis.agents import runs
from chassis.agents.definition import Agent
from chassis.agents.desk import Desk
from chassis.agents.loop import Loop, answered
from chassis.agents.privacy import cleaned
from chassis.agents.runs import Run, Runs
from chassis.agents.settings import AgentSettings
from chassis.agents.toolbox import Toolbox
from chassis.agents.usage import cost
from chassis.errors import Conflict, NotFound, Refused, Unavailable
from chassis.http_client import Peer, PeerRefused
from chassis.idempotency import Key, StoredResponse
from chassis.policy import Policy
from chassis.runtime import Runtime
from chassis.security.model import ANYBODY, Caller
from chassis.uow import Session

if TYPE_CHECKING:
    from chassis.agents.model import Model, Tell

# A run that nobody has touched for so much longer than it may work has lost its process.
LOST_SECONDS = 120.0


class Staff:
    """The agents of one process. Raises SettingsError when prod lacks what they need."""

    def __init__(
        self,
        runtime: Runtime,
        peers: Mapping[str, Peer],
        env: Mapping[str, str],
        *,
        policy: Policy | None = None,
    ) -> None:
        agents = runtime.service.agents
        self.runtime = runtime
        self.settings = AgentSettings.from_env(
            [agent.name for agent in agents], env, prod=runtime.settings.prod
        )
        # Loaded now and not by the first request, which would hold up all others meanwhile.
        self._model = _model(self.settings, policy) if self.settings.key else None
        self._desk = Desk(runtime, peers)
        self._at_work: Counter[str] = Counter()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def model(self) -> Model:
        """The model's API; there is one wherever `place` lets somebody in."""
        assert self._model is not None
        return self._model

    def keep(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        """`task`, which is not forgotten before it is done, even if nobody else waits for it."""
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def close(self) -> None:
        """End what is under way, and let go of the API."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._model is not None:
            await self._model.close()

    @contextlib.contextmanager
    def place(self, agent: Agent) -> Iterator[None]:
        """One of the places for runs of `agent`. Raises Unavailable when not set up, or all are taken."""
        if missing := self.settings.missing(agent.name):
            raise Unavailable(f"{agent.name} is not set up here: set {' and '.join(missing)}", 60.0)
        if self._at_work[agent.name] >= agent.limits.runs:
            raise Unavailable(f"{agent.name} has as many runs under way as it may have", 5.0)
        self._at_work[agent.name] += 1
        metrics.agent_runs_in_flight.labels(agent.name).inc()
        try:
            yield
        finally:
            self._at_work[agent.name] -= 1
            metrics.agent_runs_in_flight.labels(agent.name).dec()

    async def begin(
        self, agent: Agent, task: str, key: Key | None, caller: Caller = ANYBODY
    ) -> tuple[Run, bool]:
        """A new run for `task`, and True; or the run that this key began before, as it is now, and False.

        The agent may see and do what `caller` may.
        """
        await self._tidy(agent)
        text = cleaned(task)
        model = self.settings.models[agent.name]
        messages = ({"role": "user", "content": text},)
        fresh = Run(str(uuid4()), agent.name, model, text, messages=messages, caller=caller.kept())
        return await self._once(agent, key, caller, lambda session: runs.save(session.conn, fresh))

    async def confirm(
        self,
        agent: Agent,
        id: str,
        decisions: Mapping[str, str],
        key: Key | None,
        caller: Caller = ANYBODY,
    ) -> tuple[Run, bool]:
        """The run after a person's decisions, and True when it is to go on.

        The commands that were approved, the record that they were, and the end of the waiting commit
        together. What is approved is done in the name of `caller`, who has to be allowed to do it. Raises
        Conflict when nothing waits, Refused unless exactly what waits is decided on, NotFound for a run
        that is somebody else's, and HTTPException 403 for a yes to what the caller may not do.
        """
        toolbox = Toolbox(agent, replace(self._desk, caller=caller))
        origin = toolbox.origin()
        approved = frozenset(call for call, decision in decisions.items() if decision == "approve")

        def decide(session: Session) -> Run:
            run = _own(runs.load(session.conn, agent.name, id), caller)
            if run.status != "needs_confirmation" or run.updated_at < time.time() - runs.CONFIRM_SECONDS:
                raise Conflict(f"the run {id} does not wait for a confirmation")
            waiting = {call.id for call in run.pending}
            if set(decisions) != waiting:
                raise Refused(f"decide on exactly these calls: {', '.join(sorted(waiting))}")
            for call in run.pending:
                if call.id in approved and not toolbox.may(call.tool):
                    raise HTTPException(403, f"You may not do {call.tool}, so you can't approve it.")
            return runs.save(session.conn, answered(toolbox.decide(session, run, approved, origin)))

        return await self._once(agent, key, caller, decide)

    async def go_on(self, agent: Agent, run: Run, tell: Tell) -> Run:
        """Let the agent work until its run ends or waits. Raises as Loop.go_on, a refusal as Unavailable."""
        loop = Loop(
            agent,
            self.model,
            Toolbox(agent, replace(self._desk, caller=self._works_for(run))),
            self.settings.prices,
            Runs(self.runtime.db, agent.name),
        )
        attributes = {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": agent.name,
            "run.id": run.id,
        }
        began, status = time.perf_counter(), "failed"
        with tracing.span(f"invoke_agent {agent.name}", attributes=attributes) as span:
            try:
                after = await loop.go_on(run, tell)
                status = after.status
                return after
            except PeerRefused as error:
                # Nothing that its caller can mend: the key, the model's id, or how this service asks.
                detail = f"the model's API refuses this service: {error.reason} ({error.status})"
                raise Unavailable(detail, 60.0) from error
            finally:
                span.set_attribute("run.status", status)
                metrics.agent_runs.labels(agent.name, status).inc()
                metrics.agent_run_seconds.labels(agent.name).observe(time.perf_counter() - began)

    async def find(self, agent: Agent, id: str, caller: Caller = ANYBODY) -> Run:
        """The run `id`. Raises NotFound, also for one that is somebody else's."""
        await self._tidy(agent)
        return _own(await Runs(self.runtime.db, agent.name).load(id), caller)

    def _works_for(self, run: Run) -> Caller:
        return ANYBODY if self.runtime.service.security is None else Caller.restored(run.caller)

    def shown(self, run: Run) -> dict[str, Any]:
        """The run as its callers see it: what came of it, what it took, what waits for them."""
        calls = [
            {"id": call.id, "turn": call.turn, "tool": call.tool, "outcome": call.outcome}
            for call in run.calls
        ]
        return {
            "run_id": run.id,
            "agent": run.agent,
            "status": run.status,
            "reason": run.reason,
            "answer": cleaned(run.answer),
            "pending": [
                {"id": call.id, "tool": call.tool, "arguments": call.arguments} for call in run.pending
            ],
            "calls": calls,
            "usage": {
                "turns": run.turns,
                "input_tokens": run.usage.total - run.usage.output,
                "output_tokens": run.usage.output,
                "seconds": round(run.seconds, 3),
                "cost": cost(self.settings.prices, run.model, run.usage),
            },
            "model": run.model,
        }

    async def _once(self, agent: Agent, key: Key | None, caller: Caller, act: Any) -> tuple[Run, bool]:
        def work(session: Session) -> tuple[Run | None, StoredResponse]:
            made: list[Run] = []

            def acted() -> StoredResponse:
                made.append(act(session))
                return StoredResponse(200, {"run_id": made[0].id})

            stored = idempotency.once(session.conn, key, acted)
            return (made[0] if made else None), stored

        run, stored = await self.runtime.transact(work)
        if run is None:
            return await self.find(agent, stored.body["run_id"], caller), False
        return run, True

    async def _tidy(self, agent: Agent) -> None:
        older_than = agent.limits.seconds + LOST_SECONDS

        def work(conn: Any) -> None:
            with contextlib.suppress(Conflict):  # somebody else is tidying
                runs.interrupt(conn, agent.name, older_than)
            runs.forget(conn)

        await self.runtime.db.run(work)


def _own(run: Run, caller: Caller) -> Run:
    """`run`, if `caller` may know of it. Raises NotFound."""
    if caller.sees_all or Caller.restored(run.caller).key == caller.key != "":
        return run
    raise NotFound("run", run.id)


def _model(settings: AgentSettings, policy: Policy | None) -> Model:
    from chassis.agents.model import POLICY, Model  # its SDK takes a while to load

    return Model(settings, policy or POLICY)


def analysis_task(agent: Agent, state: str) -> str:
    """The task of an agent that looks at one aggregate once."""
    assert agent.of is not None
    return f"Look at this {agent.of.name} and answer in words, without any tool.\n\n{state}"


def once_only(agent: Agent) -> Agent:
    """`agent` for a single answer: without tools."""
    return replace(agent, tools=(), limits=replace(agent.limits, turns=1))
