"""Agents: a model that works on a task with tools of this service, within limits.

- `definition`  an agent as data: goal, tools, limits
- `loop`        turns until the end or a limit
- `toolbox`     every tool call answered; commands wait for a person's yes
- `model`       the Messages API under breaker, retries and time limits
- `runs`        what is kept of each run
- `staff`       the agents of one process
- `http`        the routes
"""

from chassis.agents.definition import Agent, CommandTool, Described, Limits, ReadTool, described
from chassis.agents.desk import own_view, peer_view

__all__ = [
    "Agent",
    "CommandTool",
    "Described",
    "Limits",
    "ReadTool",
    "described",
    "own_view",
    "peer_view",
]
