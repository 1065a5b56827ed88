"""Answering the tool calls of one turn: every one of them, whatever it asks for.

What the model asks for is checked before anything is done: the tool must be on the agent's list, and
the arguments must fit its schema. What a tool answers is cut to a size and marked as data. An error
is an answer, too, so that the model can mend its call; only a command that needs a person's yes
is left open.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from sqlalchemy.exc import SQLAlchemyError

from chassis import metrics, tracing
from chassis.agents.definition import Agent, CommandTool, ReadTool
from chassis.agents.desk import Desk
from chassis.agents.privacy import cleaned
from chassis.agents.runs import Call, Run, save
from chassis.errors import Conflict, ServiceError
from chassis.jsons import decode, dumps
from chassis.messages import derived_id
from chassis.saga.participant import result_of
from chassis.security.ownership import check_command
from chassis.uow import Origin, Session, UnitOfWork

log = logging.getLogger(__name__)
CALLS = 16
"""Calls of one turn that are looked at; those above are refused."""
RESULT_CHARACTERS = 16_000
"""What the model gets to read of one answer."""


class Toolbox:
    """The tools of `agent` at work on `desk`, for the caller whose desk it is."""

    def __init__(self, agent: Agent, desk: Desk) -> None:
        self.agent = agent
        self.desk = desk

    async def answer(self, run: Run, uses: Sequence[Mapping[str, Any]]) -> Run:
        """`run` with an answer to every call of `uses` but those that wait for a person.

        Reading goes on side by side; commands are carried out one after the other, as they were asked for.
        """
        calls = [Call(use["id"], str(use["name"])[:64], use.get("input"), turn=run.turns) for use in uses]
        run = replace(run, calls=(*run.calls, *calls), results={})
        reads: list[Call] = []
        for number, call in enumerate(calls):
            fault = self._fault(call, number)
            tool = self.agent.by_name.get(call.tool)
            if fault:
                outcome, text = fault
                run = _settled(run, call, outcome, text)
            elif isinstance(tool, ReadTool):
                reads.append(call)
        for call, (outcome, text) in zip(reads, await asyncio.gather(*map(self._read, reads)), strict=True):
            run = _settled(run, call, outcome, text)
        for call in run.pending:
            tool = self.agent.by_name[call.tool]
            if isinstance(tool, CommandTool) and not self.agent.needs_confirmation(tool):
                run = await self._command(run, call, tool)
        self._count(run, calls)
        return run

    def decide(self, session: Session, run: Run, approved: frozenset[str], origin: Origin) -> Run:
        """`run` after a person has decided on all that is pending; part of one transaction.

        Commands whose ids are in `approved` are carried out, the others are answered with the no.
        """
        decided = run.pending
        for call in decided:
            tool = self.agent.by_name.get(call.tool)
            if call.id not in approved or not isinstance(tool, CommandTool):
                run = _settled(run, call, "rejected", "A person said no to this call.")
            else:
                run = _settled(run, call, *_carried_out(self.desk, session, origin, tool, call))
        session.after_commit.append(lambda: self._count(run, decided))
        return run

    def _fault(self, call: Call, number: int) -> tuple[str, str] | None:
        tool = self.agent.by_name.get(call.tool)
        if tool is None:
            known = ", ".join(self.agent.by_name) or "none"
            return "unknown", f"There is no tool of this name. The tools are: {known}."
        if number >= CALLS:
            return "error", f"At most {CALLS} tools can be called in one turn."
        faults = tool.described.faults(call.arguments)
        return ("invalid", "The arguments do not fit: " + "; ".join(faults)) if faults else None

    async def _read(self, call: Call) -> tuple[str, str]:
        tool = self.agent.by_name[call.tool]
        assert isinstance(tool, ReadTool)
        with tracing.span(f"execute_tool {call.tool}", attributes={"gen_ai.tool.name": call.tool}):
            try:
                return "ok", marked(call.tool, await tool.read(self.desk, call.arguments))
            except ServiceError as error:
                return "error", str(error)[:500]
            except Exception:
                log.exception("a tool failed", extra={"agent": self.agent.name, "tool": call.tool})
                return "error", "The tool failed. It has been logged."

    async def _command(self, run: Run, call: Call, tool: CommandTool) -> Run:
        origin = self.origin()

        def work(session: Session) -> Run:
            return save(
                session.conn, _settled(run, call, *_carried_out(self.desk, session, origin, tool, call))
            )

        with tracing.span(f"execute_tool {call.tool}", attributes={"gen_ai.tool.name": call.tool}):
            try:
                saved: Run = await self.desk.runtime.transact(work)
                return saved
            except Conflict:
                return _settled(run, call, "error", "It changed meanwhile; nothing was done.")
            except SQLAlchemyError as error:
                log.warning("a command may be lost", extra={"tool": call.tool, "reason": repr(error)})
                return _settled(
                    run, call, "error", "The database does not answer; it may or may not be done."
                )

    def may(self, tool: str) -> bool:
        """Whether the caller may do what the tool of this name does."""
        found = self.agent.by_name.get(tool)
        return not isinstance(found, CommandTool) or self.desk.may(found.use_case.command.NAME)

    def origin(self) -> Origin:
        service = self.desk.runtime.service
        trace = tracing.inject().get("traceparent", "")
        return replace(service.origin, trace=trace, correlation_id=tracing.correlation_id.get())

    def _count(self, run: Run, calls: Sequence[Call]) -> None:
        ids = {call.id for call in calls}
        for call in run.calls:
            if call.id in ids:
                name = call.tool if call.tool in self.agent.by_name else "unknown"
                metrics.agent_tool_calls.labels(self.agent.name, name, call.outcome).inc()


def _carried_out(
    desk: Desk, session: Session, origin: Origin, tool: CommandTool, call: Call
) -> tuple[str, str]:
    """Do the command within the session's transaction; a no of the domain leaves no trace in it."""
    unit = UnitOfWork(session, origin)
    command = tool.use_case.command
    if not desk.may(command.NAME):
        return "error", "The person that you work for may not do this."
    # The id of what is created follows from the call, so that doing it again finds it there.
    assigned = {command.ID: derived_id(call.id, command.ID)} if command.CREATES else {}
    try:
        asked = decode(command, {**assigned, **call.arguments})
        check_command(
            desk.caller, session, desk.runtime.service.aggregate_of(tool.use_case), tool.use_case, asked
        )
        tool.use_case.handle(asked, unit)
    except ValidationError as error:
        return "invalid", f"The arguments do not fit: {error.errors()[0]['msg']}"
    except (Conflict, SQLAlchemyError):
        raise
    except ServiceError as error:
        return "error", str(error)[:500]
    except Exception:
        log.exception("a tool failed", extra={"tool": call.tool})
        return "error", "The tool failed. It has been logged."
    unit.complete()
    outcome = result_of(tool.use_case, unit)
    if outcome["outcome"] == "refused":
        return "error", f"It was refused: {outcome['reason']}"
    if not unit.recorded:
        return "ok", "It changed nothing: what was asked for is so already."
    return "ok", marked(call.tool, outcome["result"])


def _settled(run: Run, call: Call, outcome: str, text: str) -> Run:
    block: dict[str, Any] = {"type": "tool_result", "tool_use_id": call.id, "content": cleaned(text)}
    if outcome != "ok":
        block["is_error"] = True
    return run.with_call(replace(call, outcome=outcome), block)


def marked(source: str, value: Any) -> str:
    """`value` as text that says where it begins and ends; nothing in it can end it early."""
    text = dumps(cleaned(value)).replace("<", "\\u003c")  # JSON for the same character
    if len(text) > RESULT_CHARACTERS:
        text = text[:RESULT_CHARACTERS] + f"… (cut: it has {len(text)} characters)"
    return f'<data source="{source}">\n{text}\n</data>'
