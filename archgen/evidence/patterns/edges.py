"""The edge of a service: routes that it answers, and the stores whose drivers it uses."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, fact, marks

_ROUTE_MARK = re.compile(
    r"@(?:\w+\.)*((Get|Post|Put|Patch|Delete|Request)Mapping|Get|Post|Put|Patch|Delete|Path|GET|POST|PUT|PATCH|DELETE|"
    r"route|get|post|put|patch|delete|websocket|api_view|action)\b"
)
_ROUTE_CALL = re.compile(
    r"^(HandleFunc|Handle|GET|POST|PUT|PATCH|DELETE|Get|Post|Put|Patch|Delete|Any|Match|Group|get|post|put|patch|delete|route|"
    r"add_api_route|add_url_rule|register\w*Server|Register\w*Server|addService|add_\w+Servicer_to_server)$"
)


def edges(program: Program) -> Iterator[Fact]:
    """`route`: a request is answered; `store.driver`: a store is talked to. One of each per file."""
    routed: set[str] = set()
    for module, _, mark, line in marks(program):
        if _ROUTE_MARK.search(mark) and module.path not in routed:
            routed.add(module.path)
            yield fact("route", module, line, what=mark[:60])
    for module, _, call in calls(program):
        if module.path in routed or not _ROUTE_CALL.match(call.name) or not call.receiver:
            continue
        if (call.args and call.args[0].strip("\"'`").startswith("/")) or "Server" in call.name:
            routed.add(module.path)
            yield fact("route", module, call.line, what=call.shown(60))
    for module in program.modules.values():
        if module.production and module.live:
            driver = next((i for i in module.imports if words.STORE_IMPORT.match(i.module)), None)
            if driver is not None:
                yield fact("store.driver", module, driver.line, name=driver.module)
