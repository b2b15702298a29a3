"""A request from start to end."""

from engine.native.gate import Gate
from engine.native.wire import BadJson, BadSchema, SymbolicateRequest, decode_request
from engine.run.engine import Annotate, Engine

__all__ = ["Annotate", "BadJson", "BadSchema", "Engine", "Gate", "SymbolicateRequest", "decode_request"]
