"""Where a call comes from, as it is counted."""

from __future__ import annotations


def network(address: str) -> str:
    """An IPv4 address, or the /64 of an IPv6 address: whoever has one of its addresses has them all (RFC 7421)."""
    if ":" not in address:
        return address
    from ipaddress import IPv6Address, IPv6Network  # slow to import, and most calls come by IPv4

    parsed = IPv6Address(address)
    return str(parsed.ipv4_mapped or IPv6Network((parsed, 64), strict=False))
