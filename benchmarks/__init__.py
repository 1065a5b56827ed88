"""Measurements: ratios taken in one run, never timed tests. `make bench` runs all of them."""
