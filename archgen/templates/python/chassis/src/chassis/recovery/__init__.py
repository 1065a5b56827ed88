"""Backup, restore, and what makes one system again of databases that were copied at different times.

`python -m chassis.recovery backup | verify | restore | replay`. The idea: every service publishes what
it did, so the broker's stream is the log from which a database that is behind is brought forward
(`redo`). Source: C. Mohan et al., "ARIES", ACM TODS 17(1), 1992, for redo before anything else.
"""
