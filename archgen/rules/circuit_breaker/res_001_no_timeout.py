"""A client that waits for ever."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        [f for f in facts.of("client") if not f["timeout"]],
        lambda f: f"{f['what']} in {f['function'] or 'the module'} has no time limit",
    )


RULE = Rule(
    id="RES-001",
    item="circuit_breaker",
    kind="defect",
    severity=Severity.ERROR,
    title="Client without a time limit",
    why="A peer that accepts and never answers holds the caller for ever, and every caller after it.",
    remedy="Set a connect and a read timeout where the client is made.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {"a.py": "import httpx, requests\nhttpx.get('/x')\nrequests.get('/x', timeout=2)\n"}),
        Sample("typescript", {"a.ts": "import axios from 'axios';\naxios.get('/x', { timeout: 2000 });\n"}),
        Sample("go", {"a.go": "package a\nimport \"net/http\"\nvar c = &http.Client{Timeout: time.Second}\n"}),
        Sample("java", {"A.java": "class A { RestTemplate f() { return new RestTemplate(factory(Duration.ofSeconds(2)).setReadTimeout(2)); } }\n"}),
    ),
    invalid=(
        Sample("python", {"a.py": "import httpx, requests\nhttpx.get('/x', timeout=None)  # <-\nrequests.get('/x')  # <-\n"}),
        Sample("typescript", {"a.ts": "import axios from 'axios';\naxios.get('/x'); // <-\n"}),
        Sample("go", {"a.go": "package a\nimport \"net/http\"\nfunc F() { http.Get(u) } // <-\n"}),
        Sample("java", {"A.java": "class A {\n  RestTemplate f() { return new RestTemplate(); } // <-\n}\n"}),
    ),
    check=check,
)  # fmt: skip
