"""PostgreSQL from the installed wheel, started by ourselves."""

from symbolsvc.running.postgres.availability import available
from symbolsvc.running.postgres.server import DatabaseError, Server

__all__ = ["DatabaseError", "Server", "available"]
