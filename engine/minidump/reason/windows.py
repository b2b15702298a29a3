"""Crash reasons on Windows, out of exception codes (winnt.h), NTSTATUS values and Win32 errors."""

from __future__ import annotations

from engine.minidump.model import ExceptionRecord
from engine.minidump.reason.ntstatus import NTSTATUS
from engine.minidump.reason.win32_errors import WIN32_ERRORS

ACCESS_VIOLATION = 0xC0000005
IN_PAGE_ERROR = 0xC0000006
STACK_BUFFER_OVERRUN = 0xC0000409
EXCEPTIONS = {
    0x80000001: "EXCEPTION_GUARD_PAGE",
    0x80000002: "EXCEPTION_DATATYPE_MISALIGNMENT",
    0x80000003: "EXCEPTION_BREAKPOINT",
    0x80000004: "EXCEPTION_SINGLE_STEP",
    ACCESS_VIOLATION: "EXCEPTION_ACCESS_VIOLATION",
    IN_PAGE_ERROR: "EXCEPTION_IN_PAGE_ERROR",
    0xC0000008: "EXCEPTION_INVALID_HANDLE",
    0xC000001D: "EXCEPTION_ILLEGAL_INSTRUCTION",
    0xC0000025: "EXCEPTION_NONCONTINUABLE_EXCEPTION",
    0xC0000026: "EXCEPTION_INVALID_DISPOSITION",
    0xC000008C: "EXCEPTION_ARRAY_BOUNDS_EXCEEDED",
    0xC000008D: "EXCEPTION_FLT_DENORMAL_OPERAND",
    0xC000008E: "EXCEPTION_FLT_DIVIDE_BY_ZERO",
    0xC000008F: "EXCEPTION_FLT_INEXACT_RESULT",
    0xC0000090: "EXCEPTION_FLT_INVALID_OPERATION",
    0xC0000091: "EXCEPTION_FLT_OVERFLOW",
    0xC0000092: "EXCEPTION_FLT_STACK_CHECK",
    0xC0000093: "EXCEPTION_FLT_UNDERFLOW",
    0xC0000094: "EXCEPTION_INT_DIVIDE_BY_ZERO",
    0xC0000095: "EXCEPTION_INT_OVERFLOW",
    0xC0000096: "EXCEPTION_PRIV_INSTRUCTION",
    0xC00000FD: "EXCEPTION_STACK_OVERFLOW",
    0xC0000194: "EXCEPTION_POSSIBLE_DEADLOCK",
    0xC0000374: "EXCEPTION_HEAP_CORRUPTION",
    STACK_BUFFER_OVERRUN: "EXCEPTION_STACK_BUFFER_OVERRUN",
    # Raised by Chromium when memory is out, by Visual C++ for `throw`, and by Crashpad for a dump without a crash.
    0xE0000008: "Out of Memory",
    0xE06D7363: "Unhandled C++ Exception",
    0x0517A7ED: "Simulated Exception",
}
# The first parameter of access violations and in-page errors.
ACCESSES = {0: "READ", 1: "WRITE", 8: "EXEC"}
FAST_FAILS = {
    0: "LEGACY_GS_VIOLATION",
    1: "VTGUARD_CHECK_FAILURE",
    2: "STACK_COOKIE_CHECK_FAILURE",
    3: "CORRUPT_LIST_ENTRY",
    4: "INCORRECT_STACK",
    5: "INVALID_ARG",
    6: "GS_COOKIE_INIT",
    7: "FATAL_APP_EXIT",
    8: "RANGE_CHECK_FAILURE",
    9: "UNSAFE_REGISTRY_ACCESS",
    10: "GUARD_ICALL_CHECK_FAILURE",
    11: "GUARD_WRITE_CHECK_FAILURE",
    12: "INVALID_FIBER_SWITCH",
    13: "INVALID_SET_OF_CONTEXT",
    14: "INVALID_REFERENCE_COUNT",
    18: "INVALID_JUMP_BUFFER",
    19: "MRDATA_MODIFIED",
    20: "CERTIFICATION_FAILURE",
    21: "INVALID_EXCEPTION_CHAIN",
    22: "CRYPTO_LIBRARY",
    23: "INVALID_CALL_IN_DLL_CALLOUT",
    24: "INVALID_IMAGE_BASE",
    25: "DLOAD_PROTECTION_FAILURE",
    26: "UNSAFE_EXTENSION_CALL",
    27: "DEPRECATED_SERVICE_INVOKED",
    28: "INVALID_BUFFER_ACCESS",
    29: "INVALID_BALANCED_TREE",
    30: "INVALID_NEXT_THREAD",
    31: "GUARD_ICALL_CHECK_SUPPRESSED",
    32: "APCS_DISABLED",
    33: "INVALID_IDLE_STATE",
    34: "MRDATA_PROTECTION_FAILURE",
    35: "UNEXPECTED_HEAP_EXCEPTION",
    36: "INVALID_LOCK_STATE",
    37: "GUARD_JUMPTABLE",
    38: "INVALID_LONGJUMP_TARGET",
    39: "INVALID_DISPATCH_CONTEXT",
    40: "INVALID_THREAD",
    41: "INVALID_SYSCALL_NUMBER",
    42: "INVALID_FILE_OPERATION",
    43: "LPAC_ACCESS_DENIED",
    44: "GUARD_SS_FAILURE",
    45: "LOADER_CONTINUITY_FAILURE",
    46: "GUARD_EXPORT_SUPPRESSION_FAILURE",
    47: "INVALID_CONTROL_STACK",
    48: "SET_CONTEXT_DENIED",
    49: "INVALID_IAT",
    50: "HEAP_METADATA_CORRUPTION",
    51: "PAYLOAD_RESTRICTION_VIOLATION",
    52: "LOW_LABEL_ACCESS_DENIED",
    53: "ENCLAVE_CALL_FAILURE",
    54: "UNHANDLED_LSS_EXCEPTON",
    55: "ADMINLESS_ACCESS_DENIED",
    56: "UNEXPECTED_CALL",
    57: "CONTROL_INVALID_RETURN_ADDRESS",
    58: "UNEXPECTED_HOST_BEHAVIOR",
    59: "FLAGS_CORRUPTION",
    60: "VEH_CORRUPTION",
    61: "ETW_CORRUPTION",
    62: "RIO_ABORT",
    63: "INVALID_PFN",
    64: "GUARD_ICALL_CHECK_FAILURE_XFG",
    65: "CAST_GUARD",
    66: "HOST_VISIBILITY_CHANGE",
    67: "KERNEL_CET_SHADOW_STACK_ASSIST",
    68: "PATCH_CALLBACK_FAILED",
    69: "NTDLL_PATCH_FAILED",
    70: "INVALID_FLS_DATA",
    0xFFFFFFFF: "INVALID_FAST_FAIL_CODE",
}
FACILITIES = {
    1: "FACILITY_RPC",
    2: "FACILITY_DISPATCH",
    3: "FACILITY_STORAGE",
    4: "FACILITY_ITF",
    7: "FACILITY_WIN32",
    8: "FACILITY_WINDOWS",
    9: "FACILITY_SECURITY",
    10: "FACILITY_CONTROL",
    11: "FACILITY_CERT",
    12: "FACILITY_INTERNET",
    13: "FACILITY_MEDIASERVER",
    14: "FACILITY_MSMQ",
    15: "FACILITY_SETUPAPI",
    16: "FACILITY_SCARD",
    17: "FACILITY_COMPLUS",
    18: "FACILITY_AAF",
    19: "FACILITY_URT",
    20: "FACILITY_ACS",
    21: "FACILITY_DPLAY",
    22: "FACILITY_UMI",
    23: "FACILITY_SXS",
    24: "FACILITY_WINDOWS_CE",
    25: "FACILITY_HTTP",
    32: "FACILITY_BACKGROUNDCOPY",
    33: "FACILITY_CONFIGURATION",
    34: "FACILITY_STATE_MANAGEMENT",
    35: "FACILITY_METADIRECTORY",
    36: "FACILITY_WINDOWSUPDATE",
    37: "FACILITY_DIRECTORYSERVICE",
    38: "FACILITY_GRAPHICS",
    39: "FACILITY_SHELL",
    48: "FACILITY_PLA",
    49: "FACILITY_FVE",
    50: "FACILITY_FWP",
    51: "FACILITY_WINRM",
    52: "FACILITY_NDIS",
    # Delay loading: the low half says why a library or function was not found.
    0x6D: "FACILITY_VISUALCPP",
}
_SEVERITIES = 0xC0000000


