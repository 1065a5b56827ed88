"""The only place that speaks HTTP with the shop, for its customers and for those who run it.

Whatever a caller has to show, such as a token, is asked for once per person and goes with every request.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

import httpx

PATIENCE = 60.0
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
PAGE = 200
OPERATOR = ""  # who may do everything


class Caller:
    """Somebody who does not give up easily: at first who runs the shop, later whom `be` makes them.

    `url` tells the address of a service by its name, `headers` what somebody shows, by their id.
    """

    def __init__(
        self, url: Callable[[str], str], headers: Callable[[str], Mapping[str, str]], timeout: float = 5.0
    ) -> None:
        self.again = 0  # requests that were made once more
        self._url = url
        self._headers = headers
        self._http = httpx.Client(timeout=timeout, trust_env=False)
        self.be(OPERATOR)

    def be(self, who: str) -> None:
        """From now on, call as the person with this id."""
        self._shown = dict(self._headers(who))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def post(
        self, service: str, path: str, body: Any, key: str, *, if_match: int | None = None
    ) -> httpx.Response | None:
        """The answer, from however many requests under the same key; None when patience ends first."""
        headers = {"Idempotency-Key": key}
        if if_match is not None:
            headers["If-Match"] = f'"{if_match}"'
        return self._insist("POST", service, path, json=body, headers=headers)

    def get(self, service: str, path: str, **params: str | int) -> httpx.Response | None:
        """As `post`; what is not there yet (503) is asked for again."""
        return self._insist("GET", service, path, params=params)

    def read(self, service: str, path: str, **params: str | int) -> Any:
        """The JSON at `path` of a service that is up. Raises RuntimeError for any other answer than 200."""
        answer = self.get(service, path, **params)
        if answer is None or answer.status_code != 200:
            raise RuntimeError(f"{service}{path}: {answer and answer.status_code} {answer and answer.text}")
        return answer.json()

    def pages(self, service: str, path: str) -> list[dict[str, Any]]:
        """All rows of a view."""
        rows: list[dict[str, Any]] = []
        after = ""
        while True:
            page = self.read(service, path, limit=PAGE, **({"after": after} if after else {}))
            rows += page["items"]
            after = page["next"]
            if not after:
                return rows

    def _insist(
        self, method: str, service: str, path: str, headers: Mapping[str, str] | None = None, **request: Any
    ) -> httpx.Response | None:
        request["headers"] = {**self._shown, **(headers or {})}
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            try:
                answer = self._http.request(method, f"{self._url(service)}{path}", **request)
                busy = answer.status_code == 409 and "retry-after" in answer.headers
                if answer.status_code not in TRY_AGAIN and not busy:
                    return answer
            except httpx.HTTPError:
                pass
            self.again += 1
            time.sleep(0.15)
        return None
