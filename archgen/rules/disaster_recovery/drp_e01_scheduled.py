"""Backups that are taken by a schedule."""

from collections.abc import Iterable

from archgen.evidence.facts import Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    return hits(
        [f for f in facts.of("backup") if f["scheduled"]], lambda f: f"a scheduled backup by {f['by']}"
    )


RULE = Rule(
    id="DRP-E01",
    item="disaster_recovery",
    kind="evidence",
    severity=Severity.NOTE,
    title="Scheduled backup",
    why="A backup that somebody has to remember is missing on the day it is needed.",
    remedy="Let a schedule take it, and alert when it fails.",
    languages=("config",),
    valid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "k.yaml": """
                apiVersion: batch/v1
                kind: CronJob # <-
                metadata: {name: backup}
                spec:
                  schedule: '0 2 * * *'
                  jobTemplate:
                    spec: {template: {spec: {containers: [{image: postgres, command: [pg_dump, shop]}]}}}
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "scripts/backup.crontab": """
                # m h dom mon dow command
                0 2 * * * cd /srv/shop && python -m shop.recovery backup # <-
            """,
        }),
        Sample("config", {
            "go.mod": "module example.com/shop\n",
            "db/backup.go": """
                package db
                import "database/sql"
                func Backup(db *sql.DB, path string) error { // <-
                    _, err := db.Exec("VACUUM INTO ?", path)
                    return err
                }
                func Restore(db *sql.DB, backup string) error {
                    return copyPages(db, backup)
                }
            """,
            "cmd/main.go": """
                package main
                import "example.com/shop/db"
                func schedulePeriodicBackup(conn *sql.DB) { db.Backup(conn, "shop.db") }
                func main() { http.ListenAndServe(":80", nil) }
            """,
        }),
    ),
    invalid=(
        Sample("config", {
            "bin.py": """
                def backup_file(path):
                    shutil.copy(path, path + ".bak")
                def restore_entry(entry):
                    entry.deleted = False
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "scripts/backup.crontab": """
                # 0 2 * * * cd /srv/shop && python -m shop.recovery backup
                0 2 * * * cd /srv/shop && python -m shop.report
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "backup.sh": """
                # pg_dump shop
                pg_dump shop > shop.sql
            """,
        }),
    ),
    check=check,
)  # fmt: skip
