"""Whether a request was seen is asked of, and kept in, the memory of one process."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        facts.of("memory_dedup"),
        lambda f: (
            f"{f['function']} asks {f['store']} in memory whether {f['key']} was seen, acts, "
            "and notes it afterwards"
        ),
    )


RULE = Rule(
    id="DTC-004",
    item="data_consistency",
    kind="defect",
    severity=Severity.ERROR,
    title="Deduplication in memory",
    why=(
        "Two requests at once both find nothing; another replica, or the same one restarted, has "
        "never seen it."
    ),
    remedy="Let the database decide: a unique key, and a caught violation or an upsert.",
    languages=("python", "java",),
    valid=(
        Sample("python", {
            "a.py": """
                class A:
                    def f(self, session, id):
                        session.add(Request(id))
                        session.commit()
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { RequestRepository requestRepository; void f(R r) { requestRepository.save(r); } }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                class A:
                    def __init__(self):
                        self.seen_set = set()
                    def f(self, session, id):
                        if id in self.seen_set:  # <-
                            return
                        session.add(o)
                        self.seen_set.add(id)
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { Map<String, Long> seenMap; OrderRepository orderRepository; void f(R r) {
                  if (seenMap.containsKey(r.id())) { throw new Seen(); } // <-
                  orderRepository.save(r);
                  seenMap.put(r.id(), 1L); } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
