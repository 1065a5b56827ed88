"""What cannot be handled is kept, with its reason."""

from archgen.rules.job_queues import job_e03_dead_letters
from archgen.rules.model import Rule, Severity

RULE = Rule(
    id="ERR-E03",
    item="error_handling",
    kind="evidence",
    severity=Severity.NOTE,
    title="Dead letters",
    why="A message that nobody could handle is an error that nobody has answered yet.",
    remedy=job_e03_dead_letters.RULE.remedy,
    languages=job_e03_dead_letters.RULE.languages,
    valid=job_e03_dead_letters.RULE.valid,
    invalid=job_e03_dead_letters.RULE.invalid,
    check=job_e03_dead_letters.check,
)
