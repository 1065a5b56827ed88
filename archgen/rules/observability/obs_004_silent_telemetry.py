"""Telemetry that is wired to nothing."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    yield from hits(
        facts.of("telemetry.noop"),
        lambda f: (
            f"{f['name']} does nothing ({f['at']}) and is what {f['function'] or 'the module'} is given"
        ),
    )
    for setting in facts.of("setting"):
        key, value = str(setting["key"]).upper(), str(setting["value"]).strip("\"' ").lower()
        if (key == "OTEL_SDK_DISABLED" and value == "true") or (
            key == "OTEL_TRACES_EXPORTER" and value == "none"
        ):
            yield Hit(setting.file, setting.line, f"{key}={value} switches tracing off", setting.strength)
    span = next(facts.of("trace.span", at_least=Strength.USED), None)
    if span is not None and facts.services and not _provided(facts) and not _agent(facts):
        yield Hit(span.file, span.line, "spans are opened, and no provider records them", span.strength)


def _provided(facts: Facts) -> bool:
    """A setting alone makes a provider only for the JVM's frameworks."""
    settings_do = any(m.language == "java" for m in facts.program.modules.values())
    return facts.has("trace.provider", at_least=Strength.CONFIGURED if settings_do else Strength.USED)


def _agent(facts: Facts) -> bool:
    """Whether tracing is put around the processes from outside."""
    commands = [str(p["command"]) for p in facts.of("process")]
    commands += [str(s["value"]) for s in facts.of("setting")]
    return any(
        re.search(r"opentelemetry-instrument|ddtrace-run|javaagent|newrelic|otel/.*register", c)
        for c in commands
    )


RULE = Rule(
    id="OBS-004",
    item="observability",
    kind="defect",
    severity=Severity.WARNING,
    title="Telemetry that does nothing",
    why="Code full of metrics that nobody records looks observed and is not.",
    remedy="Wire a client that records, at least outside of tests.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {  # Datadog's own
            "main.go": """
                package main
                import "gopkg.in/DataDog/dd-trace-go.v1/ddtrace/tracer"
                func main() {
                    tracer.Start(tracer.WithAgentAddr(agent))
                    defer tracer.Stop()
                    span := tracer.StartSpan("order")
                    defer span.Finish()
                }
            """,
        }),
        Sample("go", {
            "go.mod": "module shop",
            "main.go": """
                package main
                import ot "github.com/opentracing/opentracing-go"
                func main() {
                    ot.InitGlobalTracer(instana.NewTracer())
                    span := ot.GlobalTracer().StartSpan("order")
                    defer span.Finish()
                    http.ListenAndServe(":80", nil)
                }
            """,
        }),
        Sample("go", {  # which of the two is built in, a tag says
            "go.mod": "module shop",
            "metric/server.go": """
                package metric
                type Server struct { handler http.Handler }
                func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.handler.ServeHTTP(w, r) }
            """,
            "metric/server_oss.go": """
                package metric
                type Server struct{}
                func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {}
            """,
            "main.go": """
                package main
                import "shop/metric"
                func main() { http.ListenAndServe(":80", metric.Server{}) }
            """,
        }),
        Sample("java", {  # a log of who did what, which has spans of its own
            "A.java": """
                class AuditTracer { Span startSpan(String name) { return new Span(name); } }
                @SpringBootApplication
                class A {
                    AuditTracer tracer;
                    void f() { tracer.startSpan("order"); }
                }
            """,
        }),
        Sample("go", {  # for what nothing is to be told of, beside the one that tells
            "metrics/reporter.go": """
                package metrics
                type Reporter interface { Observe(seconds float64) }
                type NoopReporter struct{}
                func (NoopReporter) Observe(seconds float64) {}
                var _ Reporter = NoopReporter{}
                type Seconds struct{ histogram prometheus.Histogram }
                func (s Seconds) Observe(seconds float64) { s.histogram.Observe(seconds) }
            """,
            "calls/client.go": """
                package calls
                import "x/metrics"
                func (c Client) Reporter(method string) metrics.Reporter {
                    if !c.wanted(method) {
                        return metrics.NoopReporter{}
                    }
                    return metrics.Seconds{c.histogram}
                }
            """,
        }),
        Sample("go", {
            "m/m.go": """
                package m
                type NoOp struct{}
                func (d NoOp) Inc(_ string, _ int) {
                    // todo
                }
                func NewNoopInstance() Metrics { return NoOp{} }
            """,
        }),
        # the stand-in where nobody wants metrics
        Sample("python", {
            "metrics.py": """
                class NoopClient:
                    def incr(self, key):
                        pass
                def client():
                    if settings.HOST:
                        return StatsClient(settings.HOST)
                    return NoopClient()
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                type NoopFlags struct{}
                func (NoopFlags) EnableNamesInMetrics() {}
                func New() { use(NoopFlags{}) }
            """,
        }),
        Sample("python", {
            "metrics.py": """
                class Metrics:
                    def inc(self, key):
                        counter.labels(key).inc()
            """,
            "a.py": """
                from metrics import Metrics
                m = Metrics()
            """,
        }),
        Sample("go", {
            "m/m.go": """
                package m
                type Client struct{}
                func (c Client) Inc(k string, v int) { counter.Add(v) }
            """,
            "a/a.go": """
                package a
                var c = m.Client{}
            """,
        }),
        Sample("typescript", {
            "metrics.ts": """
                export class Metrics {
                  inc(name: string) { counter.inc({ name }); }
                }
            """,
            "main.ts": """
                import { Metrics } from './metrics';
                export const service = make(new Metrics());
            """,
        }),
        Sample("java", {
            "RealMetrics.java": """
                class RealMetrics implements Metrics {
                  public void count(String name) { registry.counter(name).increment(); }
                }
            """,
            "App.java": """
                class App { Service service() { return new Service(new RealMetrics()); } }
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "metrics.py": """
                class NoMetrics:
                    def inc(self, key):
                        pass
            """,
            "a.py": """
                from metrics import NoMetrics
                m = NoMetrics()  # <-
            """,
        }),
        Sample("go", {
            "m/m.go": """
                package m
                type NoOp struct{}
                func (d NoOp) Inc(_ string, _ int) {
                    // todo
                }
            """,
            "a/a.go": """
                package a
                func F() App { return New(m.NoOp{}) } // <-
            """,
        }),
        Sample("typescript", {
            "metrics.ts": """
                export class NoMetrics {
                  inc(name: string) {}
                  observe(name: string, value: number) {}
                }
            """,
            "main.ts": """
                import { NoMetrics } from './metrics';
                export const service = make(new NoMetrics()); // <-
            """,
        }),
        Sample("java", {
            "NoMetrics.java": """
                class NoMetrics implements Metrics {
                  public void count(String name) { }
                  public void observe(String name, double value) { }
                }
            """,
            "App.java": """
                class App {
                  Service service() {
                    return new Service(new NoMetrics()); // <-
                  }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
