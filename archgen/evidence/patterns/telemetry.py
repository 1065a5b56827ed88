"""Metrics, traces, correlation, structured logs, health endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.effects import origin_of
from archgen.evidence.code.model import Program
from archgen.evidence.code.vocabulary import Names
from archgen.evidence.facts import Fact, Facts, Strength
from archgen.evidence.patterns.common import (
    Sought,
    called,
    calls,
    fact,
    imports,
    marks,
    mentioned,
    outermost,
)

_INSTRUMENT = Names(
    r"^(prometheus_client\.(Counter|Gauge|Histogram|Summary|Info|Enum)|prom-client\.(Counter|Gauge|Histogram|Summary)|"
    r"github\.com/prometheus/client_golang/prometheus(/promauto)?\.((With\(.*\)\.)?New\w+(Vec|Func)?)|"
    r".*[mM]eter(Registry|Provider)?\.(counter|gauge|timer|summary|create_\w+|create(Counter|Histogram|Gauge|UpDownCounter|ObservableGauge)|Int64Counter|Float64Histogram)|"
    r".*[mM]etric(s)?Registry\.(counter|meter|timer|histogram|gauge|register)|"
    r"github\.com/go-kit/kit/metrics/prometheus\.New\w+From|expvar\.(New\w+|Publish)|go\.opentelemetry\.io/otel/metric\.\w+|statsd\.\w+|datadog\.\w+)$"
)
# Numbers that are sent to who keeps them, and so need no endpoint.
_PUSHED = Names(
    r"^((.*\.)?statsd(_client|Client)?\.(incr|increment|decr|timing|timer|gauge|histogram|distribution|set)|"
    r"(aws_lambda_powertools|@aws-lambda-powertools)[\w./-]*\.?[mM]etrics\.(add_metric|addMetric)|(.*\.)?(put_metric_data|putMetricData)|"
    r"(.*\.)?(StatsClient|TCPStatsClient|DogStatsd)|datadog\.statsd\.\w+|hot-shots\.\w+|.*/statsd\.(New\w*|Dial\w*))$"
)
_EXPOSED = Names(
    r"^(prometheus_client\.(start_http_server|make_asgi_app|make_wsgi_app|generate_latest|push_to_gateway|pushadd_to_gateway)|"
    r".*metrics\.(CreateRegistryAndServeHTTP|NewPrometheusMetricsBuilder)|(gds_metrics\.)?GDSMetrics|"
    r"(prometheus_client\.)?multiprocess\.MultiProcessCollector|.*/prometheus/push\.New|generate_latest|promhttp\.Handler\w*|"
    r"github\.com/prometheus/client_golang/prometheus/promhttp\.\w+|.*\.collectDefaultMetrics|prom-client\.collectDefaultMetrics|.*registry\.metrics|"
    r".*\.setGlobalMeterProvider|opentelemetry\.metrics\.set_meter_provider|.*set_meter_provider|.*Instrumentator|StackdriverMeterRegistry\.\w+|"
    r".*(Stackdriver|Prometheus|Otlp|Datadog|CloudWatch|Influx)MeterRegistry(\.builder)?|.*CacheMetrics\.monitor|.*Gatherer\w*|.*PrometheusExporter|.*OTLPMetricExporter|"
    r".*\.([aA]dd|[rR]egister|[mM]ount|[uU]se|[sS]erve)Metrics(Endpoint|Handler|Routes?|Middleware)|"
    r".*\w*(MetricsServlet|AdminServlet|JmxReporter(\.forRegistry)?|GraphiteReporter(\.forRegistry)?)|.*\bio\.vertx\.ext\.dropwizard\.MetricsService\.create|MetricsService\.create|"
    r"(.*\.)?(DropwizardMetricsOptions|MicrometerMetricsOptions)|github\.com/moov-io/base/admin\.New(Server)?|"
    r"expvar\.Handler|github\.com/labstack/echo-contrib/(echo)?prometheus\.New\w+)$"
)
_TRACE_START = Names(
    r"(set_tracer_provider|setGlobalTracerProvider|SetTracerProvider|NodeSDK|NodeTracerProvider|TracerProvider|BatchSpanProcessor|instrument_app|"
    r"FastAPIInstrumentor|FlaskInstrumentor|registerInstrumentations|SetGlobalTracer|InitGlobalTracer|opentracing\.\w+FromContext|NewJaegerTracer|jaegercfg|otelhttp\.NewHandler|otelgrpc\.\w+|initTracer|ddtrace\.\w+|ddtrace/tracer\.Start|osprofiler\.(initializer|web|profiler)\.\w+|sentry_sdk\.init|Sentry\.init|aws_lambda_powertools\.(\w+\.)?Tracer|@aws-lambda-powertools/tracer\.Tracer|aws_xray_sdk\.\w+|AWSXRay\.\w+|Tracing\.newBuilder|"
    r"AutoConfiguredOpenTelemetrySdk|(SetupTelemetry|InitTelemetry|initTelemetry|InitTrac(er|ing)\w*)$)"
)
_SPAN = Names(
    r"(start_as_current_span|start_span|startActiveSpan|startSpan|StartSpan|tracer\.Start|nextSpan|spanBuilder|@WithSpan|@Observed|@NewSpan)"
)
_PROPAGATE = Sought(
    r"\btraceparent\b|propagate\.(inject|extract)|propagation\.(inject|extract)|TextMapPropagator|W3CTraceContext|[\"'\[]b3[\"'\]]|\b[xX]-[bB]3-",
    ("traceparent", "propagat", "TextMapPropagator", "W3CTraceContext", "b3", "B3"),
    0,
)
_CARRIES = Sought(r"[pP]ropagat(or|ion)\w*(\(\))?\.(inject|extract|Inject|Extract)\(", ("ropagat",), 0)
_SET_UP = re.compile(r"TextMapPropagator$|W3C")
_CORRELATE = Names(r"correlation[-_]?id|request[-_]?id|x-request-id|RequestID\b|trace_id", re.IGNORECASE)
_JSON_LOG = Names(
    r"(aws_lambda_powertools\.(\w+\.)?Logger|LoggerModule\.forRoot|JSONFormatter|JsonFormatter|JSONRenderer|structlog\.configure|pino|winston\.createLogger|zap\.New\w+|slog\.NewJSONHandler|logrus\.SetFormatter|LogstashEncoder|JsonEncoder)"
)
_HEALTH = re.compile(
    r"""[rRuU]?["'`](?:GET\s)?\^?(/[\w/-]*)?/?(health[-_]?(?:z|checks?)?|livez|readyz?|live|ready|liveness|readiness|_health|status/health|ping|version|health/\w+)/?\$?["'`]"""
)
# A mark that says by which path something is reached, and not what a field is called.
_ROUTES = re.compile(
    r"get|route|path|mapping|health|endpoint|http|api|controller|request|ready|live", re.IGNORECASE
)
# Middleware that answers by itself: `if request.path == HEALTHCHECK_PATH`.
_HEALTH_ASKED = Sought(
    r"\b(?:path(?:name|_info)?|url|Path)\b\s*(?:===?|\.startswith\(|\.startsWith\(|in)\s*"
    r"(?:[\"']/?_?(?:health|ready|readiness|live|liveness)(?:z|[-_]?checks?)?/?[\"']|\w*HEALTH\w*|\w*[hH]ealth(?:z|[cC]heck)?(?:Path|Url|URL|Route)\w*)",
    ("health", "HEALTH", "Health", "ready", "readiness", "live"),
    0,
)
_ANSWERS = re.compile(
    r"\.(send|json|end|write|status|respond|next|call_next|get_response)\w*\(|Response\b|WriteHeader|"
    r"await send\(|statusCode|\b(handle|serve|render|answer)[A-Z]\w*\(|ServeHTTP"
)
# Frameworks that route by file: Next, Nuxt, SvelteKit, Remix.
_HEALTH_FILE = re.compile(
    r"(?:^|/)(?:(?:app|routes)/(?=.*/(?:route|\+server)\.)|routes/|pages/(?=api/)|server/(?=api/))((?:[^/]+/)*?"
    r"(?:_?health[-_]?(?:z|checks?)?|livez|readyz|ready|readiness|liveness))(?:/route|/index|/\+server|\.get)?\.[cm]?[jt]sx?$"
)
_TRACING = re.compile(r"opentelemetry|opentracing|micrometer|zipkin|brave|ddtrace|sleuth")
_CLIENTS = {"fetch", "request", "urlopen"}
_ROUTERS = {"RegisterAt", "Use", "use", "SetMetricsPath", "mount", "Mount"}
_TRACE_HEADER = re.compile(r"traceparent|x-b3-traceid|b3", re.IGNORECASE)
_REQUEST_HEADER = re.compile(r"x-(request|correlation)-id|correlation[_-]?id", re.IGNORECASE)
_METRIC_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)+")
_PRINTS = re.compile(r"[\w.]*[mM]etrics\w*")  # a handler that is named for them
_KEEPS = re.compile(r"prometheus|metrics", re.IGNORECASE)
_SETTINGS = {
    "metrics.exposed": re.compile(
        r"^management\.endpoints?\.web\.exposure\.include$|^management\.(metrics|prometheus)\.\w*export"
    ),
    "trace.provider": re.compile(
        r"^(spring\.(sleuth|zipkin)|management\.(zipkin|tracing|otlp\.tracing)|SPRING_(ZIPKIN|SLEUTH)_|OTEL_EXPORTER_OTLP)",
        re.I,
    ),
}


