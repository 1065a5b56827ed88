"""The same project gives the same facts, whatever order sets have in a process."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_SHOWS = """
import sys
from pathlib import Path
from archgen.evidence.collect import collect
for _, function in collect(Path(sys.argv[1])).program.functions():
    print(function.title, [(e.kind, e.table, e.via) for e in function.reach])
"""


def test_heirs_are_taken_in_the_order_of_the_files(tmp_path: Path) -> None:
    kinds = ("Postgres", "Mysql", "Oracle")
    for kind in kinds:
        (tmp_path / f"{kind}Store.java").write_text(
            f"class {kind}Store extends Store {{\n"
            f'  void keep(Order o) {{ jdbcTemplate.update("insert into {kind.lower()} values (1)"); }}\n}}\n',
            encoding="utf-8",
        )
    (tmp_path / "Orders.java").write_text(
        "class Orders {\n  private Store store;\n  void place(Order o) { store.keep(o); }\n}\n",
        encoding="utf-8",
    )
    (tmp_path / "Store.java").write_text("abstract class Store {}\n", encoding="utf-8")
    said = {
        subprocess.run(
            [sys.executable, "-c", _SHOWS, str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": str(seed)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in range(1, 6)
    }
    assert len(said) == 1
    assert "postgres" in said.pop()
