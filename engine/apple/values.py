"""Values that all formats write in the same way: dates, ids, systems, processors."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

from engine.apple.report import UNKNOWN_ARCH, AppleSystem

_DATE = re.compile(r"(\d{4})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.\d{1,9})? ?(?:([+-])(\d\d):?(\d\d)|Z)", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{32}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)
_SYSTEM = re.compile(r"(.{1,40}?) (\d{1,9}(?:\.\d{1,9}){0,4})(?: \(([^()]{1,40})\))?", re.ASCII)
_SYSTEM_NAMES = {"Mac OS X": "macOS", "OS X": "macOS", "iPhone OS": "iOS", "Apple TVOS": "tvOS", "Watch OS": "watchOS"}
_ARCHITECTURES = {
    "x86": "x86",
    "i386": "x86",
    "x86-64": "x86_64",
    "x86_64": "x86_64",
    "x86_64h": "x86_64h",
    "arm": "arm",
    "armv6": "armv6",
    "armv7": "armv7",
    "armv7f": "armv7f",
    "armv7k": "armv7k",
    "armv7s": "armv7s",
    "arm-64": "arm64",
    "arm64": "arm64",
    "arm64e": "arm64e",
    "arm64_32": "arm64_32",
    "ppc": "ppc",
    "ppc64": "ppc64",
}
_CPU_TYPES = {
    0x00000007: "x86",
    0x01000007: "x86_64",
    0x0000000C: "arm",
    0x0100000C: "arm64",
    0x0200000C: "arm64_32",
    0x00000012: "ppc",
    0x01000012: "ppc64",
}
# <mach/exception_types.h>
_MACH_EXCEPTIONS = {
    1: "EXC_BAD_ACCESS",
    2: "EXC_BAD_INSTRUCTION",
    3: "EXC_ARITHMETIC",
    4: "EXC_EMULATION",
    5: "EXC_SOFTWARE",
    6: "EXC_BREAKPOINT",
    7: "EXC_SYSCALL",
    8: "EXC_MACH_SYSCALL",
    9: "EXC_RPC_ALERT",
    10: "EXC_CRASH",
    11: "EXC_RESOURCE",
    12: "EXC_GUARD",
    13: "EXC_CORPSE_NOTIFY",
}


def parse_time(text: str) -> int | None:
    """Seconds since the epoch of `2019-01-09 17:44:22.123 +0100`; None for anything else."""
    found = _DATE.fullmatch(text)
    if found is None:
        return None
    zone = UTC
    if found[7]:
        away = timedelta(hours=int(found[8]), minutes=int(found[9]))
        zone = timezone(-away if found[7] == "-" else away) if away < timedelta(days=1) else UTC
    try:
        year, month, day, hour, minute, second = map(int, found.groups()[:6])
        return int(datetime(year, month, day, hour, minute, second, tzinfo=zone).timestamp())
    except (ValueError, OverflowError):
        return None


def parse_uuid(text: str) -> UUID | None:
    """32 hex digits, plain or with the dashes in their places; None for anything else."""
    return UUID(hex=text) if _UUID.fullmatch(text) else None


def known_uuid(text: str) -> UUID | None:
    """Like `parse_uuid`, but the id of zeros, which stands for a binary without one, is None too."""
    found = parse_uuid(text)
    return found if found is not None and found.int else None


def parse_system(text: str) -> AppleSystem:
    """`iPhone OS 17.4 (21E219)` as name, version and build; anything of another form is the name as a whole."""
    found = _SYSTEM.fullmatch(text)
    if found is None:
        return AppleSystem(text)
    return AppleSystem(_SYSTEM_NAMES.get(found[1], found[1]), found[2], found[3] or "")


def parse_arch(text: str) -> str:
    """The processor in the first word of `ARM-64 (Native)` or of an image's line, `unknown` when it names none."""
    word = text.strip()[:40].split(None, 1)[:1]
    return _ARCHITECTURES.get(word[0].lower(), UNKNOWN_ARCH) if word else UNKNOWN_ARCH


def cpu_type_arch(cpu_type: int) -> str:
    """The processor behind a number of <mach/machine.h>."""
    return _CPU_TYPES.get(cpu_type & 0xFFFFFFFF, UNKNOWN_ARCH)


def mach_exception_name(number: int) -> str:
    return _MACH_EXCEPTIONS.get(number, f"EXC_{number}")


def reason(exception: str | None, signal: str | None) -> str | None:
    """`EXC_BAD_ACCESS (SIGSEGV)`, as the text reports have it, of what is known of the two."""
    if exception and signal:
        return f"{exception} ({signal})"
    return exception or signal or None
