"""An aggregate whose state is folded from its events."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(facts.of("es.used"), lambda f: f"kept as its events: {f['name']}")


_PY = """from sqlalchemy import insert, select

class Store:
    def load(self, conn, id):
        state = None
        for row in conn.execute(select(events)):  # <-
            state = evolve(state, row.event)
        return state

    def append(self, conn, id, new, expected_version):
        conn.execute(insert(events), [{"v": expected_version + 1}])

def handle(store: Store, conn, id):
    return store.load(conn, id)
"""
RULE = Rule(
    id="EVS-E01",
    item="event_sourcing",
    kind="evidence",
    severity=Severity.NOTE,
    title="Event-sourced aggregate",
    why=(
        "Where it matters how a state came about, the events are the state, and anything else is a "
        "view of them."
    ),
    remedy="Append events with the expected version, and fold them into the state when loading.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # a case for each kind of event, and a history that only its name tells of
            "state.go": """
                package history
                func (b *builder) ApplyEvents(history []*Event) error {
                    for _, event := range history {
                        switch event.GetEventType() { // <-
                        case Started:
                            b.state.Start(event)
                        case Scheduled:
                            b.state.Schedule(event)
                        case Completed:
                            b.state.Complete(event)
                        case Failed:
                            b.state.Fail(event)
                        case Closed:
                            b.state.Close(event)
                        }
                    }
                    return nil
                }
            """,
            "engine.go": """
                package history
                func (e *engine) rebuild(b *builder, history []*Event) error { return b.ApplyEvents(history) }
                func (e *engine) keep(events []*Event) error { return e.manager.AppendHistoryNodes(events) }
            """,
        }),
        Sample("java", {
            "Order.java": """
                abstract class Aggregate {
                    Aggregate(UUID id, List<Event> events) { loadFromHistory(events); }
                    private void loadFromHistory(List<Event> events) {
                        events.forEach( // <-
                            event -> {
                              apply(event);
                              version = event.version();
                            });
                    }
                }
            """,
            "Store.java": """
                class Store {
                    JdbcTemplate jdbc;
                    void append(Event e) { jdbc.update("INSERT INTO order_events (id, version) VALUES (?, ?)", e); }
                }
            """,
        }),
        Sample("java", {
            "Carts.java": """
                class Carts {
                    JdbcTemplate jdbc;
                    void add(CartEvent event) { jdbc.update("INSERT INTO cart_events (id, body) VALUES (?, ?)", event); }
                    Cart load(String id) {
                        return jdbc.query("SELECT body FROM cart_events WHERE id = ?", id).stream()
                            .reduce(new Cart(), Cart::incorporate); // <-
                    }
                    Cart show(String id) { return load(id); }
                }
            """,
        }),
        Sample("python", {"store.py": _PY}),
        Sample("java", {
            "A.java": """
                import io.eventuate.ReflectiveMutableCommandProcessingAggregate;
                public class Account extends ReflectiveMutableCommandProcessingAggregate<A, C> { } // <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function apply(state, event) {
                  return { ...state, at: event.time };
                }
                export class Store {
                  async load(pool, id) {
                    let state = null;
                    const rows = await pool.query('select * from events where stream = $1', [id]);
                    for (const event of rows) { // <-
                      state = apply(state, event);
                    }
                    return state;
                  }
                  async keep(pool, event, version) {
                    await pool.query('insert into events values ($1, $2)', [event, expectedVersion + 1]);
                  }
                }
                export async function run(store: Store, pool) {
                  return store.load(pool, 1);
                }
            """,
        }),
    ),
    invalid=(
        Sample("go", {  # what came in is told apart, and no history is kept
            "hooks.go": """
                package hooks
                func applyEvents(state *State, events []Event) {
                    for _, event := range events {
                        switch event.Type {
                        case "opened":
                            state.Open()
                        case "closed":
                            state.Close()
                        case "merged":
                            state.Merge()
                        case "labeled":
                            state.Label()
                        case "pushed":
                            state.Push()
                        }
                    }
                }
                func Receive(state *State, events []Event) { applyEvents(state, events) }
            """,
        }),
        Sample("python", {"store.py": _PY.split("def handle")[0]}),
        Sample("java", {
            "A.java": """
                // extends ReflectiveMutableCommandProcessingAggregate
                public class Account { void apply(Event e) { } }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function apply(state, event) {
                  return { ...state, at: event.time };
                }
                export class Store {
                  async load(pool, id) {
                    let state = null;
                    const rows = await pool.query('select * from events where stream = $1', [id]);
                    for (const event of rows) {
                      state = apply(state, event);
                    }
                    return state;
                  }
                  async keep(pool, event, version) {
                    await pool.query('insert into events values ($1, $2)', [event, expectedVersion + 1]);
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
