"""Crash reports as Apple's systems write them, for a process that the tests make up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FIXTURES = Path(__file__).parents[2] / "fixtures"
SHOP, KERNEL = 0x100A3C000, 0x1B4E00000
SHOP_UUID, KERNEL_UUID = "6e3a1c52-9b0f-4c7e-8a55-0d1f2e3c4b5a", "00010203-0405-0607-0809-0a0b0c0d0e0f"
SHOP_PATH = "/private/var/containers/Bundle/Application/X/Shop Online.app/Shop Online"
KERNEL_PATH = "/usr/lib/system/libsystem_kernel.dylib"

HEADER = """\
Incident Identifier: 5C32DF84-31A0-43E7-87D0-239F7F594940
CrashReporter Key:   b6e8
Hardware Model:      iPhone15,2
Process:             Shop Online [4242]
Path:                /private/var/containers/Bundle/Application/X/Shop Online.app/Shop Online
Identifier:          com.example.shop
Version:             4.1.2 (412)
Code Type:           ARM-64 (Native)
Parent Process:      launchd [1]

Date/Time:           2026-11-21 15:26:40.1234 +0100
Launch Time:         2026-11-21 15:10:00.0000 +0100
OS Version:          iPhone OS 17.4 (21E219)
Report Version:      104

Exception Type:  EXC_CRASH (SIGABRT)
Exception Codes: 0x0000000000000000, 0x0000000000000000
Triggered by Thread:  0
"""
INFORMATION = """\

Application Specific Information:
*** Terminating app due to uncaught exception 'NSRangeException',
  reason: 'beyond bounds'

abort() called

"""
THROWN = """\
Last Exception Backtrace:
0   CoreFoundation                \t0x1a0000100 __exceptionPreprocess + 164
1   Shop Online                   \t0x100a41000 -[Cart add:] + 320 (Cart.m:12)

"""
THREADS = """\
Thread 0 name:   Dispatch queue: com.apple.main-thread
Thread 0 Crashed:
0   libsystem_kernel.dylib        \t0x00000001b4e01234 __pthread_kill + 8
1   Shop Online                   \t0x0000000100a40f10 0x100a3c000 + 20240
2   Shop Online                   \t0x0000000100a40e80 closure #1 in Cart.checkout() + 16 [inlined]
3   Shop Online                   \t0x0000000100a40e80 main + 128 (main.m:9)
4   ???                           \t0x0000000054485244 0x0 + 0

Thread 1 name:  com.apple.uikit.eventfetch-thread
Thread 1:
0   libsystem_kernel.dylib        \t0x00000001b4e00088 mach_msg2_trap + 8

Thread 2:: Loader  Dispatch queue: com.example.loading (QOS: UTILITY)
0   libsystem_kernel.dylib        \t0x00000001b4e00090 ???

Thread 0 crashed with ARM Thread State (64-bit):
    x0: 0x0000000000000000   x1: 0x00000000000000ff   x2: 0x1
    fp: 0x000000016f3c1a50   lr: 0x0000000100a40e80
    sp: 0x000000016f3c1a20   pc: 0x00000001b4e01234 cpsr: 0x40001000
   esr: 0x56000080 (Syscall)

Error Code:      0x00000004
"""
IMAGES = """\
Binary Images:
       0x100a3c000 -        0x100a4ffff +Shop Online arm64 (4.1.2 - 412) <6e3a1c529b0f4c7e8a550d1f2e3c4b5a> \
/private/var/containers/Bundle/Application/X/Shop Online.app/Shop Online
       0x1b4e00000 -        0x1b4e37fff  libsystem_kernel.dylib arm64e <00010203-0405-0607-0809-0A0B0C0D0E0F> \
/usr/lib/system/libsystem_kernel.dylib
               0x0 - 0xffffffffffffffff ??? (*) <00000000-0000-0000-0000-000000000000> ???

