"""A database keeps its files on a volume that goes with the pod."""

from collections.abc import Iterable

from archgen.evidence.facts import Fact, Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    yield from hits(
        _once(s for s in facts.of("datastore", "broker", "store.lost") if s.get("fleeting")),
        lambda s: f"{s['name']} ({s['engine']}) keeps its data in {s['fleeting']}",
    )
    for folder in facts.of("store.folder"):
        home = str(folder["folder"]).rstrip("/") + "/"
        for broker in facts.of("broker"):
            told = [str(mount).rstrip("/") + "/" for mount in broker.get("mounts") or ()]
            if broker["engine"] == folder["engine"] and told and not any(map(home.startswith, told)):
                message = f"{broker['name']} keeps messages in {folder['folder']}, where no volume is mounted"
                yield Hit(broker.file, broker.line, message, broker.strength)


def _once(stores: Iterable[Fact]) -> list[Fact]:
    """Each store once, however many variants of its manifest there are: where the path is shortest."""
    found: dict[tuple[str, str], Fact] = {}
    for store in sorted(stores, key=lambda s: (s.file.count("/"), s.file, s.line)):
        found.setdefault(
            (str(store["name"]), store.file.partition("/")[0] if "/" in store.file else ""), store
        )
    return list(found.values())


RULE = Rule(
    id="DRP-003",
    item="disaster_recovery",
    kind="defect",
    severity=Severity.ERROR,
    title="Durable store on a volume that is not",
    why="The next rescheduling is a total loss, and no backup is as fresh as what was there.",
    remedy="Give the store a persistent volume.",
    languages=("config",),
    valid=(
        Sample("config", {  # its home is moved, and so is the volume
            "compose.yaml": """
                services:
                  db:
                    image: postgres:17
                    environment: {PGDATA: /data/postgres}
                    volumes: [kept:/data/postgres]
                volumes: {kept: {}}
            """,
        }),
        Sample("config", {  # a store of the tests
            "a.py": "x = 1\n",
            "docker-compose.test.yml": """
                services:
                  db: {image: 'postgres:17', tmpfs: /var/lib/postgresql/data}
            """,
        }),
        Sample("config", {  # a database of its own, and H2 for tests
            "orders/pom.xml": """
                <project><artifactId>orders</artifactId>
                <dependency><artifactId>spring-boot-starter-data-jpa</artifactId></dependency>
                <dependency><artifactId>postgresql</artifactId></dependency>
                <dependency><artifactId>h2</artifactId><scope>test</scope></dependency></project>
            """,
            "orders/src/main/java/App.java": "@SpringBootApplication\nclass App {}\n",
            "_dev/docker-compose.yml": """
                services:
                  cache:
                    image: postgres:17
                    volumes: [kept:/var/lib/postgresql/data]
                  db:
                    image: postgres:17
                volumes: {kept: {}}
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "k.yaml": """
                apiVersion: apps/v1
                kind: StatefulSet
                metadata: {name: db}
                spec:
                  template:
                    spec:
                      containers: [{image: 'postgres:16'}]
                  volumeClaimTemplates: [{metadata: {name: data}}]
            """,
        }),
    ),
    invalid=(
        Sample("config", {
            "orders/pom.xml": """
                <project><artifactId>orders</artifactId> <!-- <- -->
                <dependency><artifactId>spring-boot-starter-data-jpa</artifactId></dependency>
                <dependency><artifactId>h2</artifactId></dependency></project>
            """,
            "orders/src/main/java/App.java": "@SpringBootApplication\nclass App {}\n",
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "k.yaml": """
                apiVersion: apps/v1
                kind: StatefulSet # <-
                metadata: {name: db}
                spec:
                  template:
                    spec:
                      containers: [{image: 'postgres:16'}]
                      volumes: [{name: data, emptyDir: {}}]
            """,
        }),
        Sample("config", {  # variants of one store are one finding
            "a.py": "x = 1\n",
            "deploy/k.yaml": """
                apiVersion: apps/v1
                kind: Deployment # <-
                metadata: {name: db}
                spec:
                  template:
                    spec:
                      containers: [{image: 'postgres:16'}]
                      volumes: [{name: data, emptyDir: {}}]
            """,
            "deploy/small/k.yaml": """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: db}
                spec:
                  template:
                    spec:
                      containers: [{image: 'postgres:16'}]
                      volumes: [{name: data, emptyDir: {}}]
            """,
        }),
    ),
    check=check,
)  # fmt: skip
