"""Metrics that are kept and can be fetched."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    if not facts.has("metrics.exposed", "metrics.scraped"):
        return []  # numbers that nobody can fetch
    return hits(facts.of("metrics.exposed"), lambda f: f"metrics are exposed: {f['what']}") + hits(
        facts.of("metric"), lambda f: f"metric {f['name'] or f['what']}"
    )


RULE = Rule(
    id="OBS-E01",
    item="observability",
    kind="evidence",
    severity=Severity.NOTE,
    title="Metrics",
    why="Without numbers over time nobody knows whether today is worse than yesterday.",
    remedy="Count requests, errors and durations, and expose them for scraping.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("python", {
            "a.py": """
                import statsd
                stats = statsd.StatsClient('stats', 8125, prefix='shop')  # <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import (
                    "github.com/moov-io/base/admin"
                    "github.com/prometheus/client_golang/prometheus"
                    "github.com/prometheus/client_golang/prometheus/promauto"
                )
                func Seen(reg prometheus.Registerer) { promauto.With(reg).NewHistogramVec(prometheus.HistogramOpts{}, nil) } // <-
                func Serve() { server, err := admin.New(admin.Opts{BindAddress: ":9092"}) } // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                import com.codahale.metrics.MetricRegistry;
                class A {
                  A(MetricRegistry metricRegistry) { this.sent = metricRegistry.meter("sent"); } // <-
                  ServletRegistrationBean at(MetricRegistry metricRegistry) {
                    return new ServletRegistrationBean(new MetricsServlet(metricRegistry), "/metrics/*"); // <-
                  }
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "example.com/a/internal/statsd"
                func Tell(w io.Writer) { client := statsd.NewClient(w, "a") } // <-
            """,
        }),
        Sample("python", {
            "a.py": """
                from prometheus_client import Counter, make_asgi_app
                seen = Counter('seen_total', 'Seen.')  # <-
                app.mount('/metrics', make_asgi_app())  # <-
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                import * as client from 'prom-client';
                client.collectDefaultMetrics(); // <-
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                import "github.com/prometheus/client_golang/prometheus/promhttp"
                func F() { promhttp.Handler() } // <-
            """,
        }),
        Sample("java", {
            "A.java": """
                class A { MeterRegistry meterRegistry; void f() {
                  meterRegistry.counter("placed").increment(); // <-
                } }
            """,
            "application.properties": "management.endpoints.web.exposure.include=prometheus # <-\n",
        }),
    ),
    invalid=(
        Sample("python", {
            "a.py": """
                from collections import Counter
                c = Counter('abc')
            """,
            "requirements.txt": "prometheus_client\n",
        }),
        Sample("typescript", {
            "a.ts": "// client.collectDefaultMetrics();\n",
        }),
        Sample("go", {
            "a.go": """
                package a
                type NoOp struct{}
                func (d NoOp) Inc(k string, v int) {}
            """,
        }),
        Sample("java", {
            "A.java": "class A { int counter; void f() { counter++; } }\n",
        }),
    ),
    check=check,
)  # fmt: skip
