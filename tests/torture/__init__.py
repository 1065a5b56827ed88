"""Torture: hundreds of orders while every process is killed, frozen, and fed old messages again.

`python -m tests.torture.campaign` (archgen's Python) generates the shop in both saga styles and
tortures each; `python -m tests.torture --project DIR` (the generated project's Python) tortures one.
The printed seed reproduces the orders and the schedule of faults.
"""
