"""Documents: what is said about the system. A document proves a decision or a procedure, and never code."""

from __future__ import annotations

import re
from collections.abc import Iterator

from archgen.evidence.config import operations
from archgen.evidence.facts import Fact, Strength
from archgen.evidence.tree import Source

_DECISION_FILE = re.compile(
    r"(^|/)(adrs?|decisions?|architecture[-_]decisions?|rfcs?)/|(^|/)(adr|decision)[-_ ]?\d+|(^|"
    r"/)\d{3,4}-[\w-]+\.(md|adoc|rst)$",
    re.I,
)
# Topic: what a line on it contains for sure (a quick look that most lines fail), and how it says it.
_TOPICS = {
    "event_sourcing": (("sourc",), r"event[- ]sourc"),
    "communication": (
        ("async", "synchronous", "rest", "grpc", "http", "messag", "kafka", "nats", "rabbit", "pub"),
        r"\b(synchronous|asynchronous|async|rest|grpc|http|message broker|messaging|kafka|"
        r"nats|rabbitmq|pub/?sub)\b",
    ),
    "saga": (("saga", "compensat"), r"\bsagas?\b|compensat(ion|ing|e)"),
    "boundaries": (("bound", "microservice"), r"bounded context|service boundar|microservice"),
    "backup": (("back",), r"\bback-?ups?\b"),
    "restore": (("restor", "recover"), r"\brestor(e|es|ing|ation)\b|\brecover(y|ing)?\b"),
    "rpo": (("rpo", "recovery point"), r"\bRPO\b|(?i:recovery point objective)"),
    "rto": (("rto", "recovery time"), r"\bRTO\b|(?i:recovery time objective)"),
    "drill": (
        ("drill", "exercise", "test", "rehears", "game"),
        r"\b(dr|recovery|restore|disaster)[- ](drill|exercise|test|rehearsal)|game ?day|make drill",
    ),
    "runbook": (("run",), r"\brun-?books?\b"),
    "disaster": (("disaster",), r"disaster[- ]recovery"),
}
_EXACT = ("rpo", "rto")  # words of their own only in capitals
_LOOKS = {
    topic: (stems, re.compile(words, 0 if topic in _EXACT else re.IGNORECASE))
    for topic, (stems, words) in _TOPICS.items()
}
# Pages that say what there is and what it is for.
_TELLS = re.compile(r"(^|/)(readme|architecture|overview|services|index)[\w.-]*$|(^|/)docs?/", re.IGNORECASE)
_PROCEDURES = (
    (
        "backup",
        re.compile(
            r"^((making|creating|taking|how to make) )?(a )?(full |database )?back-?ups?\b[^:]{0,20}$|"
            r"^back(ing)? up\b",
            re.I,
        ),
    ),
    ("restore", re.compile(r"^(how to )?restor(e|ing)\b[^:]{0,40}$|^recover(ing|y) from\b", re.I)),
)
_ENOUGH_WORDS = 25
# Sessions, windows and deleted entries are restored as well.
_OF_DATA = re.compile(
    r"back(ing|ed)?[- ]?ups?\b|dump|snapshot|disaster|outage|data ?loss|\.(sql|tar|t?gz|zip|bak|rdb)\b|"
    r"\bdata (folder|dir|volume)|\bvolumes?\b",
    re.IGNORECASE,
)
_HEADING = re.compile(r"^(#{1,6}\s+|={1,6}\s+)(.+)$")
_FENCE = re.compile(r"^\s*(```|~~~|----\s*$)")
_PLANNED = re.compile(
    r":construction:|\b(todo|planned|not yet|coming soon|roadmap|in progress|wip|under construction|"
    r"future work)\b|^\s*[-*] \[ \]",
    re.I,
)

_SHOWN = re.compile(r"(^|/)templates/")


def collect(source: Source) -> Iterator[Fact]:
    """Headings, decisions, topics that are mentioned, and commands in code blocks."""
    if _SHOWN.search(source.path):
        return  # pages that the system shows to its users say nothing of the system
    decision = _DECISION_FILE.search(source.path) is not None
    fenced = False
    seen: set[str] = set()
    heads = dict(_headings(source))
    for number, line in enumerate(source.text.splitlines(), 1):
        if _FENCE.match(line):
            fenced = not fenced
            continue
        if fenced:
            yield from (
                operations.collect_shell(
                    Source(source.path, "\n" * (number - 1) + line, source.nature), Strength.CLAIMED
                )
                if _cheap(line)
                else ()
            )
            continue
        heading = heads.get(number)
        if heading:
            yield Fact("doc.heading", source.path, number, Strength.CLAIMED, {"text": heading})
        low = line.lower()
        for topic, (stems, pattern) in _LOOKS.items():
            if any(stem in low for stem in stems) and pattern.search(line):
                planned = _PLANNED.search(line) is not None
                data = {
                    "topic": topic,
                    "text": line.strip()[:200],
                    "decision": decision,
                    "heading": heading is not None,
                    "planned": planned,
                }
                if topic not in seen or heading or decision:
                    yield Fact("doc.topic", source.path, number, Strength.CLAIMED, data)
                if not planned:
                    seen.add(topic)
    yield from _procedures(source)
    if _TELLS.search(source.path):
        words = frozenset(re.findall(r"[a-z]{3,}", source.text[:200_000].lower()))
        yield Fact("doc.words", source.path, 1, Strength.CLAIMED, {"words": words})
    if decision:
        yield Fact("decision", source.path, 1, Strength.DECLARED, {"text": source.text[:8000]})


_UNDERLINE = re.compile(r"([=\-~^\"'*+#])\1{2,}\s*$")


def _headings(source: Source) -> Iterator[tuple[int, str]]:
    """Headings with their lines: marked before, or underlined as in reStructuredText."""
    lines = source.text.splitlines()
    for number, line in enumerate(lines, 1):
        if match := _HEADING.match(line):
            yield number, match[2].strip()
        elif source.suffix in (".rst", ".txt") and line.strip() and number < len(lines):
            under = lines[number]
            if _UNDERLINE.match(under) and len(under.rstrip()) >= len(line.rstrip()) and line[:1].strip():
                yield number, line.strip()


def _procedures(source: Source) -> Iterator[Fact]:
    """`procedure`: a section on how to back up or restore that says more than that one should."""
    lines = source.text.splitlines()
    heads = list(_headings(source))
    for index, (number, text) in enumerate(heads):
        topic = next((topic for topic, pattern in _PROCEDURES if pattern.match(text)), "")
        end = heads[index + 1][0] - 1 if index + 1 < len(heads) else len(lines)
        said = " ".join([text, *lines[number:end]])
        if topic and len(said.split()) >= _ENOUGH_WORDS and _OF_DATA.search(said):
            yield Fact(
                "procedure", source.path, number, Strength.CLAIMED, {"topic": topic, "text": text[:80]}
            )


def _cheap(line: str) -> bool:
    return any(
        word in line for word in ("dump", "backup", "restore", "wal-", "velero", "litestream", "snapshot")
    )
