"""Four languages become one shape."""

from __future__ import annotations

import pytest

from archgen.evidence.code.model import Call, Function, Module, ending
from archgen.evidence.code.parse import parse


def _module(path: str, text: str) -> Module:
    module = parse(path, text)
    assert module is not None
    return module


def _function(module: Module, name: str) -> Function:
    return next(f for f in module.functions if f.name == name)


def _call(function: Function, name: str) -> Call:
    return next(c for c in function.calls if c.name == name)


_SAMES = {
    "a.py": """
class Orders(Base):
    @transactional
    def place(self, order: Order) -> None:
        try:
            self.store.save(order)
        except Conflict as error:
            log.error(error)
        if order.paid:
            ship(order)
""",
    "a.ts": """
class Orders extends Base {
  @transactional
  place(order: Order): void {
    try { this.store.save(order); }
    catch (Conflict) { log.error(Conflict); }
    if (order.paid) { ship(order); }
  }
}
""",
    "A.java": """
class Orders extends Base {
  @transactional
  public void place(Order order) {
    try { this.store.save(order); }
    catch (Conflict error) { log.error(error); }
    if (order.paid) { ship(order); }
  }
}
""",
}


def test_what_type_parameters_extend_is_no_base() -> None:
    text = """
    class Orders<Key extends string, Row extends Partial<Named<Key> & { id: string }>>
      extends Router<State, (c: Context) => void> implements Held {
      place() {}
    }
    """
    (one,) = _module("orders.ts", text).classes
    assert one.bases == ("Router<State", "c: Context", "=> void>", "Held")


@pytest.mark.parametrize("path", _SAMES)
def test_the_same_code_has_the_same_shape(path: str) -> None:
    module = _module(path, _SAMES[path])
    (one,) = module.classes
    assert (one.name, one.bases) == ("Orders", ("Base",))
    place = _function(module, "place")
    assert (place.owner, place.params["order"], place.marks) == ("Orders", "Order", ("@transactional",))
    assert [b.kind for b in _call(place, "save").inside] == ["try"]
    assert [b.kind for b in _call(place, "error").inside] == ["catch"]
    assert [b.kind for b in _call(place, "ship").inside] == ["branch"]
    assert _call(place, "save").receiver == "store"
    assert "Conflict" in place.catches[0].types


def test_go_has_receivers_closures_and_initialisers_outside_of_branches() -> None:
    module = _module(
        "a.go",
        """package a
type H struct {
    repo Repo
}
func (h *H) Do(ctx context.Context) error {
    if err := h.repo.Save(ctx); err != nil {
        return wrap(err)
    }
    return h.db.RunTransaction(ctx, func(tx *Tx) error { return tx.Set(1) })
}
""",
    )
    do = _function(module, "Do")
    assert (do.owner, module.types["repo"], module.package) == ("H", "Repo", "a")
    assert _call(do, "Save").inside == ()
    assert [b.kind for b in _call(do, "wrap").inside] == ["branch"]
    assert [(b.kind, b.header) for b in _call(do, "Set").inside] == [("closure", "h.db.RunTransaction")]


def test_comments_and_docstrings_are_not_in_bodies_and_lines_stay() -> None:
    module = _module("a.py", 'def f():\n    """publish()"""\n    # publish()\n    return go()  # publish()\n')
    assert "publish" not in _function(module, "f").body
    assert _call(_function(module, "f"), "go").line == 4


def test_text_beyond_ascii_does_not_shift_what_is_read() -> None:
    module = _module("a.py", 'x = "ä😀"  # ü\ndef grüße(a: Größe):\n    return senden(a, zeit=3)\n')
    call = _call(_function(module, "grüße"), "senden")
    assert (call.args, call.keywords, call.line) == (("a",), {"zeit": "3"}, 3)


def test_a_text_keeps_the_letters_that_could_be_a_prefix() -> None:
    module = _module("a.py", "x = 'number'\ny = rb\"barter\"\nz = f'{a} for'\n")
    assert [text.value for text in module.texts] == ["number", "barter", "{a} for"]


def test_keys_of_object_literals_are_keywords() -> None:
    module = _module(
        "a.ts", "ch.assertQueue('q', { durable: false, arguments: { 'x-dead-letter-exchange': 'd' } });"
    )
    keywords = _call(_function(module, ""), "assertQueue").keywords
    assert keywords["durable"] == "false"
    assert keywords["x-dead-letter-exchange"] == "'d'"


def test_awaited_and_discarded_calls_are_told_apart() -> None:
    module = _module("a.py", "async def f():\n    await a()\n    b()\n    x = c()\n")
    calls = {c.name: c for c in _function(module, "f").calls}
    assert [(n, calls[n].awaited, calls[n].discarded) for n in "abc"] == [
        ("a", True, True),
        ("b", False, True),
        ("c", False, False),
    ]


def test_code_that_does_not_parse_is_told_and_the_rest_is_read() -> None:
    module = _module("a.py", "def f():\n    go()\n\ndef g(:\n    ]\n")
    assert module.broken_at > 0
    assert _call(_function(module, "f"), "go").line == 2


def test_a_file_of_another_language_is_no_module() -> None:
    assert parse("a.rb", "puts 1") is None


def test_a_call_with_type_arguments_is_waited_for() -> None:
    text = "async function f() {\n  await g.ask<Answer>(1);\n  g.ask<Answer>(2);\n}\n"
    calls = _function(_module("a.ts", text), "f").calls
    assert [(c.callee, c.awaited, c.discarded) for c in calls] == [
        ("g.ask", True, True),
        ("g.ask", False, True),
    ]


@pytest.mark.parametrize(
    ("path", "name"),
    [("api/[body]capture.ts", "capture"), ("api/orders/[id].ts", "orders"), ("pay/index.ts", "pay")],
)
def test_what_a_file_hands_out_by_default_is_called_as_the_file_is(path: str, name: str) -> None:
    module = _module(path, "export default async (request) => { await save(request); };\n")
    assert [c.name for c in _function(module, name).calls] == ["save"]


@pytest.mark.parametrize(
    ("callee", "size", "shown"),
    [
        ("client.start", 20, "client.start"),
        ("this.service.client.start", 20, "…client.start"),
        ("a" * 30, 20, "…" + "a" * 20),
    ],
)
def test_a_long_call_is_shown_from_where_a_name_begins(callee: str, size: int, shown: str) -> None:
    assert ending(callee, size) == shown
