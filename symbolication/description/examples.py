"""The examples that the API's description shows."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

_MODULE: Final[dict[str, Any]] = {
    "type": "elf",
    "code_id": "3988be7f44385cce25e399210deb9a5f57be012e",
    "code_file": "/srv/crashy/libledger.so",
    "image_addr": "0x7f6bde39f000",
    "image_size": 20480,
}
_BODY: Final[dict[str, Any]] = {
    "signal": 11,
    "stacktraces": [{"thread_id": 1, "frames": [{"instruction_addr": "0x7f6bde3a022e", "trust": "context"}]}],
    "modules": [_MODULE],
    "options": {"dif_candidates": True},
}
_SOURCE: Final[dict[str, Any]] = {
    "id": "builds",
    "type": "http",
    "url": "https://symbols.example.com/",
    "layout": {"type": "debuginfod"},
    "filters": {"filetypes": ["elf_debug", "elf_code"]},
}
_FEATURES: Final = {"has_debug_info": True, "has_unwind_info": False, "has_symbols": True, "has_sources": False}
_CANDIDATE: Final[dict[str, Any]] = {
    "source": "builds",
    "location": "https://symbols.example.com/3988be7f44385cce25e399210deb9a5f57be012e/debuginfo",
    "download": {"status": "ok", "features": _FEATURES},
    "debug": {"status": "ok"},
}
_FRAME: Final[dict[str, Any]] = {
    "status": "symbolicated",
    "original_index": 0,
    "instruction_addr": "0x7f6bde3a022e",
    "package": "/srv/crashy/libledger.so",
    "lang": "cpp",
    "symbol": "inl_touch",
    "function": "inl_touch",
    "filename": "ledger.cpp",
    "abs_path": "/srv/crashy/ledger.cpp",
    "lineno": 15,
    "trust": "context",
}

REQUEST: Final = OpenApiExample("A crash on Linux", {**_BODY, "sources": [_SOURCE]}, request_only=True)
PROJECT_REQUEST: Final = OpenApiExample("A crash on Linux", _BODY, request_only=True)
PENDING: Final = OpenApiExample(
    "Not ready yet",
    {"status": "pending", "request_id": "0c4a9f64-0a5e-4d2c-9f3e-2f6f0f8f7a11", "retry_after": 30},
    response_only=True,
)
ANSWER: Final = OpenApiExample(
    "Symbolicated",
    {
        "status": "completed",
        "signal": 11,
        "stacktraces": [{"thread_id": 1, "frames": [_FRAME]}],
        "modules": [
            {
                "debug_status": "found",
                "features": _FEATURES,
                "arch": "x86_64",
                **_MODULE,
                "candidates": [_CANDIDATE],
            }
        ],
    },
    response_only=True,
)
