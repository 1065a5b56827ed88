"""The address of who asks: the peer of the connection, unless proxies of ours stand in between."""

from __future__ import annotations

from ipaddress import IPv6Address, ip_address

from starlette.requests import HTTPConnection


def client_address(request: HTTPConnection, proxies: int) -> str:
    """The client's address, behind `proxies` proxies that each append to X-Forwarded-For.

    Only what those wrote counts, from the right: what stands further left came from the client itself
    and could be anything. An IPv6 client is its /64, since it has all of that to itself.
    """
    address = request.client.host if request.client else "unknown"
    if proxies > 0:
        listed = ",".join(request.headers.getlist("x-forwarded-for")).split(",")
        hops = [hop.strip() for hop in listed if hop.strip()]
        if len(hops) >= proxies:
            address = hops[-proxies]
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return f"{IPv6Address(int(parsed) >> 64 << 64)}/64"
    return str(parsed)
