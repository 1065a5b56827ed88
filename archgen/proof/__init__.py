"""Sagas proved before a line is written: every interleaving explored, the shortest counter-example told.

`orchestrated` and `choreographed` are models of what the chassis does at run time, `explorer` tries
everything that may happen in them, `judge_*` says what is wrong with how it may end, and `prove` puts
them together. docs/proof.md says what is assumed.
"""
