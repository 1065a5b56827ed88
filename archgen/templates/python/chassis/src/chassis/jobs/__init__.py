"""Job queues: work that can wait, done by a worker of its own, in the same database as the rest.

A use case enqueues in its transaction: `uow.enqueue(Deliver(notification_id=...))`. The worker takes
the job, does it, and commits its effect together with the fact that it is done.
"""

from chassis.jobs.cron import Cron
from chassis.jobs.definition import Backoff, Effect, GiveUp, Job, Run

__all__ = ["Backoff", "Cron", "Effect", "GiveUp", "Job", "Run"]
