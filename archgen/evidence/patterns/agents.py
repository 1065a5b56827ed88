"""Loops around a language model: who bounds them, and by what."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.code.model import Program
from archgen.evidence.facts import Fact
from archgen.evidence.patterns.common import calls, fact, imports

_MODEL_IMPORT = re.compile(
    r"anthropic|openai|langchain|llama_?index|litellm|mistralai|cohere|google\.generativeai|google/generative|genai|ollama|"
    r"bedrock|groq|\bai$|@ai-sdk|semantic_?kernel|spring\.?ai|langchaingo|autogen|crewai|pydantic_ai",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"(messages\.(create|stream)|completions\.create|responses\.create|Messages\.New\w*|Completions\.New|Responses\.New|"
    r"CreateChatCompletion\w*|generate_?[cC]ontent|GenerateContent|generateText|streamText|\.invoke|\.ainvoke|\.converse|Converse|"
    r"chat\.complete|\.chat|\.Chat|messages\(\)\.create|completions\(\)\.create)$"
)
_ENDLESS = re.compile(
    r"^(while\s*\(?\s*(True|true|1|!\s*\w+|not\s+\w+)\s*\)?|for\s*\(\s*;\s*;\s*\)|for|do)\s*:?\s*\{?$"
)
_BOUND = re.compile(
    r"max_?\w*(turn|step|iter|round|loop|call|attempt)|\b(turns?|steps?|iterations?|rounds?|attempts?|budget|deadline|limit\w*|"
    r"remaining|spent|elapsed|i|n)\b\s*(<|>|>=|<=|==|\+=|\+\+|-=|--)|deadline|asyncio\.timeout|wait_for|WithTimeout|AbortSignal|budget",
    re.IGNORECASE,
)
_UNLIMITED = re.compile(
    r"(max_iterations|max_turns|maxSteps|max_steps|recursion_limit)\s*[=:]\s*(None|null|undefined|-1|Infinity)"
)


def agents(program: Program) -> Iterator[Fact]:
    """`agent.endless`: a model is asked again for as long as it likes."""
    for module, function, call in calls(program):
        if not imports(module, _MODEL_IMPORT):
            continue
        if _UNLIMITED.search(call.text()):
            yield fact("agent.endless", module, call.line, function=function.title, call=call.shown(40))
            continue
        if not _ASKS.search(call.callee):
            continue
        loop = next((b for b in reversed(call.inside) if b.kind == "loop"), None)
        if loop is None or not _ENDLESS.match(loop.header.strip()):
            continue
        lines = function.body.split("\n")
        body = "\n".join(lines[loop.line - function.line : loop.end - function.line + 1])
        around = any(b.kind in ("with", "closure") and _BOUND.search(b.header) for b in call.inside)
        if not _BOUND.search(body) and not around:
            yield fact("agent.endless", module, loop.line, function=function.title, call=call.shown(40))
