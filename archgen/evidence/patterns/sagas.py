"""Sagas: steps that can be taken back, who takes them back, and where the state is kept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.model import Call, Function, Module, Program
from archgen.evidence.code.split import split
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, does_nothing, fact, imports, marks

UNDO = re.compile(
    r"(undo|compensat|rollback|roll_back|revert|refund|release|cancel|void|restock|unreserve|reverse|reject|withdraw|give_?back|deallocate|unbook|abort)",
    re.IGNORECASE,
)
_FRAMEWORK = re.compile(
    r"^(io\.eventuate\.tram\.sagas|org\.axonframework\.modelling\.saga|io\.seata|org\.apache\.servicecomb\.saga|io\.temporal|temporalio|go\.temporal\.io|@temporalio|"
    r"io\.camunda|org\.camunda|io\.narayana|org\.eclipse\.microprofile\.lra|saga_framework|sagas|node-sagas|github\.com/itimofeev/go-saga|cadence)"
)
_FRAMEWORK_MARK = re.compile(
    r"@(?:\w+\.)*(GlobalTransactional|SagaEventHandler|StartSaga|Compensable|LRA|Compensate|SagaStart)\b"
)
FAILED_EVENT = re.compile(
    r"(fail|reject|declin|cancel(l?ed|lation|ling)|expire|refus|out_?of_?stock|timed_?out|denied|released|refunded|voided|reversed)",
    re.IGNORECASE,
)
_RAN = re.compile(
    r"outcome|\bstatus\b|completed|executed|\bdone\b|succeeded|compensations|undo_stack|history|performed|finished",
    re.IGNORECASE,
)
EVENT_NAME = re.compile(r"^[\"'`]|(^|\.)[A-Z]\w*$|\w\.\w+$")
REGISTERS = re.compile(r"react|subscri|^on$|^when$|handle|listen|register|consum|bind|policy", re.IGNORECASE)

_LIST = re.compile(r"\s*(\[|\(|&?\[\]|List\.of|Arrays\.asList|new\s+\w+\[\])")


def sagas(program: Program) -> Iterator[Fact]:
    """`saga.definition` with its steps; `saga.compensation`; `saga.inline` in a catch;
    `saga.engine`.
    """
    for module, function, call in calls(program):
        if call.name == "withCompensation" or (
            call.name in ("addCompensation", "AddCompensation", "add_compensation", "compensateWith")
        ):
            first = call.args[0] if call.args else ""
            yield fact(
                "saga.compensation",
                module,
                call.line,
                what=first[:60],
                definition=function.owner or function.name,
            )
        elif _kept_for_later(function, call):
            what = call.args[0] if call.args else call.callee
            yield fact("saga.compensation", module, call.line, what=what[:60], definition=function.title)
        yield from _definition(module, function, call)
    for module, _, mark, line in marks(program):
        if _FRAMEWORK_MARK.search(mark) and imports(module, _FRAMEWORK):
            yield fact("saga.compensation", module, line, what=mark[:60], definition=mark[:30])
    yield from _taskflow(program)
    yield from _inline(program)
    yield from _engine(program)


# A stack of what is to be taken back, and what works it off: `compensations.push(() => …)`
_STACK = re.compile(r"_?compensat(ions?|ors?)(stack|s)?$|_?undo_?stack$", re.IGNORECASE)
_PUSHES = re.compile(r"(push|unshift|append|add\w*|register|prepend|insert)$", re.IGNORECASE)


def _kept_for_later(function: Function, call: Call) -> bool:
    """Whether a step notes what takes it back, and the function works off what was noted when it fails."""
    if not _STACK.match(call.receiver) or not _PUSHES.match(call.name) or not call.args:
        return False
    name = re.escape(call.receiver)
    runs = rf"\b{name}\.(execute|run|compensate|undo|rollback)\w*\(|\b(of|in|range|reversed\()\s*\(?{name}\b|"
    runs += rf"\b{name}\.(reverse|toReversed|pop|map|forEach)\("
    return re.search(runs, function.body, re.IGNORECASE) is not None


def _definition(module: Module, function: Function, call: Call) -> Iterator[Fact]:
    """A call that is given a list of steps, some of which name what takes them back."""
    lists = [
        v for v in (*call.keywords.values(), *call.args) if _LIST.match(v) and v.lstrip("[]*&\n\t ").strip()
    ]
    for text in lists:
        inner = text.strip()
        inner = (
            inner[inner.find("[") + 1 : inner.rfind("]")]
            if "[" in inner
            else inner[inner.find("(") + 1 : inner.rfind(")")]
        )
        steps = [s for s in split(inner) if re.match(r"(?:new\s+|&)?[\w.]*[({]", s)]
        if len(steps) < 2:
            continue
        undone = [
            s
            for s in steps
            if re.search(
                r"[\s({,\"'](undo|compensat\w*|rollback|revert|cancel|backward|invoke_?compensation)[\"']?\s*[:=]"
                r"(?!\s*(None|null|nil|undefined)\b)",
                s,
                re.IGNORECASE,
            )
        ]
        if not undone and not re.search(r"saga", call.name, re.IGNORECASE):
            continue
        at = call.line
        yield fact(
            "saga.definition",
            module,
            at,
            name=call.keywords.get("name", call.name).strip("\"'"),
            steps=len(steps),
            undone=len(undone),
            texts=tuple(steps),
        )
        for step in undone:
            yield fact(
                "saga.compensation", module, at, what=" ".join(step.split())[:60], definition=call.name
            )


def _inline(program: Program) -> Iterator[Fact]:
    """A catch that takes back what was done in the try, by a remote call, a message or a write."""
    for module, function in program.functions():
        for catch in function.catches:
            for effect in function.reach:
                if (
                    catch.line <= effect.call.line <= catch.end
                    and effect.kind in ("remote", "publish", "db.write")
                    and (
                        UNDO.search(effect.call.name)
                        and not re.search(r"rollback|abort|cancel(led)?$", effect.call.name, re.IGNORECASE)
                    )
                ):
                    yield fact(
                        "saga.inline",
                        module,
                        effect.call.line,
                        what=effect.call.shown(60),
                        function=function.title,
                        apart=effect.kind != "db.write",
                    )
        undoing = [
            e
            for e in function.reach
            if e.kind in ("db.write", "publish", "remote") and UNDO.search(e.call.name)
        ]
        heard = [m for m in (*function.marks, *function.params.values()) if FAILED_EVENT.search(m)]
        if (
            heard
            and undoing
            and any(
                re.search(r"handler|listener|subscribe|event", m, re.IGNORECASE)
                for m in (*function.marks, *function.params.values())
            )
        ):
            yield fact(
                "saga.choreographed",
                module,
                undoing[0].call.line,
                what=undoing[0].call.shown(60),
                function=function.title,
            )


_TASKFLOW = re.compile(r"^taskflow\b")


def _taskflow(program: Program) -> Iterator[Fact]:
    """A task of OpenStack's TaskFlow that says how it is taken back; the engine does so, last one first."""
    for module, one in program.classes():
        if module.language != "python" or not module.uses(_TASKFLOW):
            continue
        if not any(re.search(r"\bTask$", base) for base in one.bases):
            continue
        for function in module.functions:
            if function.owner == one.name and function.name == "revert" and not does_nothing(function):
                what = f"{one.name}.revert"
                yield fact("saga.compensation", module, function.line, what=what, definition=one.name)


