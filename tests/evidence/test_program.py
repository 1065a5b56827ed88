"""What is found across files: services, what they reach, and effects through calls."""

from __future__ import annotations

from pathlib import Path

from archgen.evidence.code.effects import find_effects
from archgen.evidence.code.parse import parse
from archgen.evidence.collect import collect
from archgen.evidence.facts import Facts, Strength


def _project(root: Path, files: dict[str, str]) -> Facts:
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return collect(root)


def _effects(facts: Facts, title: str) -> set[str]:
    return {e.kind for _, f in facts.program.functions() if f.title == title for e in f.reach}


def test_effects_are_followed_through_types_into_other_files(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "client.py": "import httpx\nclass Stock:\n    def reserve(self):\n"
            "        return httpx.post('/x')\n",
            "use.py": "from client import Stock\nclass Case:\n    def __init__(self, stock: Stock):\n"
            "        self.stock = stock\n    def run(self):\n        self.stock.reserve()\n",
        },
    )
    assert _effects(facts, "Case.run") == {"remote"}


def test_what_a_function_does_is_the_same_whoever_looks_first(tmp_path: Path) -> None:
    steps = [f"def step{n}():\n    step{n + 1}()\n" for n in range(6)]
    last = "import httpx\ndef step6():\n    httpx.post('/x')\n"
    near = "def near():\n    step5()\ndef round():\n    step4()\n    near()\n"
    facts = _project(tmp_path, {"steps.py": "".join(steps) + last + near})
    assert [_effects(facts, f"step{n}") for n in range(7)] == [{"remote"}] * 7
    assert _effects(facts, "near") == _effects(facts, "round") == {"remote"}


def test_two_services_with_a_class_of_one_name_keep_their_own(tmp_path: Path) -> None:
    repo = "class Repository:\n    def keep(self, session):\n        session.add(1)\n"
    quiet = "class Repository:\n    def keep(self, session):\n        return tidy(1)\n"
    use = (
        "from {0}.repo import Repository\n"
        "def go(repository: Repository, session):\n    repository.keep(session)\n"
    )
    facts = _project(
        tmp_path,
        {"a/repo.py": repo, "a/use.py": use.format("a"), "b/repo.py": quiet, "b/use.py": use.format("b")},
    )
    found = {m.path: {e.kind for e in f.reach} for m, f in facts.program.functions() if f.name == "go"}
    assert found == {"a/use.py": {"db.write"}, "b/use.py": set()}


def test_a_library_that_no_service_imports_is_not_live(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "svc/requirements.txt": "",
            "svc/main.py": "import uvicorn\nfrom lib import used\nuvicorn.run(used.app)\n",
            "lib/__init__.py": "",
            "lib/used.py": "app = 1\n",
            "lib/unused.py": "from pybreaker import CircuitBreaker\nb = CircuitBreaker()\n",
        },
    )
    live = {path for path, module in facts.program.modules.items() if module.live}
    assert "lib/used.py" in live
    assert "lib/unused.py" not in live
    assert not facts.has("breaker")


def test_a_procfile_tells_the_services_and_what_they_share_is_a_library(tmp_path: Path) -> None:
    main = 'from kit.server import run\nif __name__ == "__main__":\n    run()\n'
    facts = _project(
        tmp_path,
        {
            "Procfile": "orders: exec python -m orders\npayments: PORT=1 python -m payments\n"
            "broker: nats-server\n",
            "kit/pyproject.toml": "",
            "kit/src/kit/server.py": "import uvicorn\ndef run():\n    uvicorn.run('x')\n",
            "services/orders/pyproject.toml": "",
            "services/orders/src/orders/__main__.py": main,
            "services/payments/pyproject.toml": "",
            "services/payments/src/payments/__main__.py": main,
        },
    )
    assert [(s.name, s.folder) for s in facts.services] == [
        ("orders", "services/orders"),
        ("payments", "services/payments"),
    ]


def test_what_is_only_listed_or_told_stays_weak(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "package.json": '{"dependencies": {"opossum": "8"}}',
            "README.md": "# Shop\n\nWe use a circuit breaker and event sourcing.\n",
            "a.ts": "// new CircuitBreaker(x)\n",
        },
    )
    assert not facts.has("breaker", at_least=Strength.CLAIMED)
    assert [f.strength for f in facts.of("dependency", at_least=Strength.CLAIMED)] == [Strength.DECLARED]
    assert all(f.strength is Strength.CLAIMED for f in facts.of("doc.topic", at_least=Strength.CLAIMED))


def test_compose_services_that_are_commented_out_are_not_there(tmp_path: Path) -> None:
    facts = _project(
        tmp_path, {"compose.yaml": "services:\n  a:\n    image: nginx\n#  db:\n#    image: postgres\n"}
    )
    assert not facts.has("datastore")


def test_vendored_and_hidden_folders_are_not_read(tmp_path: Path) -> None:
    facts = _project(
        tmp_path,
        {
            "node_modules/x/a.js": "fetch('http://x/')\n",
            ".cache/a.py": "x()\n",
            "vendor/b.go": "package b\n",
            "a.py": "x = 1\n",
        },
    )
    assert list(facts.program.modules) == ["a.py"]


def test_javascript_beside_its_typescript_is_not_read_twice(tmp_path: Path) -> None:
    facts = _project(tmp_path, {"a.ts": "fetch('http://x/');\n", "a.js": "fetch('http://x/');\n"})
    assert list(facts.program.modules) == ["a.ts"]


def test_what_a_collection_holds_does_not_say_that_it_is_a_database() -> None:
    text = """
        class Network {
          private final List<Consumer<ConnectionStatus>> listeners = new ArrayList<>();
          private Connection connection;
          void forget(Consumer<ConnectionStatus> one) { listeners.remove(one); }
          void drop(Row one) { connection.remove(one); }
        }
    """
    module = parse("Network.java", text)
    assert module is not None
    find_effects(module)
    effects = {f.name: [e.kind for e in f.effects] for f in module.functions if f.name}
    assert effects == {"forget": [], "drop": ["db.write"]}
