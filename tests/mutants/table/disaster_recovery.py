"""Disaster recovery: backups that run, can fail and can be read back; stores that stay."""

from __future__ import annotations

from functools import partial

from tests.mutants.config import drop_key, set_value
from tests.mutants.edits import chain, regex, remove, text
from tests.mutants.model import Mutation
from tests.mutants.table.places import COMPOSE

_recovery = partial(Mutation, item="disaster_recovery")
_CRONTAB = "scripts/backup.crontab"
_DATABASE = "deploy/kubernetes/components/local/database.yaml"
_BROKER = "deploy/kubernetes/components/local/broker.yaml"
_NATS = "deploy/kubernetes/components/local/nats.conf"

MUTATIONS = (
    _recovery(
        "no schedule of backups",
        rules=("DRP-001",),
        at="*",
        edit=remove(_CRONTAB),
    ),
    _recovery(
        "the schedule is commented out",
        rules=("DRP-001",),
        at="*",
        edit=regex(_CRONTAB, r"^(?=[\d*])", "# "),
    ),
    _recovery(
        "the schedule runs something else",
        rules=("DRP-001",),
        at="*",
        edit=regex(_CRONTAB, r"-m chassis\.recovery backup .*$", "-m chassis dead-letters orders"),
    ),
    _recovery(
        "no way back",
        rules=("DRP-002",),
        at="*",
        edit=chain(
            regex("recovery.mk", r"^(restore|drill):.*\n(\t.*\n)+", ""),
            remove("docs/disaster-recovery.md"),
            regex(
                "*.md", r"(?i)\brestor(e[sd]?|ing|ation)\b|\brecover(y|ing|ed)?\b|point-in-time", "look after"
            ),
            remove("scripts/drill.py"),
        ),
    ),
    _recovery(
        "no RPO and no RTO",
        rules=("DRP-002",),
        at="*",
        edit=chain(
            regex("*.md", r"\b(RPO|RTO)\b|(?i:recovery (point|time) objective)", "goal"),
            regex("system.yaml", r"^recovery: .*\n", ""),
            regex(_CRONTAB, "The recovery point of", "The goal of"),
        ),
    ),
    _recovery(
        "a backup in the crontab whose failure nobody sees",
        rules=("DRP-004",),
        at=_CRONTAB,
        edit=regex(_CRONTAB, r"(--keep-days 14)$", r"\1 || true"),
    ),
    _recovery(
        "a backup in the crontab whose failure is answered with a colon",
        rules=("DRP-004",),
        at=_CRONTAB,
        edit=regex(_CRONTAB, r"(--keep-days 14)$", r"\1 2>/dev/null || :"),
    ),
    _recovery(
        "a backup in the crontab that always ends well",
        rules=("DRP-004",),
        at=_CRONTAB,
        edit=regex(_CRONTAB, r"(--keep-days 14)$", r"\1; exit 0"),
    ),
    _recovery(
        "a backup whose output goes through a pipe",
        rules=("DRP-004",),
        at=_CRONTAB,
        edit=regex(_CRONTAB, r"(--keep-days 14)$", r"\1 | tee -a /var/log/backup.log"),
    ),
    _recovery(
        "a target of make that ignores a failed backup",
        rules=("DRP-004",),
        at="recovery.mk",
        edit=regex("recovery.mk", r"^\t(?=\$\(BIN\)/python -m chassis\.recovery backup)", "\t-"),
    ),
    _recovery(
        "the database has no volume, in compose",
        rules=("DRP-003",),
        at=COMPOSE,
        edit=regex(COMPOSE, r'^ +- "database:/var/lib/postgresql/data"\n', ""),
    ),
    _recovery(
        "the volume is not where the database writes",
        rules=("DRP-003",),
        at=COMPOSE,
        edit=text(COMPOSE, "database:/var/lib/postgresql/data", "database:/var/lib/postgres"),
    ),
    _recovery(
        "the database is kept in memory, in compose",
        rules=("DRP-003",),
        at=COMPOSE,
        edit=regex(
            COMPOSE,
            r'^    volumes:\n +- "database:/var/lib/postgresql/data"\n',
            "    tmpfs:\n      - /var/lib/postgresql/data\n    volumes:\n",
        ),
    ),
    _recovery(
        "the database's claim is an empty folder, in Kubernetes",
        rules=("DRP-003",),
        at=_DATABASE,
        edit=chain(
            drop_key(_DATABASE, "spec.volumeClaimTemplates"),
            regex(
                _DATABASE,
                r"^      volumes:\n",
                "      volumes:\n        - name: data\n          emptyDir: {}\n",
            ),
        ),
    ),
    _recovery(
        "the broker has no volume, in compose",
        rules=("DRP-003",),
        at=COMPOSE,
        edit=regex(COMPOSE, r'^ +- "broker:/data"\n', ""),
    ),
    _recovery(
        "the broker's claim is an empty folder, in Kubernetes",
        rules=("DRP-003",),
        at=_BROKER,
        edit=chain(
            drop_key(_BROKER, "spec.volumeClaimTemplates"),
            regex(
                _BROKER,
                r"^      volumes:\n",
                "      volumes:\n        - name: data\n          emptyDir: {}\n",
            ),
        ),
    ),
    _recovery(
        "the broker stores beside its volume",
        rules=("DRP-003",),
        at="deploy/*",
        edit=text(_NATS, "store_dir: /data", "store_dir: /tmp/jetstream"),
    ),
    _recovery(
        "a service keeps its database in memory",
        rules=("DRP-003",),
        at=COMPOSE,
        edit=set_value(COMPOSE, "services.inventory.environment.DATABASE_URL", '"sqlite:///:memory:"'),
    ),
)
