"""YAML → System: the model, the loader with line numbers, and proofs before anything is written."""

from archgen.spec.load import Loaded, load, load_with_marks, loads, loads_with_marks

__all__ = ["Loaded", "load", "load_with_marks", "loads", "loads_with_marks"]
