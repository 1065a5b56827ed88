"""Mutants of generated projects: one pattern broken at a time, and what the audit says of it.

    python -m tests.mutants                 all of them, and the table in docs/mutants.md
    python -m tests.mutants --only saga     those of an item, or with a word in their name

`table/` holds the mutations and `same.py` the edits that must change nothing, both as data.
"""
