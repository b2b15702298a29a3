"""A request from start to end."""

from engine.native.gate import Gate
from engine.native.wire import BadJson, BadSchema, SymbolicateRequest, decode_request
from engine.run.engine import Engine

__all__ = ["BadJson", "BadSchema", "Engine", "Gate", "SymbolicateRequest", "decode_request"]
