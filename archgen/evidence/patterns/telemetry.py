"""Metrics, traces, correlation, structured logs, health endpoints."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.effects import origin_of
from archgen.evidence.code.model import Class, Function, Program
from archgen.evidence.code.vocabulary import Names
from archgen.evidence.facts import Fact, Facts, Strength
from archgen.evidence.patterns.common import (
    Sought,
    called,
    calls,
    does_nothing,
    fact,
    marks,
    mentioned,
    outermost,
)

_INSTRUMENT = Names(
    r"^(prometheus_client\.(Counter|Gauge|Histogram|Summary|Info|Enum)|prom-client\.(Counter|Gauge|Histogram|Summary)|"
    r"github\.com/prometheus/client_golang/prometheus(/promauto)?\.(New\w+(Vec|Func)?)|"
    r".*[mM]eter(Registry|Provider)?\.(counter|gauge|timer|summary|create_\w+|create(Counter|Histogram|Gauge|UpDownCounter|ObservableGauge)|Int64Counter|Float64Histogram)|"
    r".*[mM]etric(s)?Registry\.(counter|meter|timer|histogram|gauge|register)|"
    r"go\.opentelemetry\.io/otel/metric\.\w+|statsd\.\w+|datadog\.\w+)$"
)
# Numbers that are sent to who keeps them, and so need no endpoint.
_PUSHED = Names(
    r"^((.*\.)?statsd(_client|Client)?\.(incr|increment|decr|timing|timer|gauge|histogram|distribution|set)|"
    r"(aws_lambda_powertools|@aws-lambda-powertools)[\w./-]*\.?[mM]etrics\.(add_metric|addMetric)|(.*\.)?(put_metric_data|putMetricData)|"
    r"datadog\.statsd\.\w+|hot-shots\.\w+|.*/statsd\.(New\w*|Dial\w*))$"
)
_EXPOSED = Names(
    r"^(prometheus_client\.(start_http_server|make_asgi_app|make_wsgi_app|generate_latest)|generate_latest|promhttp\.Handler\w*|"
    r"github\.com/prometheus/client_golang/prometheus/promhttp\.\w+|.*\.collectDefaultMetrics|prom-client\.collectDefaultMetrics|.*registry\.metrics|"
    r".*\.setGlobalMeterProvider|opentelemetry\.metrics\.set_meter_provider|.*set_meter_provider|.*Instrumentator|StackdriverMeterRegistry\.\w+|"
    r".*(Stackdriver|Prometheus|Otlp|Datadog|CloudWatch|Influx)MeterRegistry(\.builder)?|.*CacheMetrics\.monitor|.*Gatherer\w*|.*PrometheusExporter|.*OTLPMetricExporter|"
    r".*\w*(MetricsServlet|AdminServlet|JmxReporter(\.forRegistry)?|GraphiteReporter(\.forRegistry)?))$"
)
_TRACE_START = Names(
    r"(set_tracer_provider|setGlobalTracerProvider|SetTracerProvider|NodeSDK|NodeTracerProvider|TracerProvider|BatchSpanProcessor|instrument_app|"
    r"FastAPIInstrumentor|FlaskInstrumentor|registerInstrumentations|SetGlobalTracer|opentracing\.\w+FromContext|NewJaegerTracer|jaegercfg|otelhttp\.NewHandler|otelgrpc\.\w+|initTracer|ddtrace\.\w+|osprofiler\.(initializer|web|profiler)\.\w+|sentry_sdk\.init|Sentry\.init|aws_lambda_powertools\.(\w+\.)?Tracer|@aws-lambda-powertools/tracer\.Tracer|aws_xray_sdk\.\w+|AWSXRay\.\w+|Tracing\.newBuilder)"
)
_SPAN = Names(
    r"(start_as_current_span|start_span|startActiveSpan|startSpan|tracer\.Start|nextSpan|spanBuilder|@WithSpan|@Observed|@NewSpan)"
)
_PROPAGATE = Sought(
    r"\btraceparent\b|propagate\.(inject|extract)|propagation\.(inject|extract)|TextMapPropagator|W3CTraceContext|\bb3\b",
    ("traceparent", "propagat", "TextMapPropagator", "W3CTraceContext", "b3"),
    0,
)
_CARRIES = Sought(r"[pP]ropagat(or|ion)\w*(\(\))?\.(inject|extract|Inject|Extract)\(", ("ropagat",), 0)
_SET_UP = re.compile(r"TextMapPropagator$|W3C")
_CORRELATE = Names(r"correlation[-_]?id|request[-_]?id|x-request-id|RequestID\b|trace_id", re.IGNORECASE)
_JSON_LOG = Names(
    r"(aws_lambda_powertools\.(\w+\.)?Logger|LoggerModule\.forRoot|JSONFormatter|JsonFormatter|JSONRenderer|structlog\.configure|pino|winston\.createLogger|zap\.New\w+|slog\.NewJSONHandler|logrus\.SetFormatter|LogstashEncoder|JsonEncoder)"
)
_HEALTH = re.compile(
    r"""["'`](/[\w/-]*)?/?(healthz?|livez|readyz?|live|ready|liveness|readiness|_health|status/health|ping|version|health/\w+)/?["'`]"""
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
# Frameworks that route by file: Next, Nuxt, SvelteKit, Remix.
_HEALTH_FILE = re.compile(
    r"(?:^|/)(?:(?:app|routes)/(?=.*/(?:route|\+server)\.)|routes/|pages/(?=api/)|server/(?=api/))((?:[^/]+/)*?"
    r"(?:_?health[-_]?(?:z|checks?)?|livez|readyz|ready|readiness|liveness))(?:/route|/index|/\+server|\.get)?\.[cm]?[jt]sx?$"
)
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
        elif _EXPOSED.match(origin):
            # a route in a function that nobody calls is mounted nowhere
            outer = outermost(module, function)
            if outer is function or called(program, outer) or mentioned(program, outer.name, outer):
                yield fact("metrics.exposed", module, call.line, what=call.callee[:60])
        if _TRACE_START.search(call.callee) or _TRACE_START.search(origin):
            yield fact("trace.provider", module, call.line, what=call.callee[:60])
        elif _SPAN.search(call.callee):
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
            if re.fullmatch(r"traceparent|x-b3-traceid|b3", text.value, re.I):
                yield fact(
                    "trace.carried",
                    module,
                    text.line,
                    what=text.value,
                    by="traceparent",
                    function=text.function.title if text.function else "",
                )
            elif re.fullmatch(r"x-(request|correlation)-id|correlation[_-]?id", text.value, re.I):
                yield fact("trace.carried", module, text.line, what=text.value, by="correlation")
            elif re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", text.value) and text.value.endswith(
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
            r"(get|Get|GET|route|add_api_route|HandleFunc|Handle|add_get|mount|add_url_rule|use)$",
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
        if asked := _HEALTH_ASKED.search(function.body):
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


def lost_traces(program: Program) -> Iterator[Fact]:
    """`trace.lost`: a call that is traced as one of a client and takes no context along; and what would
    continue the context of a request or message, and is used by nobody.
    """
    for module, function in program.functions():
        if not function.name:
            continue
        span = _CLIENT_SPAN.search(function.body)
        if span is None:
            continue
        near = [f for f in module.functions if f.owner == function.owner and f.name]
        # a method may open the span around what its class was handed to call
        callers = near if function.owner else [function]
        calls_peer = any(e.kind == "remote" for f in callers for e in f.reach)
        if calls_peer and not any(_INJECTS.search(f.body) for f in near):
            line = function.line + function.body[: span.start()].count("\n")
            why = "opens a span for a call, and the call takes no context along"
            yield fact("trace.lost", module, line, function=function.title, why=why)
    for module, function in program.functions():
        if not _CONTINUES.search(function.body) or not function.name or called(program, function):
            continue
        owner = next((c for c in module.classes if c.name == function.owner), None)
        named: Function | Class = owner or outermost(module, function)
        if named is owner and not re.fullmatch(r"__call__|dispatch|__enter__|process_request", function.name):
            continue
        if not named.marks and not mentioned(program, named.name, named):
            why = "would continue the trace of what comes in, and is used by nobody"
            yield fact("trace.lost", module, named.line, function=named.name, why=why)


_CLIENT_SPAN = re.compile(r"SpanKind\.(CLIENT|PRODUCER)\b")
_INJECTS = re.compile(r"\binject\w*\(|traceparent", re.IGNORECASE)
_CONTINUES = Sought(
    r"\bextract\((?!\s*\w+\s+from\b)|SpanKind\.(CONSUMER|SERVER)\b|\bcontinued\(",
    ("extract(", "SpanKind.", "continued("),
    0,
)


_TELLS = re.compile(r"metric|trac(e|ing)|span|telemetry|stats|observ|meter", re.IGNORECASE)
_COUNTS = re.compile(r"_?(inc(rement|r)?|observe|count|gauge|record\w*|start_?span)$", re.IGNORECASE)


_STANDS_IN = re.compile(r"no_?op|null|dummy|disabled|fallback|default", re.IGNORECASE)


def _real(program: Program, stand_in: str, methods: set[str]) -> bool:
    """Whether another class has all methods of a stand-in, and does something in them."""
    found: dict[str, set[str]] = {}
    for _, function in program.functions():
        if function.name in methods and function.owner != stand_in and not does_nothing(function):
            found.setdefault(function.owner, set()).add(function.name)
    return any(methods <= names for owner, names in found.items() if owner)


def silent_metrics(program: Program) -> Iterator[Fact]:
    """`telemetry.noop`: a class that looks like metrics or tracing and does nothing, where it is put
    to use.
    """
    for module, one in program.classes():
        own = [
            f
            for f in module.functions
            if f.owner == one.name and f.name not in ("__init__", "constructor", one.name)
        ]
        if not own or not all(does_nothing(f) for f in own):
            continue
        if not _TELLS.search(f"{module.path} {one.name}") and not any(_COUNTS.match(f.name) for f in own):
            continue
        if _STANDS_IN.match(one.name) and _real(program, one.name, {f.name for f in own}):
            continue  # it says so, and there is one that does what it does not
        for user, function, call in calls(program):
            if call.callee.rpartition(".")[2] != one.name or function.owner == one.name:
                continue
            if user is module and not function.name and module.language == "go":
                continue  # that it fits its interface is asserted, or it is kept at hand
            # beside the real thing, in a branch or after one, it stands in where metrics are not wanted
            before = function.body.split("\n")[: call.line - function.line]
            returns = function.name and any(re.match(r"\s+return\b.*\(", line) for line in before)
            named = "".join(function.body.split("\n")[call.line - function.line :][:1]).rpartition("=")[0]
            if _STANDS_IN.search(f"{function.title} {named}"):
                continue  # kept at hand under its true name
            if any(call.within("branch")) and len(re.findall(r"\breturn\b", function.body)) > 1:
                continue  # for what nothing is to be told of
            if user.path != module.path or not (returns or any(call.within("branch", "catch"))):
                yield fact(
                    "telemetry.noop",
                    user,
                    call.line,
                    name=one.name,
                    at=f"{module.path}:{own[0].line}",
                    function=function.title,
                )
