"""Data is kept, and no schedule takes a copy of it."""

import re
from collections.abc import Iterable

from archgen.evidence.facts import Fact, Facts
from archgen.rules.model import Hit, Rule, Sample, Severity, hits


def check(facts: Facts) -> Iterable[Hit]:
    taken = [b for b in facts.of("backup") if b["scheduled"]]
    if taken:
        if all(b.get("store") for b in taken):  # by some stores, each of itself
            yield from hits(
                [s for s in facts.of("datastore") if s.get("kept") is False],
                lambda s: f"{s['name']} ({s['engine']}) keeps no backups, as others do",
            )
        return
    # the same store in several files is told once, where it is started without a variant's name
    told: set[str] = set()
    for store in sorted(facts.of("datastore"), key=_plainest):
        if not (store.get("trial") or store.get("managed")) and str(store["engine"]) not in told:
            told.add(str(store["engine"]))
            yield Hit(
                store.file,
                store.line,
                f"{store['name']} ({store['engine']}) is not backed up by any schedule",
                store.strength,
            )


def _plainest(store: Fact) -> tuple[bool, int, bool, str, int]:
    name = store.file.rpartition("/")[2]
    variant = re.search(r"dev|test|local|sample|ci\b|e2e", store.file, re.IGNORECASE) is not None
    plain = re.match(r"(docker-)?compose\.ya?ml$", name) is None
    return variant, store.file.count("/"), plain, store.file, store.line


RULE = Rule(
    id="DRP-001",
    item="disaster_recovery",
    kind="defect",
    severity=Severity.ERROR,
    title="Store without a scheduled backup",
    why="A disk, a wrong migration or a wrong command ends the business.",
    remedy="Schedule a backup of every store, away from where it runs.",
    languages=("config",),
    valid=(
        Sample("config", {  # for tests, by their folder or their name
            "docker/regtest/docker-compose.yml": """
                services:
                  db: {image: 'postgres:17', volumes: [kept:/var/lib/postgresql/data]}
                volumes: {kept: {}}
            """,
            "docker-compose.document.ci.yaml": """
                services:
                  mongo: {image: 'mongo:7', volumes: [kept:/data/db]}
                volumes: {kept: {}}
            """,
        }),
        Sample("config", {  # who runs it takes copies of it, unless he is told not to
            "a.py": "x = 1\n",
            "template.yaml": """
                AWSTemplateFormatVersion: '2010-09-09'
                Resources:
                  Cluster:
                    Type: AWS::Neptune::DBCluster
            """,
        }),
        Sample("config", {  # for whoever develops
            "a.py": "x = 1\n",
            "compose.yaml": """
                # For development purposes only.
                services:
                  db:
                    image: postgres:16
            """,
        }),
        Sample("config", {  # who hosts it is asked for one every night
            "a.py": "x = 1\n",
            "compose.yaml": """
                services:
                  db:
                    image: postgres:16
            """,
            ".github/workflows/backup.yml": """
                on:
                  schedule:
                    - cron: '0 7 * * *'
                jobs:
                  backup:
                    runs-on: ubuntu-latest
                    steps:
                    - run: |
                        curl -X POST "https://api.host.example/v1/postgres/$ID/backup" \\
                          -H "Authorization: Bearer $KEY" --fail
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "compose.yaml": """
                services:
                  db:
                    image: postgres:16
            """,
            ".github/workflows/b.yml": """
                on:
                  schedule:
                  - cron: '0 2 * * *'
                jobs:
                  b:
                    steps:
                    - run: pg_dump shop > shop.sql
            """,
        }),
        Sample("config", {  # a database on a developer's machine beside one that keeps backups
            "a.py": "x = 1\n",
            "compose.yaml": """
                services:
                  db:
                    image: postgres:16
            """,
            "main.tf": """
                resource "aws_db_instance" "orders" {
                  backup_retention_period = 7
                }

                module "stock" {
                  source                         = "terraform-aws-modules/dynamodb-table/aws"
                  point_in_time_recovery_enabled = true
                }
            """,
        }),
    ),
    invalid=(
        Sample("config", {
            "a.py": "x = 1\n",
            "compose.yaml": """
                services:
                  db: # <-
                    image: postgres:16
            """,
        }),
        Sample("config", {  # one of two stores keeps backups
            "a.py": "x = 1\n",
            "main.tf": """
                resource "aws_rds_cluster" "orders" {
                  backup_retention_period = 7
                }

                module "carts" { # <-
                  source = "terraform-aws-modules/dynamodb-table/aws"
                  name   = "carts"
                }
            """,
        }),
        Sample("config", {
            "a.py": "x = 1\n",
            "template.yaml": """
                Resources:
                  Orders:
                    Type: AWS::DynamoDB::Table
                    Properties:
                      PointInTimeRecoverySpecification:
                        PointInTimeRecoveryEnabled: true
                  Carts: # <-
                    Type: AWS::DynamoDB::Table
                    Properties: {TableName: carts}
            """,
        }),
    ),
    check=check,
)  # fmt: skip
