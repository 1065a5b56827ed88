"""From source text to a `Module`, in one pass over the syntax tree."""

from __future__ import annotations

import re
from bisect import bisect_right

from ast_grep_py import Config, SgNode, SgRoot

from archgen.evidence.code.grammar import BY_SUFFIX, Grammar
from archgen.evidence.code.imports import imports_of
from archgen.evidence.code.model import Block, Call, Catch, Class, Function, Module, Text
from archgen.evidence.code.split import arguments, fields, parameters
from archgen.evidence.nature import Nature

_WANTED_TEXT = re.compile(
    r"\b(select|insert|update|delete|create|merge|replace|begin|pragma|alter)\b|://|_total\b|_seconds\b|^/|[a-z]\.[a-z]|[\w-]{3}",
    re.IGNORECASE,
)
_DOCSTRING: Config = {"rule": {"kind": "string", "inside": {"kind": "expression_statement"}}}
_NO_NAME = re.compile(r"^await\s+|\(await\s+|\s+|\?(?=\.)|!(?=\.)")
_PREFIX = re.compile(r"^[frbuFRBU]{1,2}(?=[\"'])")
_DEFAULT = re.compile(r"\bexport\s+default\s+$")
_PARTS = re.compile(r"[.,\s]")
_MADE = re.compile(r"(?:await\s+)?(?:new\s+)?&?([A-Za-z_][\w.]*)\s*(?:<[^>]*>)?\s*[({\[]")
_OPENING = re.compile(r"[{\n]|:\s*$")
_OR_ELSE = re.compile(r"(\w+)\s*(?:\bor\b|\|\||\?\?)")  # what was given, or else a default
# A struct of Go that has all that another one of its package has.
_EMBEDS = re.compile(r"(?m)^[ \t]+\*?([A-Za-z_]\w*)[ \t]*(?:`[^`\n]*`)?[ \t]*(?://.*)?$")
_HEADER = 160
_MODIFIERS = re.compile(r"(?:[\s\w<>,.?\[\]&]|@interface\b)*")
Spanned = tuple[SgNode, str, int, int]


def parse(path: str, text: str, nature: Nature = Nature.PRODUCTION) -> Module | None:
    """The module in `text`; None when its language is not one of ours."""
    suffix = "." + path.rsplit(".", 1)[-1].lower()
    entry = BY_SUFFIX.get(suffix)
    if entry is None:
        return None
    grammar, parser = entry
    module = Module(
        path=path,
        language=grammar.language,
        production=nature.counts,
        test=nature in (Nature.TEST, Nature.EXAMPLE),
    )
    root = SgRoot(text, parser).root()
    nodes = root.find_all({"rule": {"any": [{"kind": kind} for kind in dict.fromkeys(grammar.kinds())]}})
    spans = sorted((_spanned(node) for node in nodes), key=lambda item: (item[2], -item[3]))
    blank = [(start, end) for _, kind, start, end in spans if kind in grammar.comments]
    if grammar.language == "python":
        blank += [_spanned(node)[2:] for node in root.find_all(_DOCSTRING)]
    clean = _without(text, blank)
    said = [start for start, end in blank if _MEANT.search(text, start, end)]
    _Reader(module, grammar, clean, said).read(spans)
    module.imports = imports_of(clean, grammar.language)
    if grammar.language == "go":
        match = re.search(r"^package\s+(\w+)", clean, re.MULTILINE)
        module.package = match[1] if match else ""
    elif grammar.language == "java":
        match = re.search(r"^package\s+([\w.]+)", clean, re.MULTILINE)
        module.package = match[1] if match else ""
    return module


def _spanned(node: SgNode) -> Spanned:
    span = node.range()
    return node, node.kind(), span.start.index, span.end.index


def _without(text: str, spans: list[tuple[int, int]]) -> str:
    """`text` with comments and docstrings turned into blanks, so that every position stays as it is."""
    if not spans:
        return text
    parts, at = [], 0
    for start, end in sorted(spans):
        if start < at:
            continue
        blank = "\n".join(" " * len(line) for line in text[start:end].split("\n"))
        parts += [text[at:start], blank]
        at = end
    return "".join([*parts, text[at:]])


