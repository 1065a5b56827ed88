"""Remote procedure calls and events of frameworks whose clients look like plain objects: nameko,
oslo.messaging, Nest's microservices, Celery by name.

Python and TypeScript only; a client is known by the type that a field or a parameter has.
"""

from __future__ import annotations

import re

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Call, Effect, Function, Module

_BARE = re.compile(r"[<\[(|]")
_PROXY = re.compile(
    r"^(RpcProxy|ServiceRpc|ClusterRpcProxy|ServiceProxy|RPCClient|ClientProxy|ClientGrpcProxy)$"
)
_PATTERN_READS = re.compile(
    r"""(get|find|list|fetch|read|query|is|has|check|verify|validate|auth\w*|search|count)""", re.I
)
_OSLO_IMPORT = re.compile(r"^oslo[._]messaging|^oslo_messaging")
# What a function makes for the SDK of a peer: `nova = clients.create_nova_client(context)`.
_SDK = re.compile(r"(create|get|make|build|new)_(\w+_)?client$")
_ACTS = re.compile(
    r"(get|list|find|show|describe|head)\b|(create|delete|update|set|add|remove|attach|detach|put|post|start|stop)(_\w+)?$"
)
_RPC_HOLDER = re.compile(r"(Rpc|Grpc)Client(Service)?$")
_NATS = re.compile(r"^nc\b|nats|Nats", re.IGNORECASE)
_OSLO_CLIENT = re.compile(r"(^|_)(client|cctxt|rpc_?client|rpcapi)$", re.IGNORECASE)
_METHOD_NAME = re.compile(r"[\"'][a-z_]\w+[\"']")
_OSLO_LISTENS = re.compile(r"^get_(rpc_server|notification_listener|batch_notification_listener)$")


def effect_of(call: Call, module: Module, function: Function) -> Effect | None:
    """What a call on such a client does, None when it is none."""
    if module.language not in ("python", "typescript"):
        return None
    kind = function.params.get(call.receiver) or module.types.get(call.receiver, "")
    kind = _BARE.split(kind, maxsplit=1)[0].strip().rpartition(".")[2] if kind else ""
    if kind == "" and call.callee.count(".") > 1:
        # `this.roles.svc.add(…)`: the client is one step before
        before = call.callee.rpartition(".")[0].rpartition(".")[0].rpartition(".")[2]
        holder = function.params.get(before) or module.types.get(before, "")
        if _RPC_HOLDER.search(re.split(r"[<\[(|]", holder)[0]):
            return Effect("remote", call, write=not words.READ_NAME.match(call.name), target="rpc")
    root = call.callee.partition(".")[0]
    if module.language == "python" and call.callee.count(".") > 1 and root != "self":
        made = module.types.get(root, "").rpartition(".")[2]
        if _SDK.match(made) and (acts := _ACTS.match(call.name)):
            return Effect("remote", call, write=acts[1] is None, target="sdk")
    if _PROXY.match(kind):
        return _on_proxy(call, kind)
    if (
        call.receiver in ("self", "")
        and module.types.get(call.name, "").rpartition(".")[2] == "EventDispatcher"
    ):
        return Effect("publish", call)
    if call.name == "send_task" and call.receiver and call.args:
        return Effect("publish", call)
    if (
        call.name == "request"
        and _NATS.search(call.receiver + kind)
        and any(i.module == "nats" for i in module.imports)
    ):
        return Effect("remote", call, write=True, target="rpc")
    named = len(call.args) > 1 and _METHOD_NAME.fullmatch(call.args[1]) is not None
    if module.uses(_OSLO_IMPORT) or (module.language == "python" and named):
        if call.name in ("call", "cast") and _OSLO_CLIENT.search(call.receiver):
            said = call.args[1].strip("\"'") if len(call.args) > 1 else ""
            if call.name == "cast":
                return Effect("publish", call, target="rpc")
            return Effect("remote", call, write=not words.READ_NAME.match(said), target="rpc")
        if module.uses(_OSLO_IMPORT) and _OSLO_LISTENS.match(call.name):
            return Effect("consume", call)
    return None


def _on_proxy(call: Call, kind: str) -> Effect | None:
    if kind == "ClientProxy":
        if call.name == "emit":
            return Effect("publish", call)
        if call.name == "send":
            pattern = call.args[0] if call.args else ""
            return Effect("remote", call, write=not _PATTERN_READS.search(pattern), target="rpc")
        return None
    if call.name in ("__init__", "setup", "bind", "start", "stop"):
        return None
    return Effect("remote", call, write=not words.READ_NAME.match(call.name), target="rpc")
