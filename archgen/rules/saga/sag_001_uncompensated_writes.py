"""An operation that changes two services and takes nothing back."""

import re
from collections.abc import Iterable

from archgen.evidence.code.model import Effect
from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity
from archgen.rules.paths import straight

_HARMLESS = re.compile(
    r"login|log_in|auth|token|verif|valid|notif|mail|sms|webhook|search|query|graphql|oauth|telemetry|metric|track|callback|lookup|seed|fixture",
    re.IGNORECASE,
)


def check(facts: Facts) -> Iterable[Hit]:
    compensated = {f["function"] for f in facts.of("saga.inline")} | {
        f["function"] for f in facts.of("saga.choreographed")
    }
    for module, function in facts.program.functions():
        if not function.name or function.title in compensated or _HARMLESS.search(function.name):
            continue
        remote = [e for e in function.reach if e.kind == "remote" and e.write and _matters(e)]
        local = [e for e in function.reach if e.kind == "db.write" and _matters(e)]
        steps = _apart([*remote, *local])
        if len(steps) >= 2 and any(e.kind == "remote" for e in steps):
            first, last = steps[0], steps[-1]
            yield Hit(
                module.path, first.call.line,
                f"{function.title} changes {_what(first)} and then {_what(last)} at line {last.call.line}, and takes nothing back",
            )  # fmt: skip


def _apart(effects: list[Effect]) -> list[Effect]:
    """Writes made by different calls on the straight path; one call that reaches both is judged where it leads."""
    calls: dict[int, Effect] = {}
    for effect in sorted(effects, key=lambda e: (e.call.line, e.kind != "remote")):
        if straight(effect.call) and not any(b.kind == "closure" for b in effect.call.inside):
            calls.setdefault(id(effect.call), effect)
    return list(calls.values())


def _matters(effect: Effect) -> bool:
    return not _HARMLESS.search(effect.call.callee) and not any(_HARMLESS.search(v) for v in effect.via)


def _what(effect: Effect) -> str:
    return (
        f"a peer ({effect.call.name})" if effect.kind == "remote" else f"its own store ({effect.call.name})"
    )


RULE = Rule(
    id="SAG-001",
    item="saga",
    kind="defect",
    severity=Severity.ERROR,
    title="Writes in two services without compensation",
    why="When the second write fails, the first stays: money without an order, a seat without a booking.",
    remedy="Make it a saga: record the operation, and take back the first write when the second cannot be made.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {"a.py": "import httpx\ndef f(c: httpx.Client, session):\n    c.post('/seats')\n    try:\n        session.add(o)\n    except Exception:\n        c.delete('/cancel')\n        release_seat(c)\n        raise\ndef release_seat(c: httpx.Client):\n    c.post('/release')\n"}),
        Sample("typescript", {"a.ts": "import axios from 'axios';\nasync function f(o) { await axios.get('/seats'); await axios.post('/book', o); }\n"}),
        Sample("go", {"a.go": "package a\nfunc (h H) F(ctx context.Context) { h.repo.Save(o) }\n"}),
        Sample("java", {"A.java": "class A { RestTemplate rest; OrderRepository orderRepository; void f() { rest.getForObject(u, T.class); orderRepository.save(o); } }\n"}),
    ),
    invalid=(
        Sample("python", {"a.py": "import httpx\ndef book(c: httpx.Client, session):\n    c.post('/seats')  # <-\n    session.add(o)\n"}),
        Sample("typescript", {"a.ts": "import axios from 'axios';\nclass A {\n  constructor(private readonly orderRepository: OrderRepository) {}\n  async f(o) {\n    await axios.post('/seats', o); // <-\n    await this.orderRepository.save(o);\n  }\n}\n"}),
        Sample("go", {"a.go": "package a\ntype H struct {\n\tusers pb.UsersServiceClient\n\ttrips pb.TripsServiceClient\n}\nfunc (h H) F(ctx context.Context) error {\n\th.users.UpdateBalance(ctx, r) // <-\n\th.trips.BookTrip(ctx, r)\n\treturn nil\n}\n"}),
        Sample("java", {"A.java": "class A { RestTemplate rest; OrderRepository orderRepository; void f() {\n  rest.postForObject(u, o, T.class); // <-\n  orderRepository.save(o); } }\n"}),
    ),
    check=check,
)  # fmt: skip
