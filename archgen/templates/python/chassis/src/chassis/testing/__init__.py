"""Starts the whole system as real processes, for tests, demos and fault injection."""

from chassis.testing.system import NotReady, System

__all__ = ["NotReady", "System"]
