"""Observability: metrics that can be fetched, traces that arrive, alerts on what is emitted, no secrets."""

from __future__ import annotations

from functools import partial

from tests.mutants.config import add_key, drop_key, set_value
from tests.mutants.edits import (
    add,
    append,
    before,
    body,
    chain,
    drop,
    imports,
    regex,
    remove,
    rewrite,
    text,
    unwrap,
)
from tests.mutants.model import Mutation
from tests.mutants.table.places import ALERTS, CHASSIS, COMPOSE, KUBERNETES, NOTIFICATIONS, ORDERS, PAYMENTS

_seen = partial(Mutation, item="observability")

MUTATIONS = (
    _seen(
        "metrics are counted and never shown",
        rules=("OBS-001",),
        at="*",
        edit=rewrite(f"{CHASSIS}metrics.py", "generate_latest(registry)", 'b""'),
    ),
    _seen(
        "the route of the metrics is not mounted",
        rules=("OBS-001",),
        at="*",
        edit=drop(f"{CHASSIS}edge.py", "app.include_router(metrics.router())"),
    ),
    _seen(
        "messages carry no trace",
        rules=("OBS-002",),
        at=f"{CHASSIS}*",
        edit=chain(
            regex(f"{CHASSIS}messages.py", r'^    "trace": "traceparent",\n', ""),
            regex(f"{CHASSIS}messages.py", r'^    "(correlation_id|causation_id)": .*\n', ""),
        ),
    ),
    _seen(
        "calls carry no trace",
        rules=("OBS-002",),
        at=f"{CHASSIS}http_client.py",
        edit=chain(
            rewrite(f"{CHASSIS}http_client.py", "tracing.inject()", "{}"),
            drop(f"{CHASSIS}http_client.py", "if correlation := tracing.correlation_id.get(): $$$B"),
        ),
    ),
    _seen(
        "what a message carries is not continued",
        rules=("OBS-002",),
        at=f"{CHASSIS}*",
        edit=chain(
            unwrap(f"{CHASSIS}inbox.py", "with messaging.handling(self.consumer, message): $$$B"),
            regex(f"{CHASSIS}uow.py", r"^            (trace|correlation_id)=(tracing|message).*\n", ""),
        ),
    ),
    _seen(
        "requests begin a trace of their own",
        rules=("OBS-002",),
        at=f"{CHASSIS}*",
        edit=drop(f"{CHASSIS}edge.py", "app.add_middleware(tracing.Traces)"),
    ),
    _seen(
        "an alert on a metric that was renamed",
        rules=("OBS-003",),
        at=ALERTS,
        edit=text(f"{CHASSIS}metrics.py", '"consumer_lag"', '"consumer_backlog"'),
    ),
    _seen(
        "an alert on a metric that nobody counts",
        rules=("OBS-003",),
        at=ALERTS,
        edit=regex(ALERTS, r"\bconsumer_lag\b", "consumer_backlog_messages"),
    ),
    _seen(
        "an alert on a metric that is gone",
        rules=("OBS-003",),
        at=ALERTS,
        edit=chain(
            regex(f"{CHASSIS}metrics.py", r"^outbox_oldest = .*\n", ""),
            regex(f"{CHASSIS}runtime.py", r"^.*metrics\.outbox_oldest.*\n", ""),
        ),
    ),
    _seen(
        "no alerts",
        rules=("OBS-003",),
        at="*",
        edit=remove("observability/prometheus/alerts.yml"),
        also=("job_queues",),
    ),
    _seen(
        "the exporter is switched off for all",
        rules=("OBS-004",),
        at=COMPOSE,
        edit=add_key(COMPOSE, "services.orders.environment", 'OTEL_SDK_DISABLED: "true"'),
    ),
    _seen(
        "tracing never starts",
        rules=("OBS-004",),
        at=f"{CHASSIS}tracing.py",
        edit=body(
            f"{CHASSIS}tracing.py",
            "setup",
            """
            global _tracer
            _tracer = IdsOnly()
            return lambda: None
            """,
        ),
    ),
    _seen(
        "counters that count nothing",
        rules=("OBS-004", "OBS-001"),
        at=f"{CHASSIS}*",
        edit=chain(
            body(f"{CHASSIS}metrics.py", "_counter", "return NoCounter()"),
            regex(
                f"{CHASSIS}metrics.py",
                r"^def _counter",
                """class NoCounter:
    def labels(self, *values: str) -> "NoCounter":
        return self

    def inc(self, amount: float = 1) -> None:
        pass


def _counter""",
            ),
        ),
    ),
    _seen(
        "a card number in the log",
        rules=("OBS-005",),
        at=f"{PAYMENTS}cards.py",
        edit=add(
            f"{PAYMENTS}cards.py",
            """
            import logging

            log = logging.getLogger(__name__)


            def remember(customer_id: str, card_number: str) -> None:
                log.info("card %s of customer %s is kept", card_number, customer_id)
            """,
        ),
    ),
    _seen(
        "a password in the log, in an f-string",
        rules=("OBS-005",),
        at=f"{ORDERS}sign_in.py",
        edit=add(
            f"{ORDERS}sign_in.py",
            """
            import logging

            logger = logging.getLogger(__name__)


            def sign_in(name: str, password: str) -> bool:
                logger.warning(f"sign-in of {name} with {password} failed")
                return False
            """,
        ),
    ),
    _seen(
        "a key in a span",
        rules=("OBS-005",),
        at=f"{CHASSIS}agents/model.py",
        edit=chain(
            regex(
                f"{CHASSIS}agents/model.py",
                r"^(        self\._budget = Budget\(\)\n)",
                r"\1        self._key = settings.key\n",
            ),
            rewrite(
                f"{CHASSIS}agents/model.py",
                'span.set_attribute("gen_ai.usage.output_tokens", $X)',
                'span.set_attribute("gen_ai.api_key", self._key)',
            ),
        ),
    ),
    _seen(
        "the header of authorisation in the log",
        rules=("OBS-005",),
        at=f"{CHASSIS}http_client.py",
        edit=chain(
            imports(f"{CHASSIS}http_client.py", "import logging"),
            before(
                f"{CHASSIS}http_client.py",
                "return self._read(await self._http.send(request))",
                'logging.getLogger(__name__).info("called with %s", request.headers["authorization"])',
            ),
        ),
    ),
    _seen(
        "a token printed while debugging",
        rules=("OBS-005",),
        at=f"{NOTIFICATIONS}gateways.py",
        edit=append(
            f"{NOTIFICATIONS}gateways.py",
            """


            def authenticated(env: Mapping[str, str]) -> dict[str, str]:
                access_token = env["GATEWAY_TOKEN"]
                print("using", access_token)
                return {"Authorization": f"Bearer {access_token}"}
            """,
        ),
    ),
    _seen(
        "a service without probes",
        rules=("OBS-006",),
        at=f"{KUBERNETES}orders.yaml",
        edit=chain(
            *(
                drop_key(f"{KUBERNETES}orders.yaml", f"spec.template.spec.containers.*.{probe}")
                for probe in ("startupProbe", "livenessProbe", "readinessProbe")
            )
        ),
    ),
    _seen(
        "a service that is never asked whether it is ready",
        rules=("OBS-006",),
        at=f"{KUBERNETES}payments.yaml",
        edit=drop_key(f"{KUBERNETES}payments.yaml", "spec.template.spec.containers.*.readinessProbe"),
    ),
    _seen(
        "liveness asks what readiness asks",
        rules=("OBS-006",),
        at=f"{KUBERNETES}*",
        edit=set_value(
            f"{KUBERNETES}shipping.yaml",
            "spec.template.spec.containers.*.livenessProbe.httpGet.path",
            "/health/ready",
        ),
    ),
)
