"""What each function does to the world, in order: calls looked up in the vocabulary."""

from __future__ import annotations

import re
from collections import defaultdict
from functools import lru_cache

from archgen.evidence.code import dapr, proxies
from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Call, Effect, Function, Module
from archgen.evidence.code.stores import bracket, database

_WRAPPED = re.compile(r"^(Optional\[|Promise<|\*|&|Annotated\[)")
_CHOICE = re.compile(r"[<\[|]")
_ARGUMENTS = re.compile(r"[<(]")
# What goes to where an answer is waited for settles, or asks for, a message; it is none.
_ANSWERS = re.compile(r"\b_?(reply|reply_to|replyTo|respond|inbox)$")
_SENT = re.compile(r"(Do|send|sendAsync|execute|exchange)$")
_BUILT = re.compile(
    r"http\.NewRequest(WithContext)?\([^\n]{0,60}(\"(POST|PUT|PATCH|DELETE)\"|http\.Method(Post|Put|Patch|Delete))|"
    r"\bnew Http(Post|Put|Patch|Delete)\(|\bRequestEntity\s*\.(post|put|patch|delete)\(|"
    r"\.(POST|PUT|DELETE)\(\s*(HttpRequest\.)?(BodyPublishers|\))"
)
_METHOD = re.compile(
    r"\b(?:HttpMethod\.|http\.Method|Method\.|['\"])?(GET|POST|PUT|PATCH|DELETE|Get|Post|Put|Patch|Delete|HEAD)\b"
)


def origin_of(call: Call, module: Module, function: Function) -> str:
    """Where a call comes from as far as the file tells: import or type of the receiver, and the name."""
    if not call.origin:
        call.origin = _origin(call, module, function)
    return call.origin


def _origin(call: Call, module: Module, function: Function) -> str:
    callee = call.callee
    head, _, rest = callee.partition(".")
    known = module.imported(head)
    if known and head not in function.params:
        return f"{known}.{rest}" if rest else known
    if not rest:
        return callee
    receiver = call.receiver
    type_ = function.params.get(receiver) or module.types.get(receiver, "")
    if not type_:
        return callee
    type_ = _WRAPPED.sub("", type_).strip("\"' ")
    first, _, tail = type_.partition(".")
    source = module.imported(first)
    base = _CHOICE.split(type_)[0].strip()
    if source and module.language == "python":
        base = f"{source}.{tail}" if tail else source
    elif source and module.language == "go" and tail:
        base = f"{source}.{tail}" if "/" in source or source.islower() else base
    return f"{base}.{call.name}"


def find_effects(module: Module) -> None:
    """Fills in `effects` of every function of the module."""
    frameworks = any(words.OUTBOX_FRAMEWORK.match(item.module) for item in module.imports)
    said: dict[int, list[tuple[int, re.Match[str]]]] = defaultdict(list)
    for text in module.texts:
        if statement := words.SQL_STATEMENT.match(text.value):
            said[id(text.function)].append((text.line, statement))
    for function in module.functions:
        statements = said.get(id(function), [])
        for call in function.calls:
            for effect in _of(call, module, function, frameworks, statements):
                function.effects.append(effect)
        function.effects.sort(key=lambda effect: effect.call.line)


