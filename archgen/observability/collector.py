"""The OpenTelemetry collector: takes traces from every service and hands them on.

Source: https://opentelemetry.io/docs/collector/configuration/
"""

from __future__ import annotations

from archgen.contracts.yaml_text import Json

OTLP_HTTP = 4318
OTLP_GRPC = 4317
HEALTH = 13133


def collector(jaeger: str) -> Json:
    """Traces go to `jaeger` unless TRACES_ENDPOINT says otherwise.

    Batches, bounded in memory, without what may hold credentials; a failed export is tried again for a while.
    """
    return {
        "extensions": {"health_check": {"endpoint": f"0.0.0.0:{HEALTH}"}},
        "receivers": {
            "otlp": {
                "protocols": {
                    "http": {"endpoint": f"0.0.0.0:{OTLP_HTTP}"},
                    "grpc": {"endpoint": f"0.0.0.0:{OTLP_GRPC}"},
                }
            }
        },
        "processors": {
            "memory_limiter": {"check_interval": "1s", "limit_percentage": 80, "spike_limit_percentage": 20},
            "attributes/secrets": {
                "actions": [
                    {"key": name, "action": "delete"}
                    for name in (
                        "http.request.header.authorization",
                        "http.request.header.cookie",
                        "db.statement",
                        "url.query",
                    )
                ]
            },
            "batch": {"timeout": "1s", "send_batch_size": 512},
        },
        "exporters": {
            "otlphttp/traces": {
                "endpoint": f"${{env:TRACES_ENDPOINT:-http://{jaeger}:{OTLP_HTTP}}}",
                "sending_queue": {"queue_size": 2000},
                "retry_on_failure": {"max_elapsed_time": "300s"},
            }
        },
        "service": {
            "extensions": ["health_check"],
            "pipelines": {
                "traces": {
                    "receivers": ["otlp"],
                    "processors": ["memory_limiter", "attributes/secrets", "batch"],
                    "exporters": ["otlphttp/traces"],
                }
            },
            "telemetry": {"logs": {"level": "info", "encoding": "json"}},
        },
    }
