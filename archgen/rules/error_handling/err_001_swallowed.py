"""Everything is caught, and the work goes on as if nothing had happened."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    harmful = [f for f in facts.of("error.swallowed") if f["writes"]]
    return hits(
        harmful, lambda f: f"{f['function'] or 'the module'} catches {f['types']} around a change and goes on"
    )


RULE = Rule(
    id="ERR-001",
    item="error_handling",
    kind="defect",
    severity=Severity.WARNING,
    title="Broad catch that goes on",
    why="The change may or may not have been made, and the code that follows believes that it was.",
    remedy="Catch what you can answer, and let the rest through.",
    languages=("python", "typescript", "java"),
    valid=(
        Sample("python", {"a.py": "def f(session):\n    try:\n        session.add(o)\n    except Conflict:\n        return None\n"}),
        Sample("typescript", {"a.ts": "async function f(orderRepository) { try { await orderRepository.save(o); } catch (e) { throw e; } }\n"}),
        Sample("java", {"A.java": "class A { OrderRepository orderRepository; void f() { try { orderRepository.save(o); } catch (Exception e) { throw new Failed(e); } } }\n"}),
    ),
    invalid=(
        Sample("python", {"a.py": "def f(session):\n    try:\n        session.add(o)\n    except Exception:  # <-\n        pass\n    go_on()\n"}),
        Sample("typescript", {"a.ts": "async function f(orderRepository) {\n  try { await orderRepository.save(o); }\n  catch (e) { console.log(e); } // <-\n}\n"}),
        Sample("java", {"A.java": "class A { OrderRepository orderRepository; void f() { try { orderRepository.save(o); }\n  catch (Exception e) { log.error(\"x\"); } } } // <-\n"}),
    ),
    check=check,
)  # fmt: skip