def telemetry(program: Program, facts: Facts) -> Iterator[Fact]:
    """`metric`, `metrics.exposed`, `trace.provider`, `trace.span`, `trace.carried`,
    `log.structured`, `health`.
    """
    makers: set[tuple[str, str]] = set()
    ours = {f.name for _, f in program.functions() if f.name}
    pushed = False
    for module, function, call in calls(program):
        origin = origin_of(call, module, function)
        if _INSTRUMENT.match(origin) and call.args and call.args[0] in function.params:
            makers.add((module.path, function.name))  # a helper that makes metrics: its callers name them
        elif _INSTRUMENT.match(origin) or _PUSHED.match(origin) or _PUSHED.match(call.callee):
            name = call.args[0].strip("\"'`") if call.args else call.keywords.get("name", "").strip("\"'`")
            yield fact("metric", module, call.line, name=name, what=call.callee[:60])
            if not pushed and (_PUSHED.match(origin) or _PUSHED.match(call.callee)):
                pushed = True
                yield fact("metrics.exposed", module, call.line, what=f"{call.callee[:50]} sends them")
        elif call.name == "include" and any("django_prometheus" in arg for arg in call.args):
            yield fact("metrics.exposed", module, call.line, what="the routes of django_prometheus")
        elif (
            call.name not in _CLIENTS
            and any(arg.strip("\"'`") == "/metrics" for arg in call.args[:2])
            and (
                (call.name in _ROUTERS and any(_KEEPS.search(i.module) for i in module.imports))
                or (call.name == "get" and any(_PRINTS.fullmatch(arg) for arg in call.args[1:]))
            )
        ):
            yield fact("metrics.exposed", module, call.line, what=call.callee[:60])
        elif _EXPOSED.match(origin):
            # a route in a function that nobody calls is mounted nowhere
            outer = outermost(module, function)
            if outer is function or called(program, outer) or mentioned(program, outer.name, outer):
                yield fact("metrics.exposed", module, call.line, what=call.callee[:60])
        if _TRACE_START.search(call.callee) or _TRACE_START.search(origin):
            yield fact("trace.provider", module, call.line, what=call.callee[:60])
        elif _SPAN.search(call.callee) and (call.name not in ours or imports(module, _TRACING)):
            yield fact("trace.span", module, call.line, what=call.callee[:60])
        if _JSON_LOG.search(call.callee):
            yield fact("log.structured", module, call.line, what=call.callee[:60])
        elif (_CORRELATE.search(call.callee) and call.name[:1].isupper()) or (
            call.name in ("Use", "use", "add_middleware") and any(_CORRELATE.search(arg) for arg in call.args)
        ):
            yield fact("trace.carried", module, call.line, what=call.callee[:60], by="request id")
    for module, _, call in calls(program):
        if (module.path, call.callee) in makers and call.args:
            yield fact("metric", module, call.line, name=call.args[0].strip("\"'`"), what=call.callee)
    for module in program.modules.values():
        if not (module.production and module.live):
            continue
        for text in module.texts:
            if _TRACE_HEADER.fullmatch(text.value):
                yield fact(
                    "trace.carried",
                    module,
                    text.line,
                    what=text.value,
                    by="traceparent",
                    function=text.function.title if text.function else "",
                )
            elif _REQUEST_HEADER.fullmatch(text.value):
                yield fact("trace.carried", module, text.line, what=text.value, by="correlation")
            elif _METRIC_NAME.fullmatch(text.value) and text.value.endswith(
                ("_total", "_seconds", "_count", "_bytes")
            ):
                yield fact("metric.named", module, text.line, name=text.value)
        for function in module.functions:
            match = _CARRIES.search(function.body) or _PROPAGATE.search(function.body)
            if match and function.name:
                yield fact(
                    "trace.carried",
                    module,
                    function.line + function.body.count("\n", 0, match.start()),
                    what=match[0],
                    by="propagation" if not _SET_UP.search(match[0]) else "propagator",
                    function=function.title,
                )
    for module, _, call in calls(program):
        if re.search(
            r"(get|Get|GET|route|add_api_route|HandleFunc|Handle|add_get|mount|add_url_rule|use|url|re_path|path)$",
            call.name,
        ) and (path := next((arg for arg in call.args[:2] if _HEALTH.match(arg)), "")):
            yield fact("health", module, call.line, path=path.strip("\"'`"))
    for module, item, mark, line in marks(program):
        found = _HEALTH.search(mark) if _ROUTES.search(mark) else None
        if found:
            yield fact("health", module, line, path=found[0].strip("\"'`"))
        elif re.search(r"@(WithSpan|Observed|NewSpan|Timed|Counted)\b", mark):
            yield fact(
                "metric" if "Timed" in mark or "Counted" in mark else "trace.span",
                module,
                line,
                name=item.name,
                what=mark[:60],
            )
    for module, one in program.classes():
        # a controller's own name for what it answers, whatever the path
        if re.search(r"@Controller\b", " ".join(one.marks)) and re.match(
            r"Health(z|Check)?Controller$", one.name
        ):
            yield fact("health", module, one.line, path=one.name)
    for module, function in program.functions():
        asked = _HEALTH_ASKED.search(function.body)
        if asked and _ANSWERS.search(function.body):
            line = function.line + function.body.count("\n", 0, asked.start())
            yield fact("health", module, line, path=asked[0][-60:])
    for path, module in program.modules.items():
        if module.production and module.live and (routed := _HEALTH_FILE.search(path)):
            yield fact("health", module, 1, path=routed[1])
    yield from _automatic(facts)
    for setting in facts.of("setting"):
        for kind, pattern in _SETTINGS.items():
            value = str(setting["value"])
            if pattern.search(str(setting["key"])) and value.lower() not in ("false", "none", ""):
                if kind == "metrics.exposed" and not re.search(r"prometheus|metrics|\*|true", value):
                    continue
                yield Fact(kind, setting.file, setting.line, setting.strength, {"what": setting["key"]})


# Modules of a build that a framework puts to work by themselves.
_AUTOMATIC = (
    ("health", re.compile(r"^(spring-boot-starter-actuator|micronaut-management|quarkus-smallrye-health)$")),
    (
        "trace.provider",
        re.compile(
            r"^(spring-cloud-(starter-)?(sleuth|zipkin)\w*|micronaut-tracing\w*|micrometer-tracing-bridge-\w+|"
            r"quarkus-opentelemetry|opentelemetry-spring-boot-starter|opentracing-spring-[\w-]+)$"
        ),
    ),
    (
        "metrics.exposed",
        re.compile(
            r"^(quarkus-micrometer-(registry-prometheus|opentelemetry)|quarkus-smallrye-metrics|simpleclient_spring_boot)$"
        ),
    ),
)


def _automatic(facts: Facts) -> Iterator[Fact]:
    """What a dependency of a service sets up without a line of code."""
    for build in facts.of("build.module"):
        for name in build["needs"]:
            for kind, pattern in _AUTOMATIC:
                if pattern.match(name):
                    data = {"what": name, "path": f"by {name}", "by": "framework"}
                    yield Fact(kind, build.file, build.line, Strength.CONFIGURED, data)
