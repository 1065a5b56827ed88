"""Descriptions of services that call each other."""

from __future__ import annotations

PATIENT = "policies: {a: {timeout: 9s, retry: {attempts: 1}}, b: {timeout: 6s, retry: {attempts: 1}}, "
PATIENT += "c: {timeout: 4s, retry: {attempts: 1}}, d: {timeout: 1s, retry: {attempts: 1}}}"


def chain(*pairs: tuple[str, str], policies: str = PATIENT, slo: str = "{}") -> str:
    """Services with one view each, and calls between them. `slo` is the promise of the first one."""
    lines = ["archgen: 1", "system: shop", policies, "services:"]
    for name in sorted({name for pair in pairs for name in pair}):
        calls = ", ".join(
            f"{peer}.view_of_{peer}: {{policy: {name}}}" for caller, peer in pairs if caller == name
        )
        lines += [
            f"  {name}:",
            f"    aggregates: {{{name.upper()}: {{commands: {{add_{name}: {{emits: {name}.added}}}}}}}}",
            f"    views: {{view_of_{name}: {{of: {name.upper()}, from: [{name}.*]}}}}",
            f"    calls: {{{calls}}}",
            f"    slo: {slo if name == pairs[0][0] else '{}'}",
        ]
    return "\n".join(lines)
