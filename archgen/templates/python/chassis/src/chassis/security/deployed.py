"""Keys for a deployment: of each service a folder with what it signs with and whom it knows, no more.

    deploy/keys/all/        every private key: what to keep, and to rotate
    deploy/keys/orders/     orders.json                     it calls others
    deploy/keys/inventory/  orders.pub.json                 it is called by orders
    deploy/keys/users/      issuer.json                     it signs users in

The outer folder is its owner's alone; the inner ones are mounted into containers, which run as somebody
else, so those can be read.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from chassis.security.keys import ensure, public_path, rotate
from chassis.security.settings import ISSUER

ALL = "all"


def deploy(access: Path, folder: Path, *, rotated: bool = False) -> dict[str, list[str]]:
    """Make what is missing, or give every signer its next key; returns the files by service.

    `access` is contracts/access.json. Raises KeyProblem, and OSError.
    """
    wanted = _wanted(json.loads(access.read_text("utf-8")))
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    signers = {name for signs, _ in wanted.values() for name in signs}
    for name in sorted(signers):
        if rotated and (folder / ALL / f"{name}.json").exists():
            rotate(folder / ALL, name)
        else:
            ensure(folder / ALL, name)
    made: dict[str, list[str]] = {}
    for service, (signs, knows) in wanted.items():
        sources = [folder / ALL / f"{name}.json" for name in signs]
        sources += [public_path(folder / ALL, name) for name in knows]
        (folder / service).mkdir(exist_ok=True)
        (folder / service).chmod(0o755)
        for source in sources:
            # Written beside and moved, so that no service reads half a file.
            fresh = folder / service / f".{source.name}"
            shutil.copyfile(source, fresh)
            fresh.chmod(0o644)
            fresh.replace(folder / service / source.name)
        made[service] = [source.name for source in sources]
    return made


def _wanted(document: dict[str, Any]) -> dict[str, tuple[list[str], list[str]]]:
    """By service: the names of the keys that it signs with, and of those that it knows others by."""
    found: dict[str, tuple[list[str], list[str]]] = {}

    def of(service: str) -> tuple[list[str], list[str]]:
        return found.setdefault(service, ([], []))

    for operation in document["operations"]:
        for caller in operation["callers"]:
            _once(of(caller)[0], caller)
            _once(of(operation["service"])[1], caller)
    if "service" in document["issuer"]:
        _once(of(document["issuer"]["service"])[0], ISSUER)
    return found


def _once(names: list[str], name: str) -> None:
    if name not in names:
        names.append(name)