def reaction(call: Call) -> Iterator[tuple[str, str]]:
    """The event that a registration waits for and the command that it then gives, by their last words."""
    given = [v for k, v in call.keywords.items() if re.fullmatch(r"on|when|event|do|then|command|handler", k)]
    if len(given) != 2:
        # by its place alone: the name of an event is written down, or is that of a class
        given = list(call.args[:2])
        if not given or not EVENT_NAME.search(given[0]):
            return
    if REGISTERS.search(call.name) and len(given) == 2 and all(re.fullmatch(r"[\w.\"'`]+", w) for w in given):
        event, command = (w.strip("\"'`") for w in given)
        yield event.rpartition(".")[2], command.rpartition(".")[2]


def _engine(program: Program) -> Iterator[Fact]:
    """A function that walks steps backwards and sends what undoes them; the order in which it walks;
    what it keeps.
    """
    for module, function in program.functions():
        if not re.search(r"compensat|undo|rollback_steps|roll_back", function.name, re.IGNORECASE):
            continue
        header = next(
            (
                b
                for c in function.calls
                for b in c.within("loop")
                if re.search(
                    r"step|action|completed|done|executed|compensat|activit", b.header, re.IGNORECASE
                )
            ),
            None,
        )
        if header is None:
            continue
        backwards = (
            re.search(
                r"reversed|\.reverse\(|\[::-1\]|--\s*\)|-=\s*1|descending|pop\(|i--|toReversed|Collections\.reverse|previous|slices\.Reverse|len\(.*\)\s*-\s*1",
                function.body,
            )
            is not None
        )
        loop = function.body.split("\n")[header.line - function.line : header.end - function.line + 1]
        only_done = re.search(r"previous", function.body, re.IGNORECASE) is not None  # from where it failed
        only_done = (
            only_done or _RAN.search(header.header) is not None or _RAN.search("\n".join(loop)) is not None
        )
        going_on = _sends(function) and not _halts(module, function)
        stops = any(header.line <= c.line <= header.end for c in function.catches) or not any(
            re.search(r"await|invoke|execute|call|compensat|undo", c.callee, re.IGNORECASE)
            and any(b is header for b in c.inside)
            for c in function.calls
        )
        if module.language == "go":
            # an error is a value there: only what leaves the loop stops it
            stops = re.search(r"\breturn\b|\bbreak\b|\bpanic\(", "\n".join(loop[1:])) is None
        yield fact(
            "saga.engine", module, header.line, function=function.title, backwards=backwards,
            only_done=only_done, survives=going_on if _sends(function) else stops, sends=_sends(function),
        )  # fmt: skip


# where there is nothing to undo, nothing is stopped
UNDOES = re.compile(r"compensat|undo|roll_?back", re.IGNORECASE)
_NO_UNDO = re.compile(r"(undo|compensat)\w*\s*(is None|===?\s*(null|None|nil|undefined))", re.IGNORECASE)


def _halts(module: Module, engine: Function) -> bool:
    """Whether another function, on the failure of an undo, notes it and does not go on with the rest."""
    for function in module.functions:
        if function is engine or not function.name:
            continue
        branches = {
            id(b): b
            for c in function.calls
            for b in c.within("branch")
            if UNDOES.search(b.header) and not _NO_UNDO.search(b.header)
        }
        for branch in branches.values():
            inside = [c for c in function.calls if any(b is branch for b in c.inside)]
            fails = any(re.search(r"fail|stuck|park|gave_up", c.text(), re.IGNORECASE) for c in inside)
            if fails and not any(c.name == engine.name for c in inside):
                return True
    return False


def _sends(function: Function) -> bool:
    """One command is sent and the answer awaited later, so a failed one cannot stop the loop."""
    return re.search(r"\breturn\b[^\n]*\b(_?send|Send|command|yield)\b|\byield\b", function.body) is not None