def _heritage(after: str, language: str) -> str:
    """What a class says of its bases, in the text after its name; what type parameters extend is none."""
    if language not in ("typescript", "java"):
        return after.split(":" if language == "python" else "{", 1)[0]
    deep, begin = 0, 0
    for match in re.finditer(r"=>|[<>{]", after):
        if match[0] == "{" and not deep:
            return after[begin : match.start()]
        deep += {"<": 1, ">": -1}.get(match[0], 0)
        if match[0] == ">" and not deep and not begin and after.lstrip()[:1] == "<":
            begin = match.end()
    return after[begin:].split("{", 1)[0]


# Somebody has thought about a failure, and says why nothing is lost.
_MEANT = re.compile(
    r"ignor\w+[^\n]{0,40}\bsafe\b|\bsafe(ly)?\b[^\n]{0,20}\bignor|\b(intentional|deliberate)|\bon purpose\b",
    re.IGNORECASE,
)


class _Reader:
    """Sweeps the nodes in order of place and keeps a stack of what surrounds the current one."""

    def __init__(self, module: Module, grammar: Grammar, text: str, said: list[int]) -> None:
        self.module, self.grammar, self.text = module, grammar, text
        self.said = said  # where a comment says that something is ignored on purpose
        self.lines = [0, *(m.end() for m in re.finditer("\n", text))]
        self.stack: list[tuple[int, Function | Class | Block]] = []
        self.top = Function("", "", module.path, 1, len(self.lines), body="")
        self.marks: list[tuple[int, int]] = []
        self.pending: list[tuple[int, int, Block]] = []
        self.tries: list[tuple[int, Block]] = []
        self.around: tuple[tuple[int, object], tuple[Block, ...]] = ((0, None), ())

    def read(self, nodes: list[Spanned]) -> None:
        # an annotation lies inside of what it stands on, or before it: all are known before the sweep
        for start, end in sorted((s, e) for _, kind, s, e in nodes if kind in self.grammar.marks):
            if not self.marks or start >= self.marks[-1][1]:  # one inside another belongs to that
                self.marks.append((start, end))
        for node, kind, start, end in nodes:
            while self.stack and self.stack[-1][0] <= start:
                self.stack.pop()
            self._enter(start)
            self._visit(node, kind, start, end)
        self.module.functions.append(self.top)

    def _visit(self, node: SgNode, kind: str, start: int, end: int) -> None:
        g = self.grammar
        if kind in g.calls and not self._in_mark(start):
            self._call(node, kind, start, end)
        elif kind in g.functions or kind in g.closures:
            self._function(node, kind, start, end)
        elif kind in g.classes:
            self._class(node, start, end)
        elif kind in g.blocks:
            self._block(node, g.blocks[kind], start, end)
        elif kind in g.assignments:
            self._assignment(node, kind, start)
        elif kind in g.strings:
            value = _PREFIX.sub("", self.text[start:end]).strip("\"'`")
            if 2 < len(value) < 20_000 and _WANTED_TEXT.search(value):
                self.module.texts.append(Text(value, self._line(start), self._function_here()))
        elif kind == "ERROR" and not self.module.broken_at:
            self.module.broken_at = self._line(start)

    def _enter(self, at: int) -> None:
        """Opens the blocks whose body starts at or before `at`: a condition lies outside of what it
        guards.
        """
        if not self.pending:
            return
        for item in [item for item in self.pending if item[0] <= at]:
            self.pending.remove(item)
            if item[1] > at:
                self.stack.append((item[1], item[2]))

    # what surrounds

    def _line(self, index: int) -> int:
        return bisect_right(self.lines, index)

    def _line_start(self, index: int) -> int:
        return self.lines[self._line(index) - 1]

    def _function_here(self) -> Function | None:
        for _, item in reversed(self.stack):
            if isinstance(item, Function):
                return item
        return None

    def _blocks_here(self) -> tuple[Block, ...]:
        if not self.stack:
            return ()
        # Of one stack, the height and what lies on top tell the rest.
        top = (len(self.stack), self.stack[-1][1])
        if top != self.around[0]:
            self.around = (top, self._blocks())
        return self.around[1]

    def _blocks(self) -> tuple[Block, ...]:
        found: list[Block] = []
        for _, item in reversed(self.stack):
            if isinstance(item, Block):
                found.append(item)
            elif isinstance(item, Function):
                break
        return tuple(reversed(found))

    def _owner(self) -> str:
        for _, item in reversed(self.stack):
            if isinstance(item, Class):
                return item.name
            if isinstance(item, Function):
                return item.owner
        return ""

    def _marks_before(self, at: int) -> tuple[str, ...]:
        """Decorators and annotations that stand before position `at` with nothing but modifiers between."""
        found: list[str] = []
        edge = at
        for start, stop in reversed(self.marks[: bisect_right(self.marks, (at, 0))]):
            if stop > edge:
                continue
            if not _MODIFIERS.fullmatch(self.text, stop, edge):
                break
            found.append(self.text[start:stop])
            edge = start
        return tuple(reversed(found))

    def _in_mark(self, at: int) -> bool:
        """Whether `at` lies inside of a decorator: that is kept with what it stands on, and is no call
        of its own.
        """
        index = bisect_right(self.marks, (at, 0)) - 1
        return index >= 0 and self.marks[index][0] <= at < self.marks[index][1]

    # what is found

    def _function(self, node: SgNode, kind: str, start: int, end: int) -> None:
        line, stop = self._line(start), self._line(end - 1)
        name_node = node.field("name")
        name = name_node.text() if name_node else self._name_before(kind, start)
        if not name:
            self.stack.append((end, Block("closure", self._handed_to(node), line, stop)))
            return
        owner = self._owner()
        if kind == "method_declaration" and self.grammar.language == "go":
            receiver = node.field("receiver")
            owner = (
                re.sub(r"\[.*\]", "", receiver.text().strip("()")).split()[-1].lstrip("*") if receiver else ""
            )
        params = node.field("parameters")
        named = parameters(params.text(), self.grammar.language) if params else {}
        place = name_node.range().start.index if name_node else start
        function = Function(
            name=name,
            owner=owner,
            file=self.module.path,
            line=self._line(place),
            end=stop,
            params=named,
            marks=self._marks_before(place),
            body=self.text[self._line_start(place) : end],
        )
        for param, type_ in named.items():
            if type_:
                self.module.types.setdefault(param, type_)
        self.module.functions.append(function)
        self.stack.append((end, function))

    def _name_before(self, kind: str, start: int) -> str:
        """The name that an anonymous function is assigned to: `const go = async () => …`."""
        if kind not in ("arrow_function", "function_expression", "function_declaration"):
            return ""
        before = self.text[max(0, start - 200) : start]
        if _DEFAULT.search(before):
            # whoever brings it in names it, mostly as its file is called
            *folders, file = self.module.path.split("/")
            stem = re.sub(r"\[.*?\]", "", file.partition(".")[0])  # `[id].ts` is called as its folder is
            return folders[-1] if stem in ("", "index") and folders else stem
        match = re.search(r"([A-Za-z_$][\w$]*)\s*(?::[^=(){};\n]+)?[=:]\s*(?:async\s*)?$", before)
        return match[1] if match else ""

    def _handed_to(self, node: SgNode) -> str:
        """The callee of the call that a closure is an argument of."""
        parent = node.parent()
        if parent is not None and parent.kind() == "keyword_argument":
            parent = parent.parent()
        call = (
            parent.parent()
            if parent is not None and parent.kind() in ("arguments", "argument_list")
            else None
        )
        if call is None:
            return ""
        callee = call.field("function") or call.field("constructor") or call.field("name")
        target = call.field("object")  # of a method, where the grammar keeps it apart (Java)
        named = [node.text() for node in (target, callee) if node is not None]
        return re.sub(r"\s+", "", ".".join(named))

    def _class(self, node: SgNode, start: int, end: int) -> None:
        name_node = node.field("name")
        if name_node is None:
            return
        name, place = name_node.text(), name_node.range().start.index
        head = _heritage(self.text[place + len(name) : end], self.grammar.language)
        bases = re.split(r"\b(?:extends|implements)\b|[(),]", head)
        one = Class(
            name=name,
            file=self.module.path,
            line=self._line(place),
            end=self._line(end - 1),
            bases=tuple(b.strip() for b in bases if b.strip()),
            marks=self._marks_before(place),
            body=self.text[self._line_start(place) : end],
        )
        if one.bases == ("struct",):
            one.bases += tuple(_EMBEDS.findall(one.body))
        self.module.classes.append(one)
        for field, kind in fields(one.body, self.grammar.language):
            one.types.setdefault(field, kind)
            self.module.types.setdefault(field, kind)
        self.stack.append((end, one))

    def _block(self, node: SgNode, role: str, start: int, end: int) -> None:
        kind, _, field = role.partition(":")
        if field:
            header = ""
            for part in (field, "alternative"):
                body = node.field(part)
                if body is None or body.kind() in ("else_clause", "elif_clause", "if_statement"):
                    continue
                place = body.range()
                header = header or self.text[start : place.start.index].strip()[:_HEADER]
                opens = start if kind == "with" else place.start.index
                lines = self._line(opens), self._line(place.end.index - 1)
                block = Block(kind, header, *lines)
                self.pending.append((place.start.index, place.end.index, block))
                if kind == "try":
                    self.tries.append((end, block))
            return
        opening = _OPENING.split(self.text[start:end], maxsplit=1)[0]
        block = Block(kind, opening.strip()[:_HEADER], self._line(start), self._line(end - 1))
        self.stack.append((end, block))
        if kind == "catch":
            self._catch(start, end, opening)

    def _catch(self, start: int, end: int, opening: str) -> None:
        function = self._function_here() or self.top
        while self.tries and self.tries[-1][0] <= start:
            self.tries.pop()
        tried = self.tries[-1][1] if self.tries else None
        body = self.text[start:end]
        if self.grammar.language == "python":
            head, _, body = body.partition(":")
            opening = head.removeprefix("except").strip()
        else:
            _, _, body = body.partition("{")
            body = body.rstrip().removesuffix("}")
            match = re.search(r"\((.*)\)", opening, re.DOTALL)
            opening = match[1] if match else ""
        meant = any(start < at < end for at in self.said)
        lines = (self._line(start), self._line(end - 1))
        function.catches.append(Catch(opening, body.strip(), *lines, tried, meant))

    def _assignment(self, node: SgNode, kind: str, start: int) -> None:
        left_field, right_field = self.grammar.assignments[kind]
        left, right = node.field(left_field), node.field(right_field)
        if left is None:
            return
        text = left.text().strip()
        target = _PARTS.split(text)
        name = target[-1] if "." in text and "," not in text else target[0]
        declared = node.field("type")
        if declared is not None:
            self.module.types.setdefault(name, declared.text().lstrip(": "))
        elif right is not None:
            value = self.text[right.range().start.index : right.range().end.index][:200]
            match = _MADE.match(value)
            if match:
                self.module.types.setdefault(name, match[1])
            elif value in self.module.types:
                self.module.types.setdefault(name, self.module.types[value])
            elif (first := _OR_ELSE.match(value)) and first[1] in self.module.types:
                self.module.types.setdefault(name, self.module.types[first[1]])

    def _call(self, node: SgNode, kind: str, start: int, end: int) -> None:
        callee_field, args_field = self.grammar.calls[kind]
        callee_node, args_node = node.field(callee_field), node.field(args_field)
        if callee_node is None:
            return
        callee = callee_node.text()
        if self.grammar.language == "java" and kind == "method_invocation":
            target = node.field("object")
            if target is not None:
                callee = f"{target.text()}.{callee}"
        raw = ""
        if args_node is not None:
            place = args_node.range()
            raw = self.text[place.start.index : place.end.index]
        args, keywords = arguments(raw, self.grammar.language)
        waits = callee.startswith("await ")
        callee = _NO_NAME.sub("", callee)
        if self.grammar.language == "go" and callee.endswith("]"):
            callee = callee[: callee.index("[")]  # type arguments
        parent = node.parent()
        awaited = parent is not None and parent.kind() in ("await", "await_expression")
        if awaited and parent is not None:
            parent = parent.parent()
        # the grammar reads `await f<T>(x)` as a call of `await f`
        awaited = awaited or waits or callee_node.kind() == "await_expression"
        call = Call(
            callee=callee,
            line=self._line(callee_node.range().end.index - 1),
            args=args,
            keywords=keywords,
            awaited=awaited,
            discarded=parent is not None
            and parent.kind() in ("expression_statement", "go_statement", "defer_statement"),
            inside=self._blocks_here(),
        )
        (self._function_here() or self.top).calls.append(call)
