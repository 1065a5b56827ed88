"""A job queue that a project keeps in a table of its own: seen whole, and not seen when a part is gone."""

from __future__ import annotations

from pathlib import Path

import pytest

from archgen.evidence.collect import collect

_ADD = """
def later(db, body):
    db.execute("INSERT INTO chores (body, next_try_at, tries) VALUES (?, 0, 0)", [body])
"""
_CLAIM = """
def grab(db, me, now):
    return db.execute(
        "UPDATE chores SET leased_by = ? WHERE id = (SELECT id FROM chores WHERE next_try_at < ? LIMIT 1)",
        [me, now],
    )
"""
_END = """
def finished(db, id):
    db.execute("DELETE FROM chores WHERE id = ?", [id])

def failed(db, id, tries):
    if tries >= 5:
        return finished(db, id)
    db.execute("UPDATE chores SET tries = tries + 1, next_try_at = ? WHERE id = ?", [wait(tries), id])
"""
_LOOP = """
def serve(db):
    while True:
        do(grab(db, "me", now()))
"""


def _kinds(folder: Path, *parts: str) -> set[str]:
    (folder / "chores.py").write_text("".join(parts), encoding="utf-8")
    facts = collect(folder)
    return {fact.kind for fact in facts.of("job.worker", "job.enqueue", "attempts")}


def test_all_its_parts_make_a_queue_with_a_limit(tmp_path: Path) -> None:
    assert _kinds(tmp_path, _ADD, _CLAIM, _END, _LOOP) == {"job.worker", "job.enqueue", "attempts"}


@pytest.mark.parametrize("gone", [_ADD, _CLAIM, _END, _LOOP], ids=["add", "claim", "end", "loop"])
def test_without_a_part_there_is_none(gone: str, tmp_path: Path) -> None:
    assert _kinds(tmp_path, *(part for part in (_ADD, _CLAIM, _END, _LOOP) if part != gone)) == set()


def test_without_a_limit_the_queue_is_seen_and_no_limit(tmp_path: Path) -> None:
    endless = _END.replace("    if tries >= 5:\n        return finished(db, id)\n", "")
    assert _kinds(tmp_path, _ADD, _CLAIM, endless, _LOOP) == {"job.worker", "job.enqueue"}


def test_rows_that_are_published_are_an_outbox(tmp_path: Path) -> None:
    sent = _LOOP.replace("do(", "producer.publish('topic', ")
    assert _kinds(tmp_path, "import kafka\n", _ADD, _CLAIM, _END, sent) == set()


_TYPEORM = """
class Jobs {
  constructor(private connection: DataSource) {}
  async add(job: Job) { await this.connection.getRepository(JobRecord).save(job.record()); }
  async next(queue: string) {
    const query = this.connection.getRepository(JobRecord).createQueryBuilder('record')
      .where('record.state = :pending', { pending: 'PENDING' }).orderBy('record.createdAt', 'ASC');
    query.setLock('pessimistic_write');
    const record = await query.getOne();
    await this.connection.getRepository(JobRecord).save(record, { reload: false });
    return new Job(record);
  }
  async update(job: Job) {
    await this.connection.getRepository(JobRecord).update(job.id, job.record());
  }
}
class Worker {
  constructor(private jobs: Jobs) {}
  start() {
    const runNext = async () => { await this.run(await this.jobs.next('mail')); setTimeout(runNext, 200); };
    void runNext();
  }
}
class Job {
  record() { return { attempts: this.attempts }; }
  fail() { this.state = this.retries >= this.attempts ? 'RETRYING' : 'FAILED'; }
}
"""


@pytest.mark.parametrize(
    ("gone", "kinds"),
    [
        ("", {"job.worker", "job.enqueue", "attempts"}),
        ("    query.setLock('pessimistic_write');\n", set()),
        (" setTimeout(runNext, 200);", set()),
        ("this.retries >= this.attempts ? 'RETRYING' : ", {"job.worker", "job.enqueue"}),
    ],
    ids=["whole", "lock", "loop", "limit"],
)
def test_a_queue_of_typeorm_whose_rows_count_for_themselves(
    gone: str, kinds: set[str], tmp_path: Path
) -> None:
    (tmp_path / "jobs.ts").write_text(_TYPEORM.replace(gone, "") if gone else _TYPEORM, encoding="utf-8")
    facts = collect(tmp_path)
    assert {fact.kind for fact in facts.of("job.worker", "job.enqueue", "attempts")} == kinds
