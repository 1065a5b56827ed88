"""The mutations, by the item of the checklist that they break."""

from tests.mutants.model import Mutation
from tests.mutants.table import (
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

ALL: tuple[Mutation, ...] = (
    *service_boundaries.MUTATIONS,
    *communication_patterns.MUTATIONS,
    *event_sourcing.MUTATIONS,
    *saga.MUTATIONS,
    *job_queues.MUTATIONS,
    *circuit_breaker.MUTATIONS,
    *observability.MUTATIONS,
    *error_handling.MUTATIONS,
    *data_consistency.MUTATIONS,
    *disaster_recovery.MUTATIONS,
)