EOF
"""


def text_report(*, header: str = HEADER, information: str = INFORMATION, thrown: str = THROWN) -> bytes:
    return (header + information + thrown + THREADS + "\n" + IMAGES).encode()


def ips_body(**fields: Any) -> dict[str, Any]:
    """The same crash as `text_report` tells about, as the object of a JSON report."""
    body: dict[str, Any] = {
        "captureTime": "2026-11-21 15:26:40.1234 +0100",
        "procName": "Shop Online",
        "cpuType": "ARM-64",
        "modelCode": "iPhone15,2",
        "osVersion": {"isEmbedded": True, "train": "iPhone OS 17.4", "releaseType": "User", "build": "21E219"},
        "exception": {"type": "EXC_CRASH", "signal": "SIGABRT", "codes": "0x0, 0x0", "rawCodes": [0, 0]},
        "asi": {"CoreFoundation": ["*** Terminating app"], "libsystem_c.dylib": ["abort() called"]},
        "faultingThread": 0,
        "threads": [
            {
                "id": 7777,
                "triggered": True,
                "queue": "com.apple.main-thread",
                "threadState": {
                    "x": [{"value": 0}, {"value": 255}, {"value": 1}],
                    "fp": {"value": 0x16F3C1A50},
                    "lr": {"value": 0x100A40E80},
                    "sp": {"value": 0x16F3C1A20},
                    "pc": {"value": 0x1B4E01234, "matchesCrashFrame": 1},
                    "cpsr": {"value": 0x40001000},
                    "flavor": "ARM_THREAD_STATE64",
                },
                "frames": [
                    {"imageOffset": 0x1234, "symbol": "__pthread_kill", "symbolLocation": 8, "imageIndex": 1},
                    {"imageOffset": 0x4F10, "imageIndex": 0},
                    {"imageOffset": 0x4E80, "imageIndex": 0, "symbol": "closure #1", "inline": True},
                    {"imageOffset": 0x4E80, "imageIndex": 0, "symbol": "main", "symbolLocation": 128},
                    {"imageOffset": 0x54485244, "imageIndex": 2},
                ],
            },
            {
                "id": 7778,
                "name": "com.apple.uikit.eventfetch-thread",
                "frames": [{"imageOffset": 0x88, "imageIndex": 1, "symbol": "mach_msg2_trap"}],
            },
        ],
        "lastExceptionBacktrace": [{"imageOffset": 0x5000, "imageIndex": 0, "symbol": "-[Cart add:]"}],
        "usedImages": [
            {
                "source": "P",
                "arch": "arm64",
                "base": SHOP,
                "size": 0x14000,
                "uuid": SHOP_UUID,
                "path": SHOP_PATH,
                "name": "Shop Online",
            },
            {
                "source": "P",
                "arch": "arm64e",
                "base": KERNEL,
                "size": 0x38000,
                "uuid": KERNEL_UUID.upper(),
                "path": KERNEL_PATH,
                "name": "libsystem_kernel.dylib",
            },
            {"size": 0, "source": "A", "base": 0, "uuid": "00000000-0000-0000-0000-000000000000"},
        ],
        "sharedCache": {"base": 0x1A0000000, "size": 0x80000000, "uuid": "ffffffff-0000-0000-0000-000000000001"},
    }
    return body | fields


IPS_HEADER = {
    "app_name": "Shop Online",
    "timestamp": "2026-11-21 15:26:41.00 +0100",
    "bug_type": "309",
    "os_version": "iPhone OS 17.4 (21E219)",
    "incident_id": "5C32DF84-31A0-43E7-87D0-239F7F594940",
}


def ips_report(header: dict[str, Any] | None = None, **fields: Any) -> bytes:
    return json.dumps(IPS_HEADER if header is None else header).encode() + b"\n" + ips_text(**fields)


def ips_text(**fields: Any) -> bytes:
    return json.dumps(ips_body(**fields), indent=2).encode()


def plcrash_report() -> bytes:
    return (FIXTURES / "apple/handmade.plcrash").read_bytes()