def _of(
    call: Call,
    module: Module,
    function: Function,
    framework: bool,
    statements: list[tuple[int, re.Match[str]]],
) -> list[Effect]:
    name, origin = call.name, origin_of(call, module, function)
    found: list[Effect] = []
    if words.LOG.search(call.callee) or words.LOG.search(origin):
        return [Effect("log", call)]
    proxied = proxies.effect_of(call, module, function) or dapr.effect_of(call, module)
    if proxied is not None:
        return [proxied]
    if _of_a_browser(call, module, function):
        pass
    elif (
        words.HTTP.search(origin)
        or words.HTTP.search(_typed(call, module, function))
        or is_session(call, module)
    ):
        return [Effect("remote", call, write=_writes(call, function), target="http")]
    if (
        module.language == "typescript"
        and (verb := _ASKED.match(call.callee))
        and re.search(rf"\b{verb[1]}\s*=\s*(await\s+)?\w*[aA]xios\w*\(", function.body)
    ):
        return [Effect("remote", call, write=_writes(call, function), target="http")]
    if module.language == "typescript" and NODE_REQUEST.match(call.callee) and module.uses(_NODE_HTTP):
        return [Effect("remote", call, write=_writes(call, function), target="http")]
    if name == "sendMail" and module.language == "typescript" and call.receiver and call.args:
        return [Effect("remote", call, write=True, target="smtp")]
    if module.language == "go" and _MAILS.match(name) and call.receiver and module.uses(_MAIL):
        return [Effect("remote", call, write=True, target="smtp")]
    if name == "Call" and module.language == "go" and (asked := _remote_method(call, module)):
        return [Effect("remote", call, write=not words.READ_NAME.match(asked), target="rpc")]
    if module.language == "java" and (verb := _JAX_RS.search(call.callee)) and _asks_jax_rs(call, module):
        return [Effect("remote", call, write=verb[1] in ("post", "put", "delete"), target="http")]
    if module.uses(_PAYS_BY) and (
        _PAYPAL.match(origin) or (_PAYMENT.search(call.callee) and (call.args or call.keywords))
    ):
        return [Effect("remote", call, write=True, target="sdk")]
    if words.SOAP.search(call.callee):
        return [Effect("remote", call, write=not words.READ_NAME.match(function.name), target="soap")]
    if words.GRPC_INLINE.search(call.callee) and not words.GRPC_SETUP.search(call.callee):
        return [Effect("remote", call, write=not words.READ_NAME.match(name), target="grpc")]
    if words.GRPC.search(_typed(call, module, function)) and not words.GRPC_SETUP.search(call.callee):
        return [Effect("remote", call, write=not words.READ_NAME.match(name), target="grpc")]
    if words.ACK.match(name) and call.receiver:
        found.append(Effect("ack", call))
    elif (
        words.REJECT.match(name)
        and call.receiver
        and (
            words.BROKER_WORD.search(call.callee + origin + "".join(function.params))
            or any(words.BROKER_IMPORT.search(item.module) for item in module.imports)
        )
    ):
        found.append(Effect("reject", call))
    if (
        _publishes(call, origin, module)
        and not any(map(_ANSWERS.search, call.args))
        and not (_CACHES.search(module.path) and call.name in ("Publish", "publish"))
    ):
        outbox = (
            framework
            or words.OUTBOX_FRAMEWORK.match(origin) is not None
            or words.SENT_WITH_COMMIT.match(name) is not None
        )
        found.append(Effect("outbox" if outbox else "publish", call))
    elif (
        words.CONSUME_NAME.match(name)
        and call.receiver
        and not (module.language == "typescript" and _STREAM.search(call.callee))
        and (words.BROKER_NAME.match(name) or _near_broker(call, origin, module) or _polls(name, module))
    ):
        found.append(Effect("consume", call))
    # a function of a library's that is handed the connection
    handed = module.language == "typescript" and len(call.args) == 1 and _CONNECTION.match(call.args[0])
    if words.COMMIT_NAME.match(name) and (call.receiver or handed):
        found.append(Effect("commit", call))
    elif (
        words.TX_NAME.match(name)
        and (call.receiver or handed or name in ("atomic", "transaction"))
        and name not in ("set",)
    ):
        found.append(Effect("tx", call))
    elif said := bracket(call):
        found.append(Effect(said, call))
    kept = database(call, origin, module, function, statements)
    if kept is not None and not any(e.kind in ("publish", "outbox") for e in found):
        found.append(kept)
    if words.WAIT.search(call.callee):
        found.append(Effect("wait", call))
    return found


# Go's clients of mail servers
_MAILS = re.compile(r"(Dial(AndSend)?(WithContext)?|SendMail|DialTLS|DialStartTLS)$")
_MAIL = re.compile(r"net/smtp$|.*/(gomail|go-mail|go-smtp|go-simple-mail)(\.v\d|/v\d|/mail)*$")
# Node's own client: `https.request(url, options, (response) => …)`
NODE_REQUEST = re.compile(r"https?\.(request|get)$")
_NODE_HTTP = re.compile(r"(node:)?https?$|follow-redirects")
# A client that a function of the project's has put together: `const axiosInstance = await createAxios()`
_ASKED = re.compile(r"(axios\w+)\.(get|post|put|patch|delete|request)$")
_GOT = re.compile(r"\bget([A-Z]\w*)\(\)$")
_CONNECTION = re.compile(r"(conn|connection|client|trx|tx)$", re.IGNORECASE)
_NO_MESSAGE = re.compile(
    r"new (?:Receive|Delete|Get|List|Describe|Head|Query|Scan|Put(?!Events|Record)|Update|Create|Copy|Abort|"
    r"Change|Batch(?:Get|Write))\w*Command\b"
)
# A stream of the process itself (RxJS).
_STREAM = re.compile(r"\.(pipe|ofType|asObservable|updates)\(")
_RPC = re.compile(r"net/rpc(/|$)|github\.com/smallnest/rpcx|github\.com/rpcxio")


