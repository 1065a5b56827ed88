"""Drift: what the project's own description declares and its code lacks. Each rule belongs to the item it hurts."""
