"""How often somebody may try to sign in: a limit for the address that is tried, one for the client that tries.

Counted in the database, so for all hosts together. Of each there is the moment at which all its turns are earned back;
a try moves it on by one turn's share of the period, and is refused when it would be more than the period ahead.
A try counts before the password is looked at, so that a hundred at once are no way around it; one that succeeds is
given back.
"""

from __future__ import annotations

import ipaddress
import math
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import connection
from django.http import HttpRequest
from django.utils import timezone
from django.utils.crypto import salted_hmac

from projects.models import SignInTurns

_PERIOD: Final = 600.0
MOST_BY_ADDRESS: Final = 10
# Many people may share one address of the network.
MOST_BY_CLIENT: Final = 60
# Whoever has one IPv6 address has all of its network.
_IPV6_NETWORK: Final = 64

_TAKE: Final = """
    INSERT INTO projects_signinturns AS turns (key, earned_at)
    VALUES (%(key)s, clock_timestamp() + make_interval(secs => %(share)s))
    ON CONFLICT (key) DO UPDATE
    SET earned_at = GREATEST(turns.earned_at, clock_timestamp()) + make_interval(secs => %(share)s)
    WHERE turns.earned_at + make_interval(secs => %(share)s)
        <= clock_timestamp() + make_interval(secs => %(period)s)
"""
_WAIT: Final = """
    SELECT extract(epoch FROM earned_at - clock_timestamp()) + %(share)s - %(period)s
    FROM projects_signinturns WHERE key = %(key)s
"""
_GIVE_BACK: Final = """
    UPDATE projects_signinturns SET earned_at = earned_at - make_interval(secs => %(share)s) WHERE key = %(key)s
"""


@dataclass(frozen=True, slots=True)
class Turn:
    """One try: whose, and how many they have in the period."""

    key: str
    most: int

    @property
    def values(self) -> dict[str, str | float]:
        """What the statements take."""
        return {"key": self.key, "share": _PERIOD / self.most, "period": _PERIOD}


def turns_of(request: HttpRequest, address: str) -> tuple[Turn, Turn]:
    """The turns that a try of `address` takes. The client's first: a client beyond its limit locks nobody else out."""
    return (
        Turn(_key("client", client_of(request)), MOST_BY_CLIENT),
        Turn(_key("address", address), MOST_BY_ADDRESS),
    )


def take(turns: tuple[Turn, ...]) -> int:
    """0 when all were taken; else the seconds until the next try may succeed."""
    for turn in turns:
        with connection.cursor() as cursor:
            cursor.execute(_TAKE, turn.values)
            if cursor.rowcount == 0:
                cursor.execute(_WAIT, turn.values)
                found = cursor.fetchone()
                return max(1, math.ceil(found[0])) if found else 1
    return 0


def give_back(turns: tuple[Turn, ...]) -> None:
    """Uncount a try, which has succeeded."""
    with connection.cursor() as cursor:
        for turn in turns:
            cursor.execute(_GIVE_BACK, turn.values)


def forget_old() -> int:
    """Delete the rows that say nothing any more; how many."""
    return SignInTurns.objects.filter(earned_at__lt=timezone.now()).delete()[0]


def client_of(request: HttpRequest) -> str:
    """The client's address, as the last proxy that is ours says (`PROXIES_IN_FRONT`); of IPv6 the network."""
    proxies = settings.ENVIRONMENT["PROXIES_IN_FRONT"]
    said = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    text = said[-proxies] if 0 < proxies <= len(said) else request.META.get("REMOTE_ADDR", "")
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "unknown"
    if address.version == 6:
        return str(ipaddress.ip_network((int(address), _IPV6_NETWORK), strict=False))
    return str(address)


def _key(kind: str, text: str) -> str:
    return salted_hmac(f"projects.signing.{kind}", text, algorithm="sha256").hexdigest()
