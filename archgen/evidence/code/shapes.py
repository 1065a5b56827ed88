"""Who has all the methods of an interface without saying so: a Protocol of Python, an interface of Go."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from archgen.evidence.code.model import Class, Function, Program
from archgen.evidence.code.names import shared

_METHOD = re.compile(r"(?m)^[ \t]+(\w+)(?:\[[^\]\n]*\])?\(")
_EMBEDDED = re.compile(r"(?m)^[ \t]+(?:\w+\.)?([A-Z]\w*)[ \t]*$")


class Shapes:
    """The methods that an interface asks for, by its name, and who has them."""

    def __init__(
        self,
        program: Program,
        owners: Mapping[str, Mapping[str, list[Function]]],
        bases: Mapping[str, Iterable[str]],
    ) -> None:
        self._owners, self._bases = owners, bases
        self._all: dict[str, dict[str, list[Function]]] = {}
        # two packages may each have an interface of one name
        self._asked: dict[str, dict[str, frozenset[str]]] = defaultdict(dict)
        self._known: dict[tuple[str, frozenset[str]], list[str]] = {}
        interfaces = {
            (module.path, one.name): one
            for module in program.modules.values()
            if module.language == "go" and not module.test
            for one in module.classes
            if one.bases == ("interface",)
        }
        for (path, name), one in interfaces.items():
            methods = _methods(one, interfaces.values(), 0)
            if methods:
                self._asked[name][path] = frozenset(methods)
        self.protocols = {
            one.name
            for module in program.modules.values()
            if module.language == "python" and not module.test
            for one in module.classes
            if "Protocol" in one.bases and len(owners.get(one.name, ())) > 1
        }
        for name in self.protocols:
            self._asked[name][""] = frozenset(set(owners[name]) - {"__init__"})

    def __contains__(self, name: str) -> bool:
        return name in self._asked

    def holders(self, interface: str, method: str, near: str) -> list[Function]:
        """The methods named `method` of all that have the shape of `interface`; of several interfaces of
        that name, the one closest to the file `near` that asks for the method is meant.
        """
        fitting = {p: asked for p, asked in self._asked[interface].items() if method in asked}
        if not fitting:
            return []
        place = max(fitting, key=lambda path: shared(path, near))
        asked = fitting[place]
        if (interface, asked) not in self._known:
            self._known[interface, asked] = [
                one for one in self._owners if one and one != interface and asked <= self._has(one, 0).keys()
            ]
        return [f for one in self._known[interface, asked] for f in self._has(one, 0)[method]]

    def _has(self, one: str, depth: int) -> dict[str, list[Function]]:
        """The methods of a class, with those that it inherits or that a struct which it embeds lends it."""
        if one not in self._all:
            own = {name: found for name, found in self._owners.get(one, {}).items() if found}
            self._all[one] = own
            for base in self._bases.get(one, ()) if depth < 3 else ():
                self._all[one] = {**self._has(base, depth + 1), **self._all[one]}
        return self._all[one]


def _methods(one: Class, interfaces: Iterable[Class], depth: int) -> set[str]:
    """The methods of an interface, with those of the interfaces that it embeds."""
    found = set(_METHOD.findall(one.body))
    for name in _EMBEDDED.findall(one.body) if depth < 3 else ():
        for other in interfaces:
            if other.name == name and other is not one:
                found |= _methods(other, interfaces, depth + 1)
                break
    return found
