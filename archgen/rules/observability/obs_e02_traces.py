"""A request can be followed through the system."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return (
        hits(facts.of("trace.provider"), lambda f: f"tracing is set up: {f['what']}")
        + hits(facts.of("trace.carried"), lambda f: f"context is carried: {f['what']}")
        + hits(facts.of("trace.span"), lambda f: f"a span is opened: {f['what']}")
    )


RULE = Rule(
    id="OBS-E02",
    item="observability",
    kind="evidence",
    severity=Severity.NOTE,
    title="Traces or correlation",
    why="An error in one service has its cause in another; without a common id the two logs never meet.",
    remedy="Carry W3C trace context through HTTP and messages.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("java", {  # an agent, of which the code knows nothing
            "Dockerfile": """
                FROM eclipse-temurin:21
                CMD ["java", "-javaagent:/opt/opentelemetry-javaagent.jar", "-jar", "app.jar"] # <-
            """,
            "App.java": """
                class App { public static void main(String[] args) {} }
            """,
        }),
        Sample("python", {
            "Procfile": """
                web: opentelemetry-instrument uvicorn app:app # <-
            """,
            "app.py": "app = FastAPI()\n",
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/moov-io/base/telemetry"
                func Start(ctx context.Context, env *Env) { telemetry.SetupTelemetry(ctx, env.Config, "0.1") } // <-
                func Search(ctx context.Context) { ctx, span := telemetry.StartSpan(ctx, "search") } // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  void start() { AutoConfiguredOpenTelemetrySdk.builder().build(); } // <-
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                from opentelemetry import trace
                trace.set_tracer_provider(p)  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": "const sdk = new NodeSDK({ traceExporter }); // <-\n",
        }),
        Sample("go", {
            "a.go": """
                package a
                func F() { router.Use(middleware.RequestID()) } // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  void start() {
                    GlobalOpenTelemetry.set(SdkTracerProvider.builder().build()); // <-
                  }
                }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                import traceback
                traceback.print_exc()
            """,
            "requirements.txt": "opentelemetry-sdk\n",
        }),
        Sample("typescript", {
            "a.ts": """
                // new NodeSDK()
                console.trace('x');
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func F(requestBody string) {}
            """,
        }),
        Sample("java", {
            "A.java": """
                class A {
                  // SdkTracerProvider.builder().build()
                  void start() { log.info("tracing comes later"); }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
