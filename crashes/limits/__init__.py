"""How much a project and a token may send: judged before anything of the body is read, without the database."""

from crashes.limits.rates import demand_turn

__all__ = ["demand_turn"]
