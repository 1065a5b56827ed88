import subprocess
import sys
from pathlib import Path

import pytest

from archgen.errors import ProjectError
from archgen.lock import locked

HOLD = """
import sys, time
from pathlib import Path
from archgen.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_writer_waits_its_turn_and_then_is_refused(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(lock)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout
        assert holder.stdout.readline().strip() == b"held"
        with pytest.raises(ProjectError, match="another archgen"), locked(lock, patience=0.1):
            pass
        holder.kill()
        holder.wait()
        with locked(lock, patience=2):
            pass
    finally:
        holder.kill()
        holder.communicate()


def test_the_lock_is_free_again_after_use(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path / "lock", patience=0):
            pass
