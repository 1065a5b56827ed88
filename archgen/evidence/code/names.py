"""Names of functions and types: which are everyday words, which lie close by, and what is bare of them."""

from __future__ import annotations

import re
from functools import lru_cache

from archgen.evidence.code.model import Function

COMMON = {
    "get", "set", "add", "run", "execute", "handle", "send", "call", "post", "put", "delete", "update",
    "create", "save", "close", "start", "stop", "init", "find", "load", "map", "filter", "apply",
    "build", "of", "new", "next", "then", "append", "remove", "read", "write", "open", "push", "pop",
    "log", "error", "info", "debug", "warn", "print", "format", "encode", "decode", "Error", "String",
    "equals", "toString", "valueOf", "join", "split", "replace", "commit", "rollback", "begin", "flush",
    "Handle", "insert", "select", "item", "items", "keys", "values", "copy", "clear", "count", "test",
    "main", "setup", "register", "use", "stream", "forEach", "collect", "reduce", "flatMap", "iterator",
    "size", "contains", "includes", "concat", "slice", "sort", "reverse", "match", "exec", "entries", "emit",
}  # fmt: skip


def usual(name: str) -> bool:
    """Whether a name is an everyday word, which says nothing of whose it is."""
    return name in COMMON or f"{name[:1].lower()}{name[1:]}" in COMMON


def nearest(functions: list[Function], path: str) -> list[Function]:
    """Those of `functions` that lie closest to the file `path`: two services may each have a class
    of one name.
    """
    if len(functions) < 2:
        return list(functions)
    close = [shared(path, f.file) for f in functions]
    best = max(close)
    return [f for f, depth in zip(functions, close, strict=True) if depth == best]


def shared(path: str, other: str) -> int:
    """How many folders two paths have in common; 99 where one ends within the other."""
    pairs = zip(path.split("/"), other.split("/"), strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), 99)


@lru_cache(50_000)
def plain(type_: str) -> str:
    """The bare name of a type: `Repository` for `Optional[data.Repository<Order>] | None`."""
    text = re.sub(r"@\w+(\([^()]*\))?\s*", "", type_)  # @NonNull Order
    text = re.sub(r"^(Optional|Annotated|Promise|Type|type)\s*[\[<]", "", text.strip("\"' *&"))
    return re.split(r"[<\[|,\s(]", text.strip())[0].rpartition(".")[2].lstrip("*&")
