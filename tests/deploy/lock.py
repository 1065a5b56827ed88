"""The lock of generated projects; `python -m tests.deploy.lock` resolves it anew, with uv and a network."""

from __future__ import annotations

import re
import subprocess

from archgen.render import TEMPLATES

LOCK = TEMPLATES / "system" / "deploy" / "requirements.lock"
HEADER = (
    "# What images are built from: each version with the hashes of its files."
    " Made by `make lock`; commit it.\n"
)
OPTIONS = "--quiet --universal --python-version 3.12 --generate-hashes --no-annotate --no-header --extra fast"


def pinned(lock: str) -> dict[str, str]:
    """The version of each distribution in the text of a lock."""
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock, re.MULTILINE))


def main() -> None:
    chassis = TEMPLATES / "python" / "chassis" / "pyproject.toml"
    command = ["uv", "pip", "compile", *OPTIONS.split(), str(chassis)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    LOCK.write_text(HEADER + done.stdout, "utf-8")


if __name__ == "__main__":
    main()
