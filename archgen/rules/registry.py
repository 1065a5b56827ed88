"""Every item and every rule, by name: nothing is found by importing around, and a test compares this with the files."""

from archgen.rules import (
    circuit_breaker,
    communication_patterns,
    data_consistency,
    disaster_recovery,
    error_handling,
    event_sourcing,
    job_queues,
    observability,
    saga,
    service_boundaries,
)
from archgen.rules.circuit_breaker import (
    res_001_no_timeout,
    res_003_unbounded_retry,
    res_e01_breaker,
    res_e02_timeout,
)
from archgen.rules.communication_patterns import (
    com_e01_sync,
    com_e02_async,
    com_e03_argued,
)
from archgen.rules.data_consistency import (
    dtc_001_dual_write,
    dtc_e01_outbox,
    dtc_e02_inbox,
    dtc_e03_transaction,
    dtc_e04_optimistic_lock,
    dtc_e05_append_only,
)
from archgen.rules.disaster_recovery import (
    drp_e01_scheduled,
    drp_e02_restore,
    drp_e03_objectives,
    drp_e04_backup,
)
from archgen.rules.error_handling import (
    err_001_swallowed,
    err_002_publish_swallowed,
    err_003_commit_error_lost,
    err_e01_mapped,
    err_e02_retry,
    err_e03_dead_letters,
    err_e04_fallback,
)
from archgen.rules.event_sourcing import (
    evs_e01_aggregate,
    evs_e02_ledger,
    evs_e03_decided_against,
)
from archgen.rules.job_queues import (
    job_e01_queue,
    job_e02_consumers,
    job_e03_dead_letters,
    job_e04_attempts,
)
from archgen.rules.model import Item, Rule
from archgen.rules.observability import (
    obs_004_silent_telemetry,
    obs_e01_metrics,
    obs_e02_traces,
    obs_e03_alerts,
    obs_e04_health,
)
from archgen.rules.saga import (
    sag_001_uncompensated_writes,
    sag_005_noop_compensation,
    sag_e01_compensation,
)
from archgen.rules.service_boundaries import (
    bnd_001_shared_database,
    bnd_e01_services,
    bnd_e02_own_database,
)

ITEMS: tuple[Item, ...] = (
    service_boundaries.ITEM,
    communication_patterns.ITEM,
    event_sourcing.ITEM,
    saga.ITEM,
    job_queues.ITEM,
    circuit_breaker.ITEM,
    observability.ITEM,
    error_handling.ITEM,
    data_consistency.ITEM,
    disaster_recovery.ITEM,
)

RULES: tuple[Rule, ...] = (
    bnd_001_shared_database.RULE,
    bnd_e01_services.RULE,
    bnd_e02_own_database.RULE,
    com_e01_sync.RULE,
    com_e02_async.RULE,
    com_e03_argued.RULE,
    evs_e01_aggregate.RULE,
    evs_e02_ledger.RULE,
    evs_e03_decided_against.RULE,
    sag_001_uncompensated_writes.RULE,
    sag_005_noop_compensation.RULE,
    sag_e01_compensation.RULE,
    job_e01_queue.RULE,
    job_e02_consumers.RULE,
    job_e03_dead_letters.RULE,
    job_e04_attempts.RULE,
    res_001_no_timeout.RULE,
    res_003_unbounded_retry.RULE,
    res_e01_breaker.RULE,
    res_e02_timeout.RULE,
    obs_004_silent_telemetry.RULE,
    obs_e01_metrics.RULE,
    obs_e02_traces.RULE,
    obs_e03_alerts.RULE,
    obs_e04_health.RULE,
    err_001_swallowed.RULE,
    err_002_publish_swallowed.RULE,
    err_003_commit_error_lost.RULE,
    err_e01_mapped.RULE,
    err_e02_retry.RULE,
    err_e03_dead_letters.RULE,
    err_e04_fallback.RULE,
    dtc_001_dual_write.RULE,
    dtc_e01_outbox.RULE,
    dtc_e02_inbox.RULE,
    dtc_e03_transaction.RULE,
    dtc_e04_optimistic_lock.RULE,
    dtc_e05_append_only.RULE,
    drp_e01_scheduled.RULE,
    drp_e02_restore.RULE,
    drp_e03_objectives.RULE,
    drp_e04_backup.RULE,
)
