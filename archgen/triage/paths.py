"""Which files a path pattern means: as in a .gitignore, since everybody knows that."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache


@cache
def matcher(pattern: str) -> Callable[[str], bool]:
    """Whether a file matches `pattern`; every file does where it is "". Raises ValueError."""
    if not pattern:
        return lambda file: True
    import pathspec

    if pattern.startswith(("!", "#")):
        raise ValueError(f"{pattern!r} is no pattern of a path")
    try:
        spec = pathspec.GitIgnoreSpec.from_lines([pattern.removeprefix("./")])
    except ValueError as error:
        raise ValueError(f"{pattern!r} is no pattern of a path: {error}") from error
    return lambda file: bool(spec.match_file(file))
