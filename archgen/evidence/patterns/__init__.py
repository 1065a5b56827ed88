"""Patterns recognised in code: from functions and their effects to facts. Structure first, a
library's name second.
"""
