"""Reading on all cores gives what reading one file after the other gives."""

from __future__ import annotations

import gc
import pickle
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from typing import Any

import pytest

from archgen.evidence import reading
from archgen.evidence.nature import Nature
from archgen.evidence.tree import Source

SOURCES = [
    Source("a.py", "import requests\n\n\ndef f():\n    requests.post('http://b/x')\n", Nature.PRODUCTION),
    Source("b.go", 'package b\nimport "net/http"\nfunc G() { http.Get("http://a/y") }\n', Nature.PRODUCTION),
    Source("C.java", "class C { void h() { try { g(); } catch (Exception e) { } } }\n", Nature.TEST),
    Source("d.ts", "export const k = async () => { await fetch('/z') }\nclass {", Nature.PRODUCTION),
]  # fmt: skip


def _plain(read: reading.Read) -> tuple[object, ...]:
    module, notes = read
    assert module is not None
    effects = [
        (f.title, f.line, [c.text() for c in f.calls], [(e.kind, e.target, e.write) for e in f.effects])
        for f in module.functions
    ]
    return module.path, module.language, module.production, module.broken_at, effects, notes


@pytest.fixture
def small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "_ENOUGH", 0)
    monkeypatch.setattr(reading, "_PORTION", 1)


def test_other_processes_read_the_same_in_the_same_order(small_portions: None) -> None:
    steps: list[None] = []
    found = list(reading.read_code(SOURCES, lambda: steps.append(None), workers=2))
    assert [_plain(read) for read in found] == [_plain(reading.read_one(source)) for source in SOURCES]
    assert len(steps) == len(SOURCES)


def test_an_effect_that_comes_back_is_that_of_a_call_that_comes_back() -> None:
    """Recognisers compare calls by identity."""
    module, _ = pickle.loads(pickle.dumps(reading.read_one(SOURCES[0])))
    (function,) = [f for f in module.functions if f.name == "f"]
    assert function.effects[0].call is function.calls[0]


def test_where_processes_cannot_be_had_this_one_reads(
    small_portions: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            pass

        def map(self, *args: Any) -> Any:
            future: Future[Any] = Future()
            future.set_exception(BrokenProcessPool("no"))
            yield reading._read_portion(SOURCES[:1])
            yield future.result()

        def shutdown(self, **kwargs: Any) -> None:
            pass

    monkeypatch.setattr(reading, "ProcessPoolExecutor", Broken)
    found = list(reading.read_code(SOURCES, workers=2))
    assert [_plain(read) for read in found] == [_plain(reading.read_one(source)) for source in SOURCES]


def test_garbage_is_looked_for_again_afterwards() -> None:
    with reading.many_objects():
        assert not gc.isenabled()
    assert gc.isenabled()
