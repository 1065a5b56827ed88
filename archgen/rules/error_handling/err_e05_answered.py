"""Typed errors are answered by the handler that meets them."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        [f for f in facts.of("error.mapped") if not f["central"]],
        lambda f: f"an error is answered: {f['what']}",
    )


RULE = Rule(
    id="ERR-E05",
    item="error_handling",
    kind="evidence",
    severity=Severity.NOTE,
    title="Errors answered where they happen",
    why="It is a start: the caller is told, although every handler has to remember it.",
    remedy="Map errors in one place, so that none is forgotten.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("java", {
            "Declined.java": """
                @ResponseStatus(HttpStatus.NOT_ACCEPTABLE)
                public class Declined extends IllegalStateException {} // <-
            """,
        }),
        # errors that a contract declares, made by what is generated from it
        Sample("go", {
            "a.go": """
                package a
                func (s *Auth) Login(ctx context.Context, req *v1.LoginReq) (*v1.LoginReply, error) {
                    user, err := s.users.Find(ctx, req.Name)
                    if err != nil {
                        return nil, v1.ErrorLoginFailed("no such user") // <-
                    }
                    return reply(user), nil
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                def create(request):
                    try:
                        return make(request), 201
                    except Conflict:  # <-
                        return 'taken', 409
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { ResponseEntity<?> f() { try { return ok(); }
                  catch (ConflictException e) { return new ResponseEntity<>(HttpStatus.CONFLICT); } // <-
                } }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export async function show(req, res) {
                  try {
                    res.json(await find(req.params.id));
                  } catch (e: NotFound) { // <-
                    res.status(404).json({ error: 'gone' });
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Show(w http.ResponseWriter, r *http.Request) {
                    order, err := find(r)
                    if err != nil {
                        http.Error(w, "gone", http.StatusNotFound) // <-
                        return
                    }
                    write(w, order)
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                def create(request):
                    try:
                        return make(request), 201
                    except Conflict:
                        log.error('taken')
                        raise
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { void f() { try { g(); } catch (ConflictException e) { throw e; } } }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export async function show(req, res) {
                  // res.status(404)
                  res.json(await find(req.params.id));
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Show(w http.ResponseWriter, r *http.Request) {
                    // http.Error(w, "gone", 404)
                    order, _ := find(r)
                    write(w, order)
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
