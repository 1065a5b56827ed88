"""Keys and tokens, for the people who run the system: `python -m chassis.security keys orders issuer`.

Whoever can read the folder with the keys can sign anything, with or without this.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from chassis.recovery.restore import wiring
from chassis.security import tokens
from chassis.security.deployed import deploy
from chassis.security.keys import KeyProblem, KeyRing, ensure, rotate
from chassis.security.settings import ISSUER, own_issuer


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0, or 1 when a key file is missing or broken."""
    options = _parse(arguments)
    folder = Path(options.folder)
    try:
        match options.command:
            case "keys":
                for name in options.names:
                    print(f"{name}: {ensure(folder, name).signing().kid}")
            case "rotate":
                for name in options.names:
                    print(f"{name}: {rotate(folder, name).kid} signs in a quarter of an hour")
            case "deploy":
                for name, files in deploy(Path(options.access), folder, rotated=options.rotate).items():
                    print(f"{folder / name}: {', '.join(files)}")
            case _:
                print(_token(folder, options))
    except KeyProblem as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _token(folder: Path, options: argparse.Namespace) -> str:
    security = wiring(options.service).security
    if security is None or security.accounts is None:
        raise KeyProblem(f"users don't sign in at {options.service}, so it makes no tokens")
    if unknown := sorted(set(options.roles) - security.roles):
        raise KeyProblem(f"there is no role {unknown[0]!r}; there are: {', '.join(sorted(security.roles))}")
    claims = {
        "iss": own_issuer(security.system, security.service),
        "aud": security.audience,
        "sub": options.subject,
        "roles": options.roles,
    }
    return tokens.sign(KeyRing(folder, ISSUER).signing(), tokens.ACCESS, claims, 60.0 * options.minutes)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m chassis.security", description=__doc__)
    default = os.environ.get("KEYS_DIR", "").strip() or "data/keys"
    parser.add_argument("--folder", default=default, help="where the keys are; %(default)s")
    commands = parser.add_subparsers(dest="command", required=True)
    for name, about in (
        ("keys", "make the keys of these signers, unless they are there"),
        ("rotate", "add a key that signs a little later, and drop those that are needed no more"),
    ):
        command = commands.add_parser(name, help=about, description=about)
        command.add_argument("names", nargs="+", help=f"a service, or `{ISSUER}` for users' tokens")
    about = (
        "make a folder of keys for each service that signs or verifies, as compose and Kubernetes want them"
    )
    command = commands.add_parser("deploy", help=about, description=about)
    command.add_argument("--access", default="contracts/access.json", help="%(default)s")
    command.add_argument("--rotate", action="store_true", help="give every signer its next key")
    about = "print a short-lived token, as an operator: for the first administrator, and in need"
    token = commands.add_parser("token", help=about, description=about)
    token.add_argument("service", help="the service that signs users in")
    token.add_argument("roles", nargs="+")
    token.add_argument("--subject", default="operator")
    token.add_argument("--minutes", type=float, default=5.0)
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
