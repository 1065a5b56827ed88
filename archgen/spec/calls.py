"""Which service asks which other one for what, and by which protocol."""

from __future__ import annotations

from archgen.spec.model import Service, System, Via


def peers(service: Service, via: Via | None = None) -> list[str]:
    """The services that this one calls, each once; with `via`, only those that it calls that way."""
    return list(
        dict.fromkeys(
            view.partition(".")[0] for view, call in service.calls.items() if via is None or call.via is via
        )
    )


def callers(system: System, name: str, via: Via | None = None) -> list[str]:
    """The services that call this one."""
    return [other for other, service in system.services.items() if name in peers(service, via)]


def over_grpc(system: System, name: str) -> tuple[str, ...]:
    """The views of service `name` that anybody asks for over gRPC, in the order of the file."""
    asked = {
        view
        for service in system.services.values()
        for view, call in service.calls.items()
        if call.via is Via.GRPC
    }
    return tuple(view for view in system.services[name].views if f"{name}.{view}" in asked)
