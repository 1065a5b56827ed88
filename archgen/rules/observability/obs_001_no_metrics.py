"""Services run, and none of them keeps a number."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts, Strength
from archgen.rules.model import Hit, Rule, Sample, Severity


def check(facts: Facts) -> Iterable[Hit]:
    own = any(str(m["what"]).lower().find("counter") >= 0 for m in facts.of("metric", at_least=Strength.USED))
    shown = facts.has("metrics.exposed") or (facts.has("metrics.scraped") and not own)
    if facts.services and not shown:
        service = facts.services[0]
        yield Hit(
            service.file,
            service.line,
            f"no metric can be fetched from {', '.join(s.name for s in facts.services[:6])}",
        )


RULE = Rule(
    id="OBS-001",
    item="observability",
    kind="defect",
    severity=Severity.ERROR,
    title="No metrics",
    why="Without numbers over time an outage is found by its users.",
    remedy="Count requests, errors and durations in every service, and expose them.",
    languages=("python", "typescript", "go", "java"),
    valid=(
        Sample("go", {
            "main.go": """
                package main
                import (
                    "github.com/labstack/echo-contrib/prometheus"
                    "github.com/labstack/echo/v4"
                )
                func main() {
                    e := echo.New()
                    prom := prometheus.NewPrometheus("echo", nil)
                    prom.Use(e)
                    e.Start(":8080")
                }
            """,
        }),
        Sample("go", {  # the library of the language itself
            "main.go": """
                package main
                import (
                    "expvar"
                    "net/http"
                )
                var orders = expvar.NewInt("orders")
                func main() {
                    http.Handle("/debug/vars", expvar.Handler())
                    http.ListenAndServe(":8080", nil)
                }
            """,
        }),
        Sample("java", {
            "Dockerfile": """
                FROM base/java:21
                COPY lib/applicationinsights.json /opt/app/
            """,
            "App.java": """
                @SpringBootApplication
                class App { public static void main(String[] args) { SpringApplication.run(App.class); } }
            """,
        }),
        Sample("go", {  # served by watermill
            "main.go": """
                package main
                import (
                    "net/http"
                    "github.com/ThreeDotsLabs/watermill/components/metrics"
                )
                func main() {
                    registry, done := metrics.CreateRegistryAndServeHTTP(":8081")
                    defer done()
                    serve(registry)
                    http.ListenAndServe(":8080", nil)
                }
            """,
        }),
        Sample("python", {  # sent to who keeps them
            "app.py": """
                from fastapi import FastAPI
                from prometheus_client import CollectorRegistry, Counter, multiprocess
                app = FastAPI()
                ORDERS = Counter('orders_total', 'Orders')
                def push(client):
                    registry = CollectorRegistry()
                    multiprocess.MultiProcessCollector(registry)
                    client.post('https://numbers/write', content=encode(registry.collect()))
            """,
        }),
        Sample("typescript", {
            "server.ts": """
                import { Hono } from 'hono';
                import { serve } from '@hono/node-server';
                import { printMetrics } from './metrics';
                const app = new Hono().get('/metrics', bearerAuth({ token }), printMetrics);
                export function start() { serve({ fetch: app.fetch, port: 1 }); }
            """,
            "package.json": '{"scripts": {"start": "node server.js"}}',
        }),
        Sample("go", {
            "go.mod": "module shop",
            "main.go": """
                package main
                import "github.com/ansrivas/fiberprometheus/v2"
                func main() {
                    app := fiber.New()
                    prometheus := fiberprometheus.New("orders")
                    prometheus.RegisterAt(app, "/metrics")
                    http.ListenAndServe(":80", app)
                }
            """,
        }),
        Sample("go", {
            "go.mod": "module shop",
            "main.go": """
                package main
                import "github.com/go-rest/pkg/api"
                func main() {
                    router := chi.NewRouter()
                    base := api.NewBase("orders")
                    base.AddMetricsEndpoint(router, "metrics")
                    http.ListenAndServe(":80", router)
                }
            """,
        }),
        Sample("java", {
            "pom.xml": "<project><artifactId>shop</artifactId></project>",
            "Dockerfile": "CMD [\"java\"]",
            "src/main/java/Main.java": """
                import io.vertx.core.Vertx;
                import io.vertx.ext.dropwizard.DropwizardMetricsOptions;
                public class Main {
                    public static void main(String[] args) {
                        Vertx vertx = Vertx.vertx(new VertxOptions().setMetricsOptions(new DropwizardMetricsOptions()));
                        vertx.createHttpServer().listen(8080);
                    }
                }
            """,
        }),
        Sample("python", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": """
                import uvicorn
                uvicorn.run('a')
            """,
            "orders/m.py": """
                from prometheus_client import Counter, start_http_server
                c = Counter('a_total', 'A.')
                start_http_server(9000)
            """,
        }),
        Sample("typescript", {
            "main.ts": """
                import express from 'express';
                import { collectDefaultMetrics } from 'prom-client';
                const app = express();
                collectDefaultMetrics();
                app.listen(3000);
            """,
            "package.json": """
                {"dependencies": {"express": "5"}}
            """,
        }),
        Sample("go", {
            "main.go": """
                package main
                import (
                    "net/http"
                    "github.com/prometheus/client_golang/prometheus/promhttp"
                )
                func main() {
                    http.Handle("/metrics", promhttp.Handler())
                    http.ListenAndServe(":80", nil)
                }
            """,
        }),
        Sample("java", {
            "App.java": """
                @SpringBootApplication
                class App {
                  public static void main(String[] args) { SpringApplication.run(App.class, args); }
                }
            """,
            "src/main/resources/application.yml": """
                management:
                  endpoints:
                    web:
                      exposure:
                        include: health,prometheus
            """,
        }),
    ),
    invalid=(
        Sample("python", {
            "orders/Dockerfile": "FROM python",
            "orders/main.py": """
                import uvicorn
                uvicorn.run('a')  # <-
            """,
        }),
        Sample("typescript", {
            "main.ts": """
                import express from 'express';
                const app = express();
                app.listen(3000); // <-
            """,
            "package.json": """
                {"dependencies": {"express": "5"}}
            """,
        }),
        Sample("go", {
            "main.go": """
                package main
                import "net/http"
                func main() {
                    http.ListenAndServe(":80", nil) // <-
                }
            """,
        }),
        Sample("java", {
            "App.java": """
                @SpringBootApplication
                class App { // <-
                  public static void main(String[] args) { SpringApplication.run(App.class, args); }
                }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
