"""Valid descriptions, broken at random."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from hypothesis import strategies as st

from archgen.spec.document import Path
from archgen.spec.yaml12 import parse
from tests.spec.samples import AGENT, CHOREOGRAPHED_SHOP, SHOP

HOSTILE = (
    "../x",
    "/etc/passwd",
    "a'b\"c",
    'a"""b',
    "a\nb",
    "{{ 7 * 7 }}",
    "{% raw %}",
    "{# #}",
    "$(reboot)",
    "`reboot`",
    "; rm -rf /",
    "${HOME}",
    "%s %(x)s {0}",
    "*/ */ -->",
    "<script>",
    "' OR 1=1 --",
    "\\",
    "\\u0041",
    "",
    " ",
    "naïve 🛒 \u202e",
    "a" * 5000,
    "None",
    "class",
    "on",
    "~",
)

JUNK: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1.5,
    10**30,
    float("inf"),
    [],
    {},
    [[]],
    [None],
    {"a": 1},
    {"": {}},
    *HOSTILE,
)


def shops() -> tuple[Any, ...]:
    return tuple(parse(text, "s.yaml").plain() for text in (SHOP, CHOREOGRAPHED_SHOP, AGENT))


def paths(value: Any, path: Path = ()) -> Iterator[Path]:
    """All paths of a value, its own included."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from paths(item, (*path, key))


def at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def rename(mapping: dict[Any, Any], old: str, new: str) -> None:
    """The mapping with another key in the same place."""
    items = [(new if key == old else key, item) for key, item in mapping.items()]
    mapping.clear()
    mapping.update(items)


@st.composite
def broken(draw: st.DrawFn) -> Any:
    """A shop after one to four mutations: parts dropped, renamed, repeated, exchanged for others or junk."""
    data = copy.deepcopy(draw(st.sampled_from(shops())))
    for _ in range(draw(st.integers(1, 4))):
        places = [path for path in paths(data) if path]
        if not places:
            break
        path = draw(st.sampled_from(places))
        parent, key = at(data, path[:-1]), path[-1]
        other = at(data, draw(st.sampled_from(places)))
        match draw(st.sampled_from(["drop", "rename", "junk", "other", "repeat"])):
            case "drop":
                del parent[key]
            case "rename" if isinstance(parent, dict):
                names = [str(part) for place in places for part in place[-1:]]
                rename(parent, str(key), draw(st.sampled_from([*names, *HOSTILE, "x-any"])))
            case "other":
                parent[key] = copy.deepcopy(other)
            case "repeat" if isinstance(parent, list):
                parent.append(copy.deepcopy(parent[int(key)]))
            case _:
                parent[key] = copy.deepcopy(draw(st.sampled_from(JUNK)))
    return data
