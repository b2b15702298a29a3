"""A request from start to end."""

from engine.native.gate import Gate
from engine.native.wire import BadJson, BadSchema, SymbolicateRequest, decode_request
from engine.run.engine import Annotate, Engine
from engine.run.javascript import JavascriptEngine
from engine.run.jvm import JvmEngine
from engine.run.report_wire import ReportOptions, RewriteRule, decode_rewrite

__all__ = [
    "Annotate",
    "BadJson",
    "BadSchema",
    "Engine",
    "Gate",
    "JavascriptEngine",
    "JvmEngine",
    "ReportOptions",
    "RewriteRule",
    "SymbolicateRequest",
    "decode_request",
    "decode_rewrite",
]
