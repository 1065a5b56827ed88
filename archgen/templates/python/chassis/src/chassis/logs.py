"""Logs as one JSON object per line, joined to traces, without secrets.

    log = logging.getLogger(__name__)
    log.info("order accepted", extra={"order_id": order_id})

What is in `extra` becomes fields of the line. The standard library does all the rest, so the logs
of libraries come out the same way.
"""

from __future__ import annotations

import json
import logging
import os
import re
import sys
from datetime import UTC, datetime
from typing import Any

from chassis import tracing

HIDDEN = "***"
# Matched against whole words of a name, so that `card_number` is hidden and `discarded` is not.
_SECRET_WORD = re.compile(
    r"(?:^|_)(authorization|cookie|password|passwd|pwd|secrets?|credentials?|token|api_?key|private_?key"
    r"|card|cvc|cvv|iban)(?:_|$)"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# In running text: the password of a URL, and what follows "Bearer".
_SECRET_TEXT = re.compile(r"(?<=://)[^\s/@]*:[^\s/@]+(?=@)|(?<=bearer )[\w.~+/=-]+", re.IGNORECASE)

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_PROBES = ("/health/", "/metrics")


def setup(service: str, level: str = "INFO", *, human: bool | None = None) -> None:
    """Send every logger of this process to standard output.

    `human` asks for lines to be read by people; by default, when the output is a terminal.
    """
    handler = logging.StreamHandler(sys.stdout)
    human = sys.stdout.isatty() if human is None else human
    handler.setFormatter(HumanFormatter() if human else JsonFormatter(service))
    logging.basicConfig(level=level, handlers=[handler], force=True)
    logging.captureWarnings(True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    access = logging.getLogger("uvicorn.access")
    access.filters = [_without_probes]
    # Each of them says once per request what metrics and traces say better.
    for name in ("httpx", "httpcore"):
        logging.getLogger(name).setLevel("WARNING")
    # What gRPC's C code says goes to stderr in a form of its own; read when it is loaded.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")


def redacted(value: Any, name: str = "", depth: int = 8) -> Any:
    """`value` with everything hidden whose name says that it is a secret, inside dicts and lists too."""
    if name and _SECRET_WORD.search(_CAMEL.sub("_", name).replace("-", "_").lower()):
        return HIDDEN
    if isinstance(value, str):
        return _SECRET_TEXT.sub(HIDDEN, value)
    if depth == 0:
        return "..."
    if isinstance(value, dict):
        return {str(key): redacted(inner, str(key), depth - 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [redacted(inner, "", depth - 1) for inner in value]
    return value


class JsonFormatter(logging.Formatter):
    """A record as a JSON object: when, how bad, who, what, in which trace, and its own fields."""

    def __init__(self, service: str) -> None:
        super().__init__()
        self.service = service

    def format(self, record: logging.LogRecord) -> str:
        trace_id, span_id = tracing.ids()
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "service": self.service,
            "logger": record.name,
            "message": redacted(record.getMessage()),
            "trace_id": trace_id,
            "span_id": span_id,
            "correlation_id": tracing.correlation_id.get(),
            **fields(record),
        }
        if record.exc_info and record.exc_info[0]:
            kind, error, _ = record.exc_info
            line["exception"] = {
                "type": kind.__qualname__,
                "message": redacted(str(error)),
                "stack": redacted(self.formatException(record.exc_info)),
            }
        return json.dumps({key: value for key, value in line.items() if value != ""}, default=str)


class HumanFormatter(logging.Formatter):
    """A record as a line for a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        clock = datetime.fromtimestamp(record.created).strftime("%H:%M:%S.%f")[:-3]
        pairs = "".join(f" {key}={value}" for key, value in fields(record).items())
        text = f"{clock} {record.levelname:7} {record.name}: {redacted(record.getMessage())}{pairs}"
        if record.exc_info:
            text += "\n" + redacted(self.formatException(record.exc_info))
        return text


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """What the caller put into `extra`, without secrets."""
    return {key: redacted(value, key) for key, value in vars(record).items() if key not in _STANDARD}


def _without_probes(record: logging.LogRecord) -> bool:
    """Drop the access lines of probes, and query strings, which may carry what is nobody's business."""
    match record.args:
        case (client, method, str(target), version, status):
            path = target.partition("?")[0]
            record.args = (client, method, path, version, status)
            return not path.startswith(_PROBES)
    return True
