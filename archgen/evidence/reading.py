"""Source files → modules: one after the other, or on all cores where there is enough to read.

Files are read independently of each other, so they can be handed to other processes in portions; what
comes back is the same, in the same order.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import get_context

from archgen.evidence.code.effects import find_effects
from archgen.evidence.code.model import Module
from archgen.evidence.code.parse import parse
from archgen.evidence.facts import Note
from archgen.evidence.tree import Source

_ENOUGH = 4_000_000  # characters below which starting other processes takes longer than they save
_PORTION = 500_000  # characters
# Nobody writes a source file of this many characters; places in one cost the square of its length.
_LONGEST = 500_000
Read = tuple[Module | None, list[Note]]


def read_code(
    sources: Sequence[Source], step: Callable[[], None] = lambda: None, workers: int = 1
) -> Iterator[Read]:
    """The module of each source, in order, with what there is to say about it. `step` is called per file."""
    if workers < 2 or sum(len(source.text) for source in sources) < _ENOUGH:
        portions: Iterator[list[Read]] = ([read_one(source)] for source in sources)
    else:
        portions = _elsewhere(list(_portions(sources)), workers)
    for portion in portions:
        for read in portion:
            step()
            yield read


def read_one(source: Source) -> Read:
    """The module in `source`; None with a note when it cannot be read."""
    if len(source.text) > _LONGEST:
        told = f"code not read: {len(source.text) // 1000} thousand characters in one file"
        return None, [Note(source.path, told)]
    try:
        module = parse(source.path, source.text, source.nature)
    except (RecursionError, ValueError, RuntimeError) as error:
        return None, [Note(source.path, f"code not read: {error}")]
    notes: list[Note] = []
    if module is not None:
        if module.broken_at and source.nature.counts:
            notes.append(Note(source.path, f"line {module.broken_at} does not parse; what does was read"))
        find_effects(module)
    return module, notes


@contextmanager
def many_objects() -> Iterator[None]:
    """Hundreds of thousands of objects are made and kept: looking for garbage among them finds none."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _elsewhere(portions: list[list[Source]], workers: int) -> Iterator[list[Read]]:
    """Each portion read in another process; here, where those can't be had."""
    # A fresh interpreter rather than a fork: a progress bar's thread may run here, and Windows has no fork.
    pool = ProcessPoolExecutor(workers, mp_context=get_context("spawn"))
    done = 0
    try:
        for found in pool.map(_read_portion, portions):
            yield found
            done += 1
    except (BrokenProcessPool, OSError):
        yield from map(_read_portion, portions[done:])
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _read_portion(sources: list[Source]) -> list[Read]:
    with many_objects():
        return [read_one(source) for source in sources]


def _portions(sources: Sequence[Source]) -> Iterator[list[Source]]:
    portion: list[Source] = []
    size = 0
    for source in sources:
        portion.append(source)
        size += len(source.text)
        if size >= _PORTION:
            yield portion
            portion, size = [], 0
    if portion:
        yield portion