def _remote_method(call: Call, module: Module) -> str:
    """The method that a client of net/rpc or rpcx is told to call by its name, "" when it is none."""
    if not call.receiver or not module.uses(_RPC):
        return ""
    said = next((arg for arg in call.args[:2] if arg[:1] == '"'), "")
    return said.strip('"').rpartition(".")[2]


# `client.target(uri).request().accept(JSON).post(body)`, or on the builder that `request()` has returned
_JAX_RS = re.compile(r"(?:^|[.)])(get|post|put|delete|method|invoke)$")
_JAX_RS_IMPORT = re.compile(r"(jakarta|javax)\.ws\.rs\.client(\.|$)")
_ON_A_REQUEST = re.compile(r"\.request\([^()]*\)(\.\w+\((?:[^()]|\([^()]*\))*\))*\.\w+$")


def _asks_jax_rs(call: Call, module: Module) -> bool:
    """Whether a call sends a request that the client of JAX-RS has put together."""
    if not module.uses(_JAX_RS_IMPORT):
        return False
    kind = module.types.get(call.receiver, "").rpartition(".")[2]
    return kind in ("Builder", "Invocation") or _ON_A_REQUEST.search(call.callee) is not None


# Who moves money for others, by the libraries that they hand out; what only asks is left out.
_PAYS_BY = re.compile(
    r"stripe\b|com\.stripe\.|paypalrestsdk\b|github\.com/stripe/stripe-go|braintree\b|com\.braintreegateway|razorpay\b"
)
_PAYMENT = re.compile(
    r"(?i:(stripe(_lib|client|_client)?|braintree|razorpay(client)?|gateway|paypalrestsdk)\b(\.v1)?\.\w+)(\.\w+)?\."
    r"(create|capture|confirm|refund|cancel|pay|sale|charge|reverse|createReversal)(_async)?$|"
    r"(?:^|\.)(?:PaymentIntent|Charge|Refund|Transfer|Payout|Subscription|SetupIntent)\.create(_async)?$|"
    r"(?:^|\.)(?:paymentintent|charge|refund|transfer|payout|subscription)\.New$"
)


_PAYPAL = re.compile(r"paypalrestsdk\.[A-Z]\w*(\.find)?\.(create|execute|refund|capture|void)$")


# What caches tell each other, that a copy is old, is no news of the business.
_CACHES = re.compile(r"(^|/)\w*cache\w*/")


def _of_a_browser(call: Call, module: Module, function: Function) -> bool:
    """Whether a browser asks, or what is called `fetch` is none."""
    if call.name != "fetch":
        return module.path.endswith((".tsx", ".jsx")) and _in_a_page(module, function)
    return (
        module.language != "typescript"
        or _in_a_page(module, function)
        or _own(call)
        or _COOKIES.search(call.text()) is not None
    )


# Only a browser has cookies to send along.
_COOKIES = re.compile(r"\bcredentials\s*[:=]\s*[\"'`](same-origin|include)")


_COMPONENT = re.compile(r"[A-Z]\w*$|use[A-Z]\w*$")
_PAGE = re.compile(r"(^|/)(components|hooks)/|\.client\.[jt]sx?$")


def _in_a_page(module: Module, function: Function) -> bool:
    """Whether a function is a component or a hook of React: what it fetches, a browser fetches."""
    if _PAGE.search(module.path) or function.name == "fetcher":  # as hooks that fetch are handed one
        return True
    return module.path.endswith((".tsx", ".jsx")) and any(
        _COMPONENT.match(f.name) and f.line <= function.line and function.end <= f.end
        for f in module.functions
    )


