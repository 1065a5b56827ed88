"""The platform can ask whether a service is alive and ready."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    probes = [f for f in facts.of("probe") if not f.get("store")]
    return hits(probes, lambda f: f"{f['kind']} probe of {f['workload']}") + hits(
        facts.of("health"), lambda f: f"health at {f['path']}"
    )


RULE = Rule(
    id="OBS-E04",
    item="observability",
    kind="evidence",
    severity=Severity.NOTE,
    title="Health checks",
    why="A platform restarts what is dead and spares what is not ready, if it can tell the two apart.",
    remedy="Offer liveness and readiness apart, and point the probes at them.",
    languages=("python", "typescript", "go", "java", "config"),
    valid=(
        Sample("go", {
            "a.go": """
                package a
                func Routes(mux *http.ServeMux) { mux.HandleFunc("GET /system/liveness", alive) } // <-
            """,
        }),
        Sample("typescript", {
            "app.ts": """
                app.get('/healthcheck', (req, res) => res.json({ healthy: true }));  // <-
            """,
        }),
        Sample("python", {  # a path of Django's, as a pattern
            "urls.py": """
                from django.conf.urls import url
                from core import views
                urlpatterns = [
                    url(r'^health/$', views.health, name='health'),  # <-
                ]
            """,
        }),
        Sample("go", {
            "server.go": """
                package main
                func (s *Server) handle(w http.ResponseWriter, r *http.Request) error {
                    if r.URL.Path == apiHealthPath { // <-
                        return s.handleHealth(w, r)
                    }
                    return nil
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                @app.get('/health/ready')
                def ready():  # <-
                    return {}
            """,
        }),
        Sample("python", {
            "middleware.py": """
                class Healthcheck:
                    def __call__(self, request):
                        if request.path == HEALTHCHECK_PATH:  # <-
                            return HttpResponse("Healthy")
                        return self.get_response(request)
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "k.yaml": """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: a}
                spec:
                  template:
                    spec:
                      containers:
                      - image: a
                        livenessProbe: # <-
                          httpGet: {path: /live}
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                export function routes(app) {
                  app.get('/health', (req, res) => res.send('ok')); // <-
                }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                func Routes(mux *http.ServeMux) {
                    mux.HandleFunc("/healthz", ok) // <-
                }
            """,
        }),
        Sample("java", {
            "A.java": """
                @RestController
                class A {
                  @GetMapping("/health")
                  String health() { return "ok"; } // <-
                }
            """,
        }),
        Sample("java", {
            "pom.xml": """
                <project><artifactId>shop</artifactId><dependency><artifactId>spring-boot-starter-actuator</artifactId></dependency></project> <!-- <- -->
            """,
            "App.java": """
                @SpringBootApplication
                class App { }
            """,
        }),
    ),
    invalid=(
        Sample("python", {  # who asks for the path of the check, and does not answer it
            "a.py": """
                def quiet(record):
                    if record.path == '/health':
                        return False
                    return True
            """,
        }),
        Sample("java", {
            "A.java": """
                class Release {
                  @JsonProperty("version")
                  private String version;
                  @JsonProperty("version")
                  public String getVersion() { return version; }
                }
            """,
        }),
        Sample("python", {
            "a.py": """
                def seen(request):
                    if request.path == WEALTH_PATH:
                        return None
            """,
        }),
        Sample("python", {
            "a.py": """
                # @app.get('/health')
                @app.get('/wealth')
                def wealth():
                    return {}
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "k.yaml": """
                apiVersion: apps/v1
                kind: Deployment
                metadata: {name: a}
                spec: {}
            """,
        }),
        Sample("typescript", {
            "a.ts": """
                // app.get('/health', ...)
                export function routes(app) { app.get('/wealth', show); }
            """,
        }),
        Sample("go", {
            "a.go": """
                package a
                // mux.HandleFunc("/healthz", ok)
                func Routes(mux *http.ServeMux) { mux.HandleFunc("/orders", list) }
            """,
        }),
        Sample("java", {
            "pom.xml": """
                <project><artifactId>shop</artifactId><!-- <dependency><artifactId>spring-boot-starter-actuator</artifactId></dependency> --></project>
            """,
            "A.java": """
                class A { String health() { return "ok"; } }
            """,
        }),
    ),
    check=check,
)  # fmt: skip
