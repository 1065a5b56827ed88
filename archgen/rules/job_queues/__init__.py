"""Is work that can wait done by workers that lose none of it?"""

from archgen.rules import grounds
from archgen.rules.model import Item, Judgement, Seen, Verdict


def judge(seen: Seen) -> Judgement:
    errors, parts = seen.errors(), []
    queue, consumers = seen.shows("JOB-E01"), seen.shows("JOB-E02")
    if seen.shows("JOB-E03"):
        parts.append("dead letters")
    if seen.shows("JOB-E04"):
        parts.append("a limit of attempts")
    with_ = f" with {' and '.join(parts)}" if parts else ", without dead letters or a limit of attempts"
    but = f"; but {errors[0].message}" if errors else ""
    if queue:
        once = next((f for f in seen.findings if f.rule == "JOB-005"), None)
        but = but or (f"; but {once.message}" if once else "")
        done = seen.shows("JOB-E04") and not errors and not once
        return Judgement(Verdict.PASS if done else Verdict.PARTIAL, f"a job queue with workers{with_}{but}")
    if consumers:
        return Judgement(Verdict.PARTIAL, f"work runs through message consumers{with_}; no job queue{but}")
    scheduled = next(seen.facts.of("job.schedule"), None)
    if scheduled is not None:
        place = f"{scheduled.file}:{scheduled.line}"
        return Judgement(
            Verdict.PARTIAL,
            f"work comes round by the clock inside a process ({place}), with no queue behind it{but}",
            grounds.of((scheduled,), "work by the clock"),
        )
    if not seen.facts.services and not grounds.library(seen.facts):
        return Judgement(Verdict.UNKNOWN, "no service, worker or queue was recognised")
    return Judgement(
        Verdict.FAIL,
        "no job queue, no worker and no consumer of messages was found",
        grounds.starts(seen.facts),
    )


ITEM = Item("job_queues", "Job queues", judge)
