"""One place turns failures into answers that a caller can understand."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        [f for f in facts.of("error.mapped") if f["central"]], lambda f: f"errors become answers: {f['what']}"
    )


RULE = Rule(
    id="ERR-E01",
    item="error_handling",
    kind="evidence",
    severity=Severity.NOTE,
    title="Errors mapped to answers",
    why="A caller can only act on an error that says whose fault it is and whether to try again.",
    remedy="Map typed errors in one place to problem details (RFC 9457).",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "shop/urls.py": """
                from django.urls import path
                urlpatterns = [path("orders", orders)]
                handler500 = "shop.views.server_error"  # <-
            """,
            "shop/settings.py": """
                REST_FRAMEWORK = {"EXCEPTION_HANDLER": "shop.errors.answer"}  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export const handleErrors: (res: Response, logger: Logger, error: Error) => void = (res, logger, error) => {
                  const known = error instanceof ShopError ? error : fromLegacy(error);
                  logger.debug(known);
                };
                export function answer(error: Error, res: Response) {
                  return res.status(error.statusCode).json(error); // <-
                }
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export const guarded = (handler) => async (req) => {
                  try {
                    return await handler(req);
                  } catch (error) { // <-
                    return handleAndReturnErrorResponse(error);
                  }
                };
            """,
        }),
        Sample("python", {
            "a.py": """
                @app.exception_handler(Refused)
                def refused(request, error):  # <-
                    return problem(409)
            """,
        }),
        Sample("typescript", {
            "a.ts": "app.useGlobalFilters(new ProblemFilter()); // <-\n",
        }),
        Sample("go", {
            "a.go": """
                package a
                func F() { router.Use(middleware.Recoverer()) } // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                @ControllerAdvice
                class A { } // <-
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                # @app.exception_handler(Refused)
                def refused(request, error):
                    return 409
            """,
        }),
        Sample("typescript", {
            "a.ts": "// app.useGlobalFilters(new ProblemFilter());\n",
        }),
        Sample("go", {
            "a.go": """
                package a
                func F() { router.Use(middleware.Logger()) }
            """,
        }),
        Sample("java", {
            "A.java": "class A { /* @ControllerAdvice */ }\n",
        }),
    ),
    check=check,
)  # fmt: skip
