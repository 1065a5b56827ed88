"""Routes that ask the gate first."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute


class Guarded(APIRoute):
    """A route whose request passes the gate of its app before its body is read.

    For `APIRouter(route_class=Guarded)`. Without a gate nobody gets through.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        answer = super().get_route_handler()
        path = self.path

        async def guarded(request: Request) -> Response:
            await request.app.state.gate.admit(request, f"{request.method} {path}")
            return await answer(request)

        return guarded


def unguarded(routes: Iterable[BaseRoute]) -> list[str]:
    """The paths of routes that don't ask the gate."""
    return [getattr(route, "path", repr(route)) for route in routes if not isinstance(route, Guarded)]
