"""How errors are turned into answers: by one mapper, where they happen, or by a fallback."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.model import Catch, Function, Module, Program
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.patterns.common import BROAD, Sought, calls, fact, line_in, marks

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
        r"\bthrow\s+new\s+(Http|TRPC|NotFound|BadRequest|Conflict|Forbidden|Unauthorized|UnprocessableEntity|Rpc|InternalServerError|"
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
_SAYS_STATUS = re.compile(r"@ResponseStatus\b")  # of an exception: what it is answered with
_FALLBACK = re.compile(r"(onErrorReturn|onErrorResume|fallback\w*|withFallback|Fallback)$")
_ONE_ANSWER = re.compile(
    r"\breturn\s+(?:await\s+)?(?:\w+\.)*((?:handle|map|to|create|build|make|format|translate)\w*[eE]rr\w*|\w*[eE]rror_?[rR]esponse)\("
)


# `res.status(error.statusCode).json(error)`: whatever it is, it says itself what the answer is.
_BY_ITS_STATUS = re.compile(
    r"\.(?:status|code|sendStatus)\(\s*(?:\w*[eE]rr(?:or)?|e|ex|exception)\w*\??\.(?:status|code)\w*"
)
_IS_ERROR = re.compile(r"(^|\b)(Error|\w*Error|unknown|any|FastifyError)\b|^$")
_OF_ERROR = re.compile(r"^(final)?_?(e|ex|err|error|exception)$", re.IGNORECASE)


def answers(program: Program) -> Iterator[Fact]:
    """`error.mapped`, with whether one place maps all of them, and `error.fallback`."""
    for module, _, call in calls(program):
        if _MAPPER_CALL.search(call.callee) or (
            call.name == "Use" and any(_MAPPER_CALL.search(a) for a in call.args)
        ):
            yield fact("error.mapped", module, call.line, what=call.shown(60), central=True)
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
        elif module.language == "java" and any(map(_SAYS_STATUS.match, one.marks)):
            yield fact("error.mapped", module, one.line, what=one.name, central=False)
    yield from _named(program)
    for module, function in program.functions():
        yield from _answered(module, function)
        for catch in function.catches:
            yield from _caught(module, catch)


# Django and its REST framework are told by name who answers; the settings that say it, nobody imports.
_SETTING = re.compile(r"^EXCEPTION_HANDLER$")
_IN_URLS = re.compile(r"^[\w.]+\.\w*(server_error|page_not_found|error_?[45]\d\d|handler_?[45]\d\d)$")


def _named(program: Program) -> Iterator[Fact]:
    for module in program.modules.values():
        told = _IN_URLS if module.path.endswith("urls.py") else _SETTING
        for text in module.texts if module.language == "python" and module.production else ():
            if text.function is None and told.match(text.value):
                data = {"what": f"{text.value[:50]} is set", "central": True}
                yield Fact("error.mapped", module.path, text.line, Strength.CONFIGURED, data)


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
    elif (
        module.language == "typescript"
        and any(_OF_ERROR.match(name) and _IS_ERROR.search(kind) for name, kind in function.params.items())
        and _BY_ITS_STATUS.search(function.body)
    ):
        what = f"{function.title or 'one function'} turns an error into an answer"
        yield fact("error.mapped", module, line_in(function, _BY_ITS_STATUS), what=what, central=True)
    elif module.language in _ANSWERS and function.name and _ANSWERS[module.language].search(function.body):
        line = line_in(function, _ANSWERS[module.language])
        if not any(c.line <= line <= c.end and not BROAD.match(c.types.strip()) for c in function.catches):
            what = f"{function.title} answers an error"
            yield fact("error.mapped", module, line, what=what, central=False)
    elif module.language == "java" and function.name and _JAVA_ANSWER.search(function.body):
        what = f"{function.title} answers an error"
        yield fact("error.mapped", module, line_in(function, _JAVA_ANSWER), what=what, central=False)


def _caught(module: Module, catch: Catch) -> Iterator[Fact]:
    typed = not BROAD.match(catch.types.strip())
    if typed and re.search(
        r"\b[45]\d\d\b|HttpStatus|HTTPException|Response\w*|status\(|abort\(|flash|redirect|codes\.",
        catch.body,
    ):
        yield fact("error.mapped", module, catch.line, what=f"{catch.types[:50]} is answered", central=False)
    # one function makes the answer, whoever catches
    if mapped := _ONE_ANSWER.search(catch.body):
        yield fact("error.mapped", module, catch.line, what=f"{mapped[1]} answers", central=True)
