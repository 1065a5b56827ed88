"""A small project with known findings, for tests of what a team says about them."""

from __future__ import annotations

from pathlib import Path

MAIN = "import uvicorn\nfrom place import place\nuvicorn.run('app')\n"
IMAGE = 'FROM python:3\nCMD ["python", "main.py"]\n'
PLACE = """\
import requests


async def place(session, producer, order):
    requests.post(settings.payments, json=order)
    session.add(order)
    session.commit()
    await producer.send("orders", order)
"""
NAIVE = {
    "payments/Dockerfile": IMAGE,
    "payments/main.py": "import uvicorn\nuvicorn.run('app')\n",
    "orders/Dockerfile": IMAGE,
    "orders/main.py": MAIN,
    "orders/place.py": PLACE,
}


def write(root: Path, files: dict[str, str]) -> Path:
    """Writes the files below `root` and returns it."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    return root


def naive(root: Path, **changed: str) -> Path:
    """The naive project, with the text of `orders/place.py` replaced by `place`."""
    return write(root, NAIVE | ({"orders/place.py": changed["place"]} if "place" in changed else {}))
