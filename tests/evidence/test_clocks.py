"""Work that comes round by the clock, and what only pauses."""

from __future__ import annotations

from pathlib import Path

import pytest

from archgen.evidence.collect import collect

_GO = """package main
import "time"
func (s *Server) sendDue(db *sql.DB) {
    ticker := time.NewTicker(time.Minute)
    for range ticker.C {
        db.Exec("UPDATE messages SET sent = 1 WHERE due < now()")
    }
}
func (s *Server) show(db *sql.DB) {
    ticker := time.NewTicker(time.Minute)
    for range ticker.C {
        s.draw()
    }
}
func main() { http.ListenAndServe(":80", nil) }
"""
_PYTHON = """import asyncio
async def run(conn):
    while True:
        conn.execute("DELETE FROM sessions WHERE ends < now()")
        await asyncio.sleep(60)
async def save_with_retry(conn):
    while True:
        conn.execute("DELETE FROM sessions WHERE ends < now()")
        await asyncio.sleep(60)
def started(conn):
    while import_in_progress():
        print("waits for the import")
        time.sleep(5)
    conn.execute("UPDATE app SET started = now()")
"""
_JAVA = """class Pruner {
  void start() {
    executor.scheduleAtFixedRate(this::prune, 0, 1, TimeUnit.MINUTES);
    executor.scheduleAtFixedRate(metrics::update, 0, 1, TimeUnit.MINUTES);
  }
}
"""


@pytest.mark.parametrize(
    ("name", "text", "line"), [("a.go", _GO, 4), ("a.py", _PYTHON, 5), ("A.java", _JAVA, 3)]
)
def test_what_lasts_and_comes_round_is_a_schedule(tmp_path: Path, name: str, text: str, line: int) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert [(f.file, f.line) for f in collect(tmp_path).of("job.schedule")] == [(name, line)]
