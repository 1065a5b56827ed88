"""How failures are met: mapped, swallowed, wrapped, lost."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.model import Call, Catch, Effect, Function, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import Sought, calls, fact, line_in, marks

_MAPPER_CALL = re.compile(
    r"(add_exception_handler|exception_handler|failureHandler|errorhandler|register_error_handler|useGlobalFilters|setErrorHandler|setNotFoundHandler|middleware\.Recover\w*|recovery\.\w+ServerInterceptor|setErrorHandler|SetErrorHandler|CustomRecovery\w*|middleware\.Recoverer|Recoverer|gin\.Recovery|ErrorHandlerMiddleware)$"
)
_MAPPER_MARK = re.compile(
    r"@(?:\w+\.)*(exception_handler|errorhandler|ControllerAdvice|RestControllerAdvice|ExceptionHandler|Catch|Provider)\b"
)
_MAPPER_CLASS = re.compile(
    r"ExceptionHandlerFunction|^ExceptionHandler\b|ExceptionFilter|ExceptionMapper|HandlerExceptionResolver|ResponseEntityExceptionHandler|BaseHTTPMiddleware|ErrorHandler"
)
_PROBLEM = re.compile(
    r"problem\+json|ProblemDetail|ProblemDocument|http-problem-details|withFailure|WithSlugError|RespondWith\w*Error",
    re.IGNORECASE,
)
_BROAD = re.compile(
    r"^(\(?\s*(Base)?Exception\b.*|Throwable\b.*|.*\bThrowable\s+\w+|final\s+Exception\s+\w+|Exception\s+\w+|\s*|err(or)?|e|ex|_|\w+\s*:\s*(any|unknown))$"
)
_GO_ANSWER = Sought(
    r"\bhttp\.Error\(|\.AbortWith\w*\(|\bstatus\.(Error|Errorf|New)\(|\.WriteHeader\(|NewHTTPError\(|fiber\.NewError\(|"
    r"\berrors\.(BadRequest|Unauthorized|Forbidden|NotFound|Conflict|InternalServer)\(|\bv[123]\.Error[A-Z]\w+\(|"
    r"\.(JSON|XML|String|Status|SendStatus)\((http\.Status|[45]\d\d|\w*[sS]tatus|code)",
    (
        "http.Error(",
        ".AbortWith",
        "status.Error",
        "status.New(",
        ".WriteHeader(",
        "NewHTTPError(",
        "fiber.NewError(",
        # not "errors." nor ".Error", which every file of Go has
        "errors.BadRequest(",
        "errors.Unauthorized(",
        "errors.Forbidden(",
        "errors.NotFound(",
        "errors.Conflict(",
        "errors.InternalServer(",
        "v1.Error",
        "v2.Error",
        "v3.Error",
        ".JSON(",
        ".XML(",
        ".String(",
        ".Status(",
        ".SendStatus(",
    ),
    0,
)
_JAVA_ANSWER = Sought(
    r"ResponseEntity\s*\.\s*(status|badRequest|notFound|internalServerError|unprocessableEntity)\b|"
    r"new ResponseStatusException\b|"
    r"\b(notFound|badRequest)\(\)\.build|Status\.\w+(\.with\w+\([^)]*\))*\.as(Runtime)?Exception|Response\.status\(|HttpResponse\.(notFound|badRequest|serverError)",
    (
        "ResponseEntity",
        "ResponseStatusException",
        "notFound()",
        "badRequest()",
        "Status.",
        "Response.status(",
        "HttpResponse.",
    ),
    0,
)
# An error that a framework turns into an answer, thrown where it is met.
_ANSWERS = {
    "python": Sought(
        r"\braise\s+(\w+\.)*(HTTPException|Http404|PermissionDenied|APIException|HTTP(NotFound|BadRequest|Conflict|Forbidden)|"
        r"RpcError|BadRequest|NotFound|Conflict)\b|\babort\(\s*[45]\d\d|\bset_code\(grpc\.StatusCode\.",
        (
            "HTTPException",
            "Http404",
            "PermissionDenied",
            "APIException",
            "RpcError",
            "BadRequest",
            "NotFound",
            "Conflict",
            "Forbidden",
            "abort(",
            "set_code(",
        ),
        0,
    ),
    "typescript": Sought(
        r"\bthrow\s+new\s+(Http|NotFound|BadRequest|Conflict|Forbidden|Unauthorized|UnprocessableEntity|Rpc|InternalServerError|"
        r"ServiceUnavailable)\w*(Exception|Error)?\(|\.status\(\s*(HttpStatus\.|[45]\d\d)|\.sendStatus\(\s*[45]\d\d|\.code\(\s*[45]\d\d|"
        r"\bctx\.(status\s*=\s*[45]|throw\()|statusCode:\s*[45]\d\d|\bnext\(\s*(err|error|new\s)",
        ("throw", ".status(", ".sendStatus(", ".code(", "ctx.", "statusCode:", "next("),
        0,
    ),
}
_HANDLER_SET = Sought(
    r"\bHTTPErrorHandler\s*=|\bErrorHandler:\s*\w|\bNotFoundHandler\s*=|WithErrorHandler\(",
    ("ErrorHandler", "NotFoundHandler"),
    0,
)
_CLOSES = re.compile(
    r"_?(a?close|stop|shutdown|disconnect|__a?exit__|ngOnDestroy|onModuleDestroy|Close|Stop|Shutdown)"
)
_FALLBACK = re.compile(r"(onErrorReturn|onErrorResume|fallback\w*|withFallback|Fallback)$")
_EXIT = re.compile(
    r"\b(raise|throw|return|reject|abort|exit|continue|break|fail|next\s*\(|panic|Promise\.reject|nak|nack|retry|rollback|set_exception|_finish|record|store)\b"
    r"|(?:reject|fail|invalid|skipped)\w*\.(?:add|append|push|put)\("
)


def errors(program: Program) -> Iterator[Fact]:
    """`error.mapped`, `error.fallback`, `error.swallowed`, and what a publisher or a commit does
    with its failure.
    """
    for module, _, call in calls(program):
        if _MAPPER_CALL.search(call.callee) or (
            call.name == "Use" and any(_MAPPER_CALL.search(a) for a in call.args)
        ):
            yield fact("error.mapped", module, call.line, what=call.callee[-60:], central=True)
        elif (
            _PROBLEM.search(call.name)
            or any(_PROBLEM.search(a) for a in call.args[:3])
            or any(_PROBLEM.search(v) for v in call.keywords.values())
        ):
            yield fact("error.mapped", module, call.line, what=call.name, central=False)
        elif _FALLBACK.search(call.name):
            yield fact("error.fallback", module, call.line, what=call.name)
    for module, _, mark, line in marks(program):
        if "expected_exceptions" in mark:
            yield fact("error.mapped", module, line, what=mark[:60], central=False)
        if _MAPPER_MARK.search(mark) and not ("Provider" in mark and module.language != "java"):
            yield fact("error.mapped", module, line, what=mark[:60], central=True)
    for module, one in program.classes():
        if any(_MAPPER_CLASS.search(base) for base in one.bases):
            yield fact("error.mapped", module, one.line, what=one.name, central=True)
    for module, function in program.functions():
        yield from _answered(module, function)
        if _CLOSES.fullmatch(function.name):
            continue  # what fails while everything ends is told and left
        yield from _suppressed(module, function)
        for catch in function.catches:
            yield from _caught(module, function, catch)


def _answered(module: Module, function: Function) -> Iterator[Fact]:
    """Errors as values: one function that turns any error into an answer, or an answer where it happened."""
    if module.language == "go" and function.name:
        if _HANDLER_SET.search(function.body):
            yield fact(
                "error.mapped",
                module,
                line_in(function, _HANDLER_SET),
                what="an error handler is set",
                central=True,
            )
            return
        answer = _GO_ANSWER.search(function.body)
        if answer is None:
            return
        taken = any(kind.strip() == "error" for kind in function.params.values())
        users = {c.file for c in function.callers} - {module.path}
        central = taken and (len(function.callers) >= 3 or bool(users) or "errors.As" in function.body)
        if central or re.search(r"\berr\b", function.body):
            what = f"{function.title} turns an error into an answer"
            yield fact("error.mapped", module, line_in(function, _GO_ANSWER), what=what, central=central)
    elif module.language in _ANSWERS and function.name and _ANSWERS[module.language].search(function.body):
        line = line_in(function, _ANSWERS[module.language])
        if not any(c.line <= line <= c.end and not _BROAD.match(c.types.strip()) for c in function.catches):
            what = f"{function.title} answers an error"
            yield fact("error.mapped", module, line, what=what, central=False)
    elif module.language == "java" and function.name and _JAVA_ANSWER.search(function.body):
        what = f"{function.title} answers an error"
        yield fact("error.mapped", module, line_in(function, _JAVA_ANSWER), what=what, central=False)


# What a call does that changes something, where nothing but its name tells.
_CHANGES = re.compile(
    r"^_?(handle|save|create|update|delete|send|publish|charge|refund|execute|commit|apply|process|record|insert|write|"
    r"post|put|patch|post_json|put_json|transact|reserve|release|ship|pay|notify|enqueue|store|persist|dispatch)(?![a-z])",
    re.IGNORECASE,
)
_RUNS = re.compile(r"^(run|transact|transaction|submit)$")
_WITH_STACK = re.compile(r"\.exception\(|exc_info\s*=")


def _tried(function: Function, catch: Catch, *, beside: bool = False) -> list[Call]:
    """The calls of the try of `catch`; with `beside`, also of one that ends in the line of the catch."""
    blocks = [
        b
        for c in function.calls
        for b in c.within("try")
        if b.end < catch.line or (beside and b.end == catch.line)
    ]
    block = max(blocks, key=lambda b: (b.end, b.line), default=None)
    return [c for c in function.calls if any(b is block for b in c.inside)] if block else []


def _suppressed(module: Module, function: Function) -> Iterator[Fact]:
    """`contextlib.suppress(Exception)` around a change."""
    blocks = {id(b): b for c in function.calls for b in c.within("with") if _SUPPRESS.search(b.header)}
    for block in blocks.values():
        inside = [c for c in function.calls if any(b is block for b in c.inside)]
        if any(map(_changes, inside)):
            yield fact(
                "error.swallowed",
                module,
                block.line,
                function=function.title,
                logged=False,
                types="Exception",
                writes=True,
            )


_SENDING = re.compile(
    r"kafka|amqp|rabbit|pika|nats|jms|sqs|sns|broker|publish|messag|produc|send|timeout|connect|\bio|network|socket|runtime|"
    r"execution|interrupted|client|boto|pub_?sub|mqtt|redis|stream|queue|transport|rpc|http",
    re.IGNORECASE,
)
_ONE_ANSWER = re.compile(
    r"\breturn\s+(?:await\s+)?(?:\w+\.)*((?:handle|map|to|create|build|make|format|translate)\w*[eE]rr\w*|\w*[eE]rror_?[rR]esponse)\("
)
_SAYS = re.compile(
    r"publish|emit|send|notif|enqueue|queue|produce|dispatch|broadcast|push|fire|event|message|raise|forward|relay",
    re.IGNORECASE,
)
_SUPPRESS = re.compile(r"\bsuppress\(\s*(Base)?Exception\b")


def _changes(call: Call) -> bool:
    database = _RUNS.match(call.name) is not None and words.DB_RECEIVER.search(call.receiver) is not None
    return database or (_CHANGES.match(call.name) is not None and bool(call.receiver))


def _caught(module: Module, function: Function, catch: Catch) -> Iterator[Fact]:
    effects = [e for e in function.reach if catch.line > e.call.line]
    tried = [e for e in effects if any(b.kind == "try" and b.line <= e.call.line for b in e.call.inside)]
    typed = not _BROAD.match(catch.types.strip())
    if typed and re.search(
        r"\b[45]\d\d\b|HttpStatus|HTTPException|Response\w*|status\(|abort\(|flash|redirect|codes\.",
        catch.body,
    ):
        yield fact("error.mapped", module, catch.line, what=f"{catch.types[:50]} is answered", central=False)
    # one function makes the answer, whoever catches
    if mapped := _ONE_ANSWER.search(catch.body):
        yield fact("error.mapped", module, catch.line, what=f"{mapped[1]} answers", central=True)
    leaves = _EXIT.search(catch.body) is not None
    logged = (
        words.LOG.search(re.sub(r"\(.*", "", catch.body.strip().split("\n")[0])) is not None
        or re.search(r"log|print|console|warn", catch.body, re.I) is not None
    )
    acts = re.sub(r"(?m)^.*\b(log\w*|console|print\w*|_log)\b.*$|\bpass\b|[\s;{}()]", "", catch.body) != ""
    again = any(e.kind == "publish" and catch.line <= e.call.line <= catch.end for e in function.reach)
    if not leaves and not acts and _commits(function, catch, tried):
        yield fact("error.commit_swallowed", module, catch.line, function=function.title)
        return
    # Of what only leads to a message in the end, more is lost than that.
    published = [
        e
        for e in tried
        if e.kind == "publish"
        and not again
        and not (e.late or e.call.after_commit)
        and (not e.via or _SAYS.search(e.call.name))
    ]
    if typed and not _SENDING.search(catch.types):
        published = []  # that is another call's failure
    if published and not leaves:
        yield fact(
            "error.publish_swallowed",
            module,
            catch.line,
            function=function.title,
            call=published[-1].call.callee[-50:],
            answer=any(re.search(r"\breply\b|\back\b|reply_to", arg) for arg in published[-1].call.args),
            logged=logged,
            removed=any(
                e.kind == "db.write" and e.target in ("delete", "update") and e.call.line > catch.end
                for e in function.reach
            ),
        )
    elif (
        not typed
        and not leaves
        and not acts
        and not _WITH_STACK.search(catch.body)
        and not _comes_back(function, catch)
    ):
        yield fact(
            "error.swallowed",
            module,
            catch.line,
            function=function.title,
            logged=logged,
            types=catch.types[:40] or "everything",
            writes=any(e.kind in ("db.write", "commit", "remote", "publish") for e in tried)
            or any(map(_certain if logged else _changes, _tried(function, catch))),
        )


_GO_CHECK = re.compile(r"if\s+(?:[^;{\n]*;\s*)?err\s*!=\s*nil\s*\{([^{}]*)\}")
_GO_TOLD = re.compile(r"(?m)^.*\b(log\w*|logger|slog|fmt\.Print\w*|zap|l\.|span)\b.*$", re.IGNORECASE)
_GO_RETURNS = re.compile(
    r"^(Exec|ExecContext|NamedExec\w*|InsertOne|InsertMany|UpdateOne|UpdateMany|DeleteOne|DeleteMany|ReplaceOne)$"
)


def dropped(program: Program) -> Iterator[Fact]:
    """Errors that Go code lets go: `error.swallowed`, `error.publish_swallowed`, `error.commit_swallowed`."""
    bodies = {(m.path, c.name): c.body for m, c in program.classes() if m.language == "go"}
    for module, function in program.functions():
        if module.language != "go" or _CLOSES.fullmatch(function.name):
            continue
        lines = function.body.split("\n")
        quiet = {
            function.line + function.body.count("\n", 0, m.start())
            for m in _GO_CHECK.finditer(function.body)
            if m[1].strip() and not _GO_TOLD.sub("", m[1]).strip()
        }
        for effect in function.effects:
            call = effect.call
            if any(b.kind == "finally" for b in call.inside) or effect.via:
                continue
            text = lines[call.line - function.line] if call.line - function.line < len(lines) else ""
            blank = call.discarded or re.match(r"\s*_(\s*,\s*_)?\s*=", text) is not None
            if effect.kind == "commit" and blank:
                yield fact("error.commit_swallowed", module, call.line, function=function.title)
            elif effect.kind == "db.write" and blank and _GO_RETURNS.match(call.name):
                yield fact(
                    "error.swallowed",
                    module,
                    call.line,
                    function=function.title,
                    types="no error",
                    logged=False,
                    writes=True,
                )
            elif effect.kind == "publish" and (blank or {call.line, call.line + 1} & quiet):
                if _cannot_fail(call, bodies.get((module.path, function.owner), "")):
                    continue
                lost = {"call": call.callee[-50:], "answer": False, "logged": not blank}
                yield fact("error.publish_swallowed", module, call.line, function=function.title, **lost)


def _cannot_fail(call: Call, struct: str) -> bool:
    """Whether what is called is a field of the receiver's, and a function that can't say that it failed."""
    field = re.search(rf"(?m)^\s*{re.escape(call.name)}\s+func\(.*$", struct) if call.receiver else None
    return field is not None and "error" not in field[0]


def _certain(call: Call) -> bool:
    return _RUNS.match(call.name) is not None and words.DB_RECEIVER.search(call.receiver) is not None


def _commits(function: Function, catch: Catch, tried: list[Effect]) -> bool:
    """Whether the try ends a transaction: it commits, or leaves a block that does."""
    calls = _tried(function, catch, beside=True)
    if any(e.kind == "commit" and not e.via and (e.call in calls or not calls) for e in tried):
        return True
    blocks = [b for c in calls for b in c.within("with") if catch.tries is not None and b.end < catch.line]
    return any(re.search(r"\bwith\b[^\n]*\.begin\(", b.header) for b in blocks) and bool(calls)


def _comes_back(function: Function, catch: Catch) -> bool:
    """A failure in a loop that waits and tries again is not passed over."""
    loops = {id(b): b for c in function.calls for b in c.within("loop")}.values()
    around = [b for b in loops if b.line <= catch.line and catch.end <= b.end]
    waits = [c for c in function.calls if words.WAIT.search(c.callee)]
    return any(any(block is b for b in c.inside) for block in around for c in waits)


def wrapped_wrong(program: Program) -> Iterator[Fact]:
    """`error.lost`: Go code that checks one error and wraps or returns another, which is nil there."""
    check = re.compile(r"if\s+(?:(\w+)\s*:?=\s*[^;{]*;\s*)?(\w+)\s*!=\s*nil\s*\{([^{}]*)\}")
    for module, function in program.functions():
        if module.language != "go":
            continue
        for match in check.finditer(function.body):
            checked, body = match[2], match[3]
            if not re.search(r"err", checked, re.IGNORECASE):
                continue
            returned = re.search(
                r"return[^\n]*\b(?:errors\.(?:Wrap|Wrapf|WithMessage|WithStack)\(\s*(\w+)|fmt\.Errorf\([^\n]*%w[^\n]*,\s*(\w+)\s*\))",
                body,
            )
            used = (returned[1] or returned[2]) if returned else ""
            if (
                used
                and used != checked
                and re.search(r"err", used, re.IGNORECASE)
                and not re.search(rf"\b{re.escape(checked)}\b", body)
            ):
                line = function.line + function.body.count("\n", 0, match.start(3) + returned.start())  # type: ignore[union-attr]
                commit = (
                    re.search(r"[cC]ommit", function.body[max(0, match.start() - 120) : match.end()])
                    is not None
                )
                yield fact(
                    "error.lost",
                    module,
                    line,
                    function=function.title,
                    checked=checked,
                    used=used,
                    commit=commit,
                )