def is_session(call: Call, module: Module) -> bool:
    """Whether a call is made on a session of requests; a request has a session of another sort, a database
    one of a third, and the project may have its own.
    """
    if module.language != "python" or not words.SESSION.search(call.callee):
        return False
    kind = module.types.get(call.receiver, "")
    address = "url" in call.keywords or (call.args and words.ADDRESS.search(call.args[0]))
    return (
        bool(address)
        and "request.session" not in call.callee
        and any(words.SESSION_IMPORT.match(item.module) for item in module.imports)
        and not any(one.name == kind for one in module.classes)
    )


def _own(call: Call) -> bool:
    """Whether an address without a host is fetched: only a browser knows whose that is."""
    return bool(call.args) and call.args[0][:1] in "\"'`" and call.args[0][1:2] == "/"


def _typed(call: Call, module: Module, function: Function) -> str:
    kind = function.params.get(call.receiver) or module.types.get(call.receiver) or call.receiver
    if module.language == "java" and (got := _GOT.search(kind)):
        kind = got[1]  # `proxy.getRestTemplate().exchange`
    return f"{_generic(kind)}.{call.name}"


@lru_cache(50_000)
def _generic(kind: str) -> str:
    """A type without its arguments: `Repository` for `*Repository<Order>`."""
    return _ARGUMENTS.split(kind)[0].lstrip("*&")


def _writes(call: Call, function: Function) -> bool:
    name = call.name.lower()
    if name == "localvarrequest":  # as the generator of OpenAPI clients writes it
        return re.search(r"method: ['\"](POST|PUT|PATCH|DELETE)", function.body) is not None
    if name.startswith(("post", "put", "patch", "delete")):
        return True
    if name.startswith(("get", "head")):
        return False
    if _SENT.match(call.name) and _BUILT.search(function.body):
        return True  # a request that was put together before it is sent
    text = " ".join([*call.args[:2], call.keywords.get("method", "")])
    match = _METHOD.search(text)
    return match is not None and match[1].upper() in ("POST", "PUT", "PATCH", "DELETE")


def _near_broker(call: Call, origin: str, module: Module) -> bool:
    if words.LOCAL_BUS.search(origin) or words.LOCAL_BUS.search(call.callee.rpartition(".")[0][-60:]):
        return False
    if words.BROKER_WORD.search(origin) or words.BROKER_WORD.search(call.callee[-80:]):
        return True
    return any(
        words.BROKER_WORD.search(item.module) or words.OUTBOX_FRAMEWORK.match(item.module)
        for item in module.imports
    )


# Notifiers of oslo.messaging: a context, the kind of event, what happened.
_NOTIFIES = re.compile(
    r"notifier(\(\))?\.(audit|debug|info|warn|warning|error|critical|sample)$", re.IGNORECASE
)
_CONTEXT = re.compile(r"\{\}$|\w*(ctxt|context)$")
_TAKES_FROM_LIST = re.compile(r"^(B[LR]Pop|b[lr]pop|b[lr]Pop|receive_?[mM]essage)$")


def _polls(name: str, module: Module) -> bool:
    """Whether `receive_message` asks a queue; a web socket has one as well. So do lists of Redis."""
    return _TAKES_FROM_LIST.match(name) is not None and any(
        words.BROKER_IMPORT.search(i.module) for i in module.imports
    )


_WORKFLOW = re.compile(r"(go\.uber\.org/cadence|go\.temporal\.io/sdk)/workflow")


def _publishes(call: Call, origin: str, module: Module) -> bool:
    if words.LOCAL_BUS.search(origin) or words.LOCAL_BUS.search(call.callee[-80:]):
        return False
    if call.name == "send" and call.args and _NO_MESSAGE.match(call.args[0]):
        return False  # of the AWS SDK, which sends whatever it is asked
    if call.name == "Send" and module.uses(_WORKFLOW):
        return False  # on a channel within a workflow
    if words.SENT_WITH_COMMIT.match(call.name):
        return bool(call.receiver)
    if _NOTIFIES.search(call.callee) and len(call.args) == 3 and _CONTEXT.match(call.args[0]):
        return True
    if words.PUBLISH_NAME.match(call.name):
        return bool(call.receiver) and bool(call.args or call.keywords)
    return words.PUBLISH_SEND.match(call.name) is not None and bool(
        words.BROKER_WORD.search(origin.rpartition(".")[0]) or words.BROKER_WORD.search(call.receiver)
    )
