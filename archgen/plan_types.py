"""What a plan is made of: items that say which file comes from what. Values only, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from archgen.files import Kind


class Code(str):
    """Text that is already right for the place it goes to, such as a type annotation that the
    plan composed from checked names. Templates print it as it is; see `archgen.render`.

    Never wrap text that came from the YAML unseen: that is what the filters are for.
    """

    __slots__ = ()

    def __html__(self) -> str:
        return self


@dataclass(frozen=True, slots=True)
class Template:
    """A file rendered by Jinja from `template`, a path below archgen/templates."""

    path: str
    template: str
    context: Mapping[str, object] = field(default_factory=dict)
    executable: bool = False
    kind: Kind = "yours"


@dataclass(frozen=True, slots=True)
class Copy:
    """A file copied byte for byte from `source`."""

    path: str
    source: Path
    executable: bool = False
    kind: Kind = "yours"


@dataclass(frozen=True, slots=True)
class Text:
    """A file whose text the plan has already composed; written as UTF-8."""

    path: str
    contents: str
    executable: bool = False
    kind: Kind = "yours"


Item = Template | Copy | Text
