"""Orchestrated sagas: a definition, the pure steps of its life, and the log that survives a crash.

Source: Hector Garcia-Molina and Kenneth Salem, "Sagas", SIGMOD 1987.
"""

from chassis.saga.definition import Field, Saga, Step

__all__ = ["Field", "Saga", "Step"]
