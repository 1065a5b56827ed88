"""A workload is restarted for the same answer that takes it out of the load balancer."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    paths: dict[tuple[str, str], dict[str, str]] = {}
    lines: dict[tuple[str, str], int] = {}
    for probe in facts.of("probe"):
        if probe.get("path") and not probe.get("store"):
            key = (probe.file, str(probe["workload"]))
            paths.setdefault(key, {})[str(probe["kind"])] = str(probe["path"])
            lines.setdefault(key, probe.line)
    for key, kinds in paths.items():
        if kinds.get("liveness") and kinds.get("liveness") == kinds.get("readiness"):
            yield Hit(
                key[0], lines[key], f"{key[1]} is asked for {kinds['liveness']} both to live and to be ready"
            )
    yield from _unasked(facts)


def _unasked(facts: Facts) -> Iterable[Hit]:
    """Services that are not asked whether they are ready, beside others that are: there it was forgotten.

    Where nothing is asked of anyone, the first says so for all.
    """
    own = {service.name for service in facts.services}
    workloads = [w for w in facts.of("workload.probes") if w["name"] in own]
    silent = [w for w in workloads if "readinessProbe" not in w["asked"]]
    some = len(silent) < len(workloads)
    for workload in silent if some else silent[:1]:
        message = f"{workload['name']} is never asked whether it is ready"
        yield Hit(workload.file, workload.line, message, workload.strength)


RULE = Rule(
    id="OBS-006",
    item="observability",
    kind="defect",
    severity=Severity.WARNING,
    title="Liveness equal to readiness",
    why="When the database is away, every replica is restarted instead of resting until it is back.",
    remedy="Let liveness answer from the process alone, and readiness ask what it depends on.",
    languages=("config",),
    valid=(
        Sample("config", {  # a patch says only what is different
            "orders/Dockerfile": "FROM python:3\nCMD python main.py\n",
            "orders/main.py": "import uvicorn\nuvicorn.run(app)\n",
            "k8s/dev/orders-patch.yaml": """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: orders}
                spec:
                  template:
                    spec:
                      containers:
                        - name: orders
                          resources: {limits: {cpu: 2}}
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "k.yaml": """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: a}
                spec:
                  template:
                    spec:
                      containers:
                      - livenessProbe:
                          httpGet: {path: /live}
                        readinessProbe:
                          httpGet: {path: /ready}
            """,
        }),
    ),
    invalid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "k.yaml": """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: a}
                spec:
                  template:
                    spec:
                      containers:
                      - livenessProbe: # <-
                          httpGet: {path: /health}
                        readinessProbe:
                          httpGet: {path: /health}
            """,
        }),
    ),
    check=check,
)  # fmt: skip
