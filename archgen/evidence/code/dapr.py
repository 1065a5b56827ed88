"""What calls on Dapr's client do, in the SDK of any language: peers, stores and brokers are behind it."""

from __future__ import annotations

import re

from archgen.evidence.code.model import Call, Effect, Module
from archgen.evidence.code.vocabulary import READ_NAME

_IMPORT = re.compile(r"(.*[/.@])?dapr(io)?([/.\-]|$)", re.IGNORECASE)
_INVOKES = re.compile(r"^(Invoke(Method\w*|Service\w*)|invoke(_method\w*|Method\w*|_service)?)$")
_BINDS = re.compile(r"^(InvokeOutputBinding|InvokeBinding|invoke_?[bB]inding)$")
_SAVES = re.compile(
    r"^(SaveState\w*|SaveBulkState|save_(bulk_)?state\w*|save(Bulk)?State|ExecuteStateTransaction|execute_state_transaction)$"
)
_DELETES = re.compile(r"^(DeleteState\w*|DeleteBulkState|delete_state|deleteState)$")
_READS = re.compile(
    r"^(GetState\w*|GetBulkState|get_(bulk_)?state|get(Bulk)?State|QueryState\w*|query_state)$"
)
_PUBLISHES = re.compile(r"^(PublishEvent\w*|publish_event|publishEvent)$")
_ASKS = re.compile(r"^[\"'`]?(get|head)[\"'`]?$|HttpMethod\.GET|HttpExtension\.GET", re.IGNORECASE)


def effect_of(call: Call, module: Module) -> Effect | None:
    """What a call on such a client does, None when it is none."""
    if not call.receiver or not module.uses(_IMPORT):
        return None
    name, holder = call.name, call.receiver
    if _INVOKES.match(name) and (name != "invoke" or holder == "invoker"):
        told = [arg.strip("\"'`") for arg in call.args]
        asks = any(map(_ASKS.match, call.args)) or any(READ_NAME.match(arg) for arg in told[2:3])
        return Effect("remote", call, write=not asks, target="dapr")
    if _BINDS.match(name) or (holder == "binding" and name == "send"):
        return Effect("remote", call, write=True, target="binding")
    if _SAVES.match(name) or (holder == "state" and name in ("save", "transaction")):
        return Effect("db.write", call, table="state", target="save")
    if _DELETES.match(name) or (holder == "state" and name == "delete"):
        return Effect("db.write", call, table="state", target="delete")
    if _READS.match(name) or (holder == "state" and name in ("get", "getBulk", "query")):
        return Effect("db.read", call, table="state")
    if _PUBLISHES.match(name) or (holder == "pubsub" and name == "publish"):
        return Effect("publish", call)
    return None
