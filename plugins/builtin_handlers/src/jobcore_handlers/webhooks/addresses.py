"""Which addresses lie in the public internet: the rule behind the guard against requests to internal services.

Source: the IANA registries of special-purpose addresses (RFC 6890), as `ipaddress` knows them, and the forms in which
an IPv6 address carries an IPv4 one, which is then what counts.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address

_GLOBAL_UNICAST = IPv6Network("2000::/3")
_NAT64 = IPv6Network("64:ff9b::/96")
_NOT_PUBLIC = (
    IPv4Network("192.88.99.0/24"),  # 6to4 relays, given up by RFC 7526
    IPv4Network("192.0.0.0/24"),
    IPv4Network("168.63.129.16/32"),  # the host's own agent in Azure, which hands out a machine's secrets
    IPv6Network("2001::/23"),  # protocol assignments, Teredo among them
    IPv6Network("2001:db8::/32"),
    IPv6Network("3fff::/20"),  # documentation, RFC 9637
)
_ISATAP = (0x00005EFE, 0x02005EFE)


def is_public(address: Address) -> bool:
    """Return whether `address` is one host in the public internet, whichever way it is written."""
    carried = carried_address(address)
    if carried is not None and not is_public(carried):
        return False
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None or address in _NAT64:
            return True  # what it carries is public
        if address not in _GLOBAL_UNICAST or address.is_site_local:
            return False
    if any(address in network for network in _NOT_PUBLIC):
        return False
    return address.is_global and not (address.is_multicast or address.is_reserved or address.is_unspecified)


def carried_address(address: Address) -> IPv4Address | None:
    """Return the IPv4 address that an IPv6 address stands for: mapped, NAT64, 6to4 or ISATAP."""
    if isinstance(address, IPv4Address):
        return None
    number = int(address)
    if address in _NAT64 or (number >> 32) & 0xFFFFFFFF in _ISATAP:
        return IPv4Address(number & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour
