"""Clients with a time limit."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits([f for f in facts.of("client") if f["timeout"]], lambda f: f"{f['what']} has a time limit")


RULE = Rule(
    id="RES-E02",
    item="circuit_breaker",
    kind="evidence",
    severity=Severity.NOTE,
    title="Time limits",
    why="A breaker counts failures, and a call that never ends never fails.",
    remedy="Set a time limit on every client.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                import requests
                requests.get('/x', timeout=3)  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                const c = axios.create({ timeout: 3000 }); // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                var c = http.Client{Timeout: 3} // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  RestTemplate peer(RestTemplateBuilder builder) {
                    RestTemplate made = new RestTemplate(); // <-
                    made.setRequestFactory(factory(Timeout.ofSeconds(2)));
                    return made;
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                import requests
                requests.get('/x')  # timeout=3
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import axios from 'axios';
                const c = axios.create({});
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "net/http"
                var c = http.Client{}
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  // timeout
                  RestTemplate peer() { return new RestTemplate(); }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