def describe(record: ExceptionRecord) -> str:
    """The reason in words; unknown codes as "unknown 0x…"."""
    detailed = _DETAILED.get(record.code)
    return detailed(record) if detailed else EXCEPTIONS.get(record.code) or _error(record.code)


def address(record: ExceptionRecord) -> int:
    """The address that could not be accessed; for other exceptions that of the instruction."""
    if record.code in (ACCESS_VIOLATION, IN_PAGE_ERROR) and len(record.parameters) >= 2:
        return record.parameters[1]
    return record.address


def status_name(status: int) -> str:
    """The name of an NTSTATUS, or its digits."""
    return NTSTATUS.get(status) or f"0x{status:08x}"


def _error(code: int) -> str:
    return WIN32_ERRORS.get(code) or NTSTATUS.get(code) or _of_facility(code) or f"unknown 0x{code:08x}"


def _of_facility(code: int) -> str | None:
    """A Win32 error inside an HRESULT or a status: "facility / error"."""
    facility, error = FACILITIES.get(code >> 16 & 0x7FF), WIN32_ERRORS.get(code & 0xFFFF)
    return f"{facility} / {error}" if code & _SEVERITIES and facility and error else None


def _accessed(record: ExceptionRecord) -> str:
    name = EXCEPTIONS[record.code]
    access = ACCESSES.get(record.parameters[0]) if record.parameters else None
    return f"{name}_{access}" if access else name


def _in_page(record: ExceptionRecord) -> str:
    if len(record.parameters) < 3:
        return _accessed(record)
    return f"{_accessed(record)} / {status_name(record.parameters[2] & 0xFFFFFFFF)}"


def _overrun(record: ExceptionRecord) -> str:
    name = EXCEPTIONS[STACK_BUFFER_OVERRUN]
    if not record.parameters:
        return name
    code = record.parameters[0]
    return f"{name} / FAST_FAIL_{FAST_FAILS[code]}" if code in FAST_FAILS else f"{name} / 0x{code:08x}"


_DETAILED = {ACCESS_VIOLATION: _accessed, IN_PAGE_ERROR: _in_page, STACK_BUFFER_OVERRUN: _overrun}
