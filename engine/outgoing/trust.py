"""Which reserved addresses a source may be fetched from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import ip_network
from typing import ClassVar

from engine.errors import SymbolsvcError
from engine.outgoing.addresses import Address, Network, embedded, is_public


class BadTrust(SymbolsvcError):
    """A word of the allow-list is neither a network nor a host name."""

    code = "bad_allow_list"


@dataclass(frozen=True, slots=True)
class Trust:
    """What may be connected to besides the public internet.

    `networks` are addresses, `hosts` are names (lower case) that may resolve to any address; `everything` lifts all
    limits.
    """

    networks: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()
    everything: bool = False

    ALL: ClassVar[Trust]
    NONE: ClassVar[Trust]

    @classmethod
    def parse(cls, words: Iterable[str], organization_slug: str | None = None) -> Trust:
        """Read the allow-list: `10.0.0.0/8`, `symbols.corp`, or `acme=10.1.0.0/16` for the organization `acme` alone.

        Raises BadTrust for a word that is neither; words of other organizations are checked too and then left out.
        """
        networks: list[Network] = []
        hosts: set[str] = set()
        for word in words:
            owner, _, entry = word.strip().rpartition("=")
            network = _network(entry)
            name = entry.lower().rstrip(".")
            if network is None and not _is_name(name):
                raise BadTrust(f"`{word}` is neither a network nor a host name")
            if owner and owner != organization_slug:
                continue
            if network is not None:
                networks.append(network)
            else:
                hosts.add(name)
        return cls(tuple(networks), frozenset(hosts))

    def allows(self, host: str, address: Address) -> bool:
        """Whether a connection to `host`, resolved to `address`, may be made."""
        if self.everything or is_public(address) or host.lower().rstrip(".") in self.hosts:
            return True
        forms = [form for form in (address, embedded(address)) if form is not None]
        return any(form in network for network in self.networks for form in forms)


def _network(text: str) -> Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _is_name(text: str) -> bool:
    """A host name has a letter, so that a mistyped network is reported instead of taken for a name."""
    plain = all(char.isalnum() or char in "-._" for char in text)
    return plain and any(char.isalpha() for char in text) and ":" not in text


Trust.ALL = Trust(everything=True)
Trust.NONE = Trust()
