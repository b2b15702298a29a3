"""EXC_RESOURCE and EXC_GUARD in words.

Their codes are bit fields: xnu's <kern/exc_resource.h>, <kern/exc_guard.h>, <mach/port.h>, <sys/guarded.h>.
"""

from __future__ import annotations

from collections.abc import Callable

_CPU_FLAVORS = {1: "FLAVOR_CPU_MONITOR", 2: "FLAVOR_CPU_MONITOR_FATAL"}
_MEMORY_FLAVORS = {1: "FLAVOR_HIGH_WATERMARK", 2: "FLAVOR_DIAG_MEMLIMIT"}
_IO_FLAVORS = {1: "FLAVOR_IO_PHYSICAL_WRITES", 2: "FLAVOR_IO_LOGICAL_WRITES"}


def _cpu(code: int, subcode: int) -> str:
    return f"interval: {code >> 7 & 0x1FFFFFF}s CPU limit: {code & 0x7F}% CPU consumed: {subcode & 0x7F}%"


def _wakeups(code: int, subcode: int) -> str:
    interval, permitted = code >> 20 & 0xFFF, code & 0xFFFFF
    return f"observation interval: {interval}s wakeups permitted: {permitted} wakeups observed: {subcode & 0xFFFFF}"


def _memory(code: int, _: int) -> str:
    return f"high watermark limit: {code & 0x1FFF}MiB"


def _io(code: int, subcode: int) -> str:
    return f"interval: {code >> 15 & 0x1FFFF}s I/O limit: {code & 0x7FFF}MiB I/O count: {subcode & 0x7FFF}MiB"


def _threads(code: int, _: int) -> str:
    return f"high watermark limit: {code & 0x7FFF}"


def _ports(code: int, _: int) -> str:
    return f"ports: {code & 0xFFFFFF}"


# Name, flavors, and what the rest of the code means.
_RESOURCES: dict[int, tuple[str, dict[int, str], Callable[[int, int], str]]] = {
    1: ("RESOURCE_TYPE_CPU", _CPU_FLAVORS, _cpu),
    2: ("RESOURCE_TYPE_WAKEUPS", {1: "FLAVOR_WAKEUPS_MONITOR"}, _wakeups),
    3: ("RESOURCE_TYPE_MEMORY", _MEMORY_FLAVORS, _memory),
    4: ("RESOURCE_TYPE_IO", _IO_FLAVORS, _io),
    5: ("RESOURCE_TYPE_THREADS", {1: "FLAVOR_THREADS_HIGH_WATERMARK"}, _threads),
    6: ("RESOURCE_TYPE_PORTS", {1: "FLAVOR_PORT_SPACE_FULL"}, _ports),
}


def _bits(*names: str) -> dict[int, str]:
    return {1 << at: name for at, name in enumerate(names)}


_PORT_FLAVORS = _bits(
    "GUARD_EXC_DESTROY",
    "GUARD_EXC_MOD_REFS",
    "GUARD_EXC_SET_CONTEXT",
    "GUARD_EXC_UNGUARDED",
    "GUARD_EXC_INCORRECT_GUARD",
    "GUARD_EXC_IMMOVABLE",
    "GUARD_EXC_STRICT_REPLY",
    "GUARD_EXC_MSG_FILTERED",
    "GUARD_EXC_INVALID_RIGHT",
    "GUARD_EXC_INVALID_NAME",
    "GUARD_EXC_INVALID_VALUE",
    "GUARD_EXC_INVALID_ARGUMENT",
    "GUARD_EXC_RIGHT_EXISTS",
    "GUARD_EXC_KERN_NO_SPACE",
    "GUARD_EXC_KERN_FAILURE",
    "GUARD_EXC_KERN_RESOURCE",
    "GUARD_EXC_SEND_INVALID_REPLY",
    "GUARD_EXC_SEND_INVALID_VOUCHER",
    "GUARD_EXC_SEND_INVALID_RIGHT",
    "GUARD_EXC_RCV_INVALID_NAME",
    "GUARD_EXC_RCV_GUARDED_DESC",
)
_FD_FLAVORS = _bits(
    "GUARD_EXC_CLOSE",
    "GUARD_EXC_DUP",
    "GUARD_EXC_NOCLOEXEC",
    "GUARD_EXC_SOCKET_IPC",
    "GUARD_EXC_FILEPORT",
    "GUARD_EXC_MISMATCH",
    "GUARD_EXC_WRITE",
)
_VN_FLAVORS = _bits(
    "GUARD_EXC_RENAME_TO",
    "GUARD_EXC_RENAME_FROM",
    "GUARD_EXC_UNLINK",
    "GUARD_EXC_WRITE_OTHER",
    "GUARD_EXC_TRUNC_OTHER",
    "GUARD_EXC_LINK",
    "GUARD_EXC_EXCHDATA",
)
# Name, flavors, and what target and subcode are called.
_GUARDS: dict[int, tuple[str, dict[int, str], str, str]] = {
    0: ("GUARD_TYPE_NONE", {}, "target", "guard"),
    1: ("GUARD_TYPE_MACH_PORT", _PORT_FLAVORS, "port", "guard"),
    2: ("GUARD_TYPE_FD", _FD_FLAVORS, "fd", "guard"),
    3: ("GUARD_TYPE_USER", {}, "namespace", "guard"),
    4: ("GUARD_TYPE_VN", _VN_FLAVORS, "pid", "guard"),
    5: ("GUARD_TYPE_VIRT_MEMORY", {1: "GUARD_EXC_DEALLOC_GAP"}, "target", "offset"),
    6: ("GUARD_TYPE_REJECTED_SC", {}, "mach trap", "syscall"),
}


def describe_resource(code: int, subcode: int) -> str:
    """Type, flavor, limit and what was observed, out of the exception's 64-bit codes."""
    known = _RESOURCES.get(code >> 61 & 7)
    if known is None:
        return f"0x{code:016x} / 0x{subcode:016x}"
    name, flavors, describe = known
    flavor = code >> 58 & 7
    return f"{name} / {flavors.get(flavor) or f'0x{flavor:x}'} {describe(code, subcode)}"


def describe_guard(code: int, subcode: int) -> str:
    """Type, flavor, what was guarded and with what, out of the exception's 64-bit codes."""
    known = _GUARDS.get(code >> 61 & 7)
    if known is None:
        return f"0x{code:016x} / 0x{subcode:016x}"
    name, flavors, target, guard = known
    flavor = code >> 32 & 0x1FFFFFFF
    shown = f" / {flavors.get(flavor) or f'0x{flavor:08x}'}" if flavor else ""
    return f"{name}{shown} {target}: 0x{code & 0xFFFFFFFF:x} {guard}: 0x{subcode:016x}"
