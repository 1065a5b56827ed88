"""archgen: one YAML description of a distributed system in, a running and tested project out."""

__version__ = "0.1.0"
