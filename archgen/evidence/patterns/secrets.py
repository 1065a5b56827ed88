"""Secrets and card data on their way into logs and spans."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code import vocabulary as words
from archgen.evidence.code.effects import origin_of
from archgen.evidence.code.model import Call, Module, Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import Sought, calls, fact

# The last word of a name decides: `user.password` is one, `password_reset_url` is none.
_SECRET = re.compile(
    r"(?:^|[._>(\[{ ]|(?-i:(?<=[a-z0-9])(?=[A-Z])))(?:get_?|Get)?"
    r"(passwords?|passwd|passphrase|client_?secret|secret_?key|api_?key|access_?token|refresh_?token|auth_?token|bearer_?token|"
    r"private_?key|card_?number|credit_?card|creditCardInfo|pan|cvv2?|cvc|ssn)(?:\(\))?$",
    re.IGNORECASE,
)
# What is done to a password, or a page about it, is none: `ForgotPasswordTemplate`, `resetPassword`.
_ABOUT = re.compile(
    r"(forgot(ten)?|reset|change[sd]?|update[sd]?|lost|recover|confirm|requires?|expired?|has|is|no|wrong|invalid|weak)_?(your_?)?passwords?$",
    re.IGNORECASE,
)
# Headers that let whoever reads them in as somebody else.
_HEADER = re.compile(
    r"""header\w*(?:\.get\w*)?\s*[\[(]\s*["'](?:(?:proxy-)?authorization|(?:set-)?cookie|x-api-key)["']\s*(?:,[^()]*)?[\])]$""",
    re.IGNORECASE,
)
_HIDDEN = re.compile(
    r"mask|redact|hash|sha\d|md5|\blen\(|\.length\b|\.size\(\)|last_?4|last_?four|substr|slice|\[-?\d*:|\*\*\*|is_?empty|isBlank|is_?set|"
    r"!=|==|\bnot\b|bool\(|!!|encrypt|obfuscat|type\(|typeof|Boolean\(|has_?|nil\b",
    re.IGNORECASE,
)
_ATTRIBUTE = re.compile(
    r"(set_attribute|setAttribute|SetAttributes|SetAttribute|setTag|SetTag|set_tag|addEvent|add_event|LogFields)$"
)
_KEYED = re.compile(
    r"\b(?:attribute|log|zap|slog|label)\.(?:String|Any|Key)\(\s*[\"']([\w.\-]+)[\"']\s*,\s*([^()]*(?:\([^()]*\))?)",
    re.DOTALL,
)
_HOLES = re.compile(r"\$?\{([^{}]+)\}")
_PRINT = re.compile(r"^(print|console\.log|fmt\.Print\w*|System\.out\.print\w*|System\.err\.print\w*)$")
# Libraries for commands: what these print, somebody at a terminal has asked for.
_COMMAND_LINE = re.compile(
    r"github\.com/(spf13/cobra|urfave/cli|alecthomas/kong)|(click|typer|argparse)\b|commander$|yargs$|picocli|info\.picocli"
)
_REDACTS = Sought(
    r"\bredact\b\s*:|RedactingFilter|SensitiveDataFilter|MaskingPatternLayout|redactPaths|ReplaceAttr",
    ("redact", "RedactingFilter", "SensitiveDataFilter", "MaskingPatternLayout", "ReplaceAttr"),
    0,
)


def secrets(program: Program) -> Iterator[Fact]:
    """`secret.logged`: a value that is secret by its name is written to a log or put on a span."""
    quiet = {m.language for m, f in program.functions() if _REDACTS.search(f.body)}
    quiet |= {m.language for m, _, c in calls(program) if "redact" in c.keywords}
    for module, function, call in calls(program):
        if module.language in quiet:
            continue  # the logger takes secrets out by itself
        origin = origin_of(call, module, function)
        logs = words.LOG.search(call.callee) or words.LOG.search(origin) or _PRINT.match(call.callee)
        if not logs and not _ATTRIBUTE.search(call.callee):
            continue
        if _PRINT.match(call.callee) and module.uses(_COMMAND_LINE):
            continue  # shown to whom it was asked by
        told = next(
            (
                name
                for name in _named(call, module)
                if (_SECRET.search(name) and not _ABOUT.search(name)) or _HEADER.search(name)
            ),
            "",
        )
        if told:
            where = "a log" if logs else "a span"
            yield fact(
                "secret.logged", module, call.line, function=function.title, what=told[-40:], where=where
            )


def _named(call: Call, module: Module) -> Iterator[str]:
    """Expressions that a call writes out: arguments, and what stands in the holes of a string."""
    for arg in (*call.args, *call.keywords.values()):
        for key, value in _KEYED.findall(arg):
            if not _HIDDEN.search(value) and value.strip()[:1] not in "\"'":
                yield key if _SECRET.search(key) else value.strip()
        text = arg.strip()
        if text[:1] in "\"'`" or text[:2] in ('f"', "f'"):
            holes = module.language != "python" or text[:1] == "f"
            if holes and (module.language in ("python", "typescript")):
                for hole in _HOLES.findall(text):
                    inner = hole.split("!")[0].split(":")[0].strip()
                    if not _HIDDEN.search(hole):
                        yield inner
            for part in re.split(r"\s\+\s", text)[1:]:
                if not _HIDDEN.search(part):
                    yield part.strip().rstrip("+ ")
        elif _HEADER.search(text):
            yield text
        elif not _HIDDEN.search(text) and re.fullmatch(r"[\w.$?!>\-()\[\]&*]+", text):
            yield text.rstrip(")").rstrip("(") if text.endswith("()") else text
    if _ATTRIBUTE.search(call.callee) and len(call.args) == 2:
        key, value = call.args[0].strip("\"'`"), call.args[1]
        if not _HIDDEN.search(value) and value[:1] not in "\"'`":
            yield key
