"""What changed since a commit, as lines per file, by asking git.

git runs without the hooks, filters and external programs that the audited repository may name.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from archgen.errors import ArchgenError, Problem

_SAFE = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "core.quotePath=true")
_HUNK = re.compile(r"^@@ -\d+(?:,\d+)? \+(\d+)(?:,(\d+))? @@")
_ESCAPE = re.compile(r"\\([0-7]{3}|.)")
_PLAIN = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


@dataclass(frozen=True)
class Changes:
    """`lines` per changed file, in the audited folder; None for a file that is new."""

    lines: dict[str, set[int] | None] = field(default_factory=dict)

    def touches(self, file: str, first: int, last: int) -> bool:
        """Whether a statement is on changed lines; one without a line is when its file changed."""
        if file not in self.lines:
            return False
        changed = self.lines[file]
        return changed is None or not first or any(first <= line <= max(first, last) for line in changed)


def since(root: Path, ref: str) -> Changes:
    """What changed in `root` since the commit where this branch left `ref`, new files included.

    Raises ArchgenError where there is no repository, no git, or no such commit.
    """
    _require_repository(root)
    start = _start(root, ref)
    diff = _git(
        root, "diff", "--unified=0", "--find-renames", "--no-color", "--no-ext-diff", "--no-textconv",
        "--src-prefix=a/", "--dst-prefix=b/", "--relative", "--ignore-submodules", start, "--", ".",
    )  # fmt: skip
    found = Changes()
    _read_diff(diff, found)
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z", "--", ".")
    found.lines.update(dict.fromkeys((name for name in new.split("\0") if name), None))
    return found


def _start(root: Path, ref: str) -> str:
    """The commit to compare with; the empty tree for `HEAD` where nothing was committed yet."""
    found = _git(
        root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{ref}^{{commit}}", allow=(1, 128)
    ).strip()
    if found:
        fork = _git(root, "merge-base", found, "HEAD", allow=(1, 128)).split()
        return fork[0] if fork else found
    if ref == "HEAD":
        return _git(root, "hash-object", "-t", "tree", "--stdin").strip()
    shallow = _git(root, "rev-parse", "--is-shallow-repository", allow=(128,)).strip() == "true"
    remedy = "this clone is shallow: fetch more of the history" if shallow else "give a branch, tag or commit"
    raise ArchgenError(Problem(f"there is no commit {ref!r} in this repository", remedy=remedy))


def _require_repository(root: Path) -> None:
    inside = _git(root, "rev-parse", "--is-inside-work-tree", allow=(128,), complain=True).strip()
    if inside != "true":
        raise ArchgenError(
            Problem(
                "--changed-since needs a git work tree",
                file=str(root),
                remedy="run it in a clone, or use --baseline",
            )
        )


def _git(root: Path, *arguments: str, allow: tuple[int, ...] = (), complain: bool = False) -> str:
    try:
        done = subprocess.run(
            ["git", *_SAFE, *arguments], cwd=root, stdin=subprocess.DEVNULL, capture_output=True, check=False
        )
    except FileNotFoundError as error:
        raise ArchgenError(Problem("git is not installed", remedy="--changed-since needs it")) from error
    except OSError as error:
        raise ArchgenError(Problem(f"git cannot be started: {error.strerror}")) from error
    said = done.stderr.decode("utf-8", "replace").strip().partition("\n")[0]
    if done.returncode and (done.returncode not in allow or (complain and "not a git" not in said)):
        raise ArchgenError(Problem(f"git says: {said or done.returncode}", file=str(root)))
    return done.stdout.decode("utf-8", "surrogateescape") if not done.returncode else ""


def _read_diff(diff: str, found: Changes) -> None:
    file, new, body = "", False, 0
    for line in diff.split("\n"):
        if body and line[:1] in "+-\\":
            body -= line[:1] != "\\"
            continue
        if line.startswith("diff --git "):
            file, new = "", False
        elif line.startswith("new file mode"):
            new = True
        elif line.startswith("+++ "):
            file = _name(line[4:])
            if file:
                found.lines[file] = None if new else set()
        elif (match := _HUNK.match(line)) and file:
            body = sum(int(part) for part in _sizes(line))
            changed = found.lines[file]
            if changed is not None:
                changed |= set(_touched(int(match[1]), int(match[2] or 1)))


def _sizes(hunk: str) -> Iterator[str]:
    for match in re.finditer(r"[-+]\d+(?:,(\d+))?", hunk.split("@@")[1]):
        yield match[1] or "1"


def _touched(first: int, count: int) -> range:
    """The lines that a hunk added; of one that only removed, the lines on both sides of the gap."""
    return range(first, first + count) if count else range(max(first, 1), first + 2)


def _name(text: str) -> str:
    """The file behind `b/name` or `"b/na\\303\\257ve"`; "" for a file that is gone."""
    text = text.rstrip("\t")
    if text == "/dev/null":
        return ""
    if text.startswith('"'):
        raw = _ESCAPE.sub(_unescaped, text[1:-1])
        text = raw.encode("latin-1", "replace").decode("utf-8", "surrogateescape")
    return text.removeprefix("b/")


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code, 8)) if len(code) == 3 else _PLAIN.get(code, code)
