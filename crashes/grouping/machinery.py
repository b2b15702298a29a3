"""Frames that stand in every crash of a kind and tell none from another: what stops a program, not what went wrong.

A table for each family of platforms, by reason. Patterns are for names as `names.plain_name` leaves them, whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from crashes.grouping.names import JAVASCRIPT, JVM, NATIVE

_NATIVE: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (
        "stopping the program, whoever asked for it",
        (
            "abort|raise|gsignal|kill|tgkill|_?pthread_kill|__pthread_kill(_\\w+)?|__abort|abort_message|_Exit",
            "__libc_(message|fatal)(_impl)?|__builtin_trap|__debugbreak|DebugBreak|_invoke_watson|__fastfail",
            "_invalid_parameter(_\\w+)?|_purecall|__cxa_pure_virtual|RtlFailFast2?|RaiseFailFastException",
            "base::ImmediateCrash|base::debug::\\w+|std::process::abort|std::sys::(\\w+::)*abort_internal",
        ),
    ),
    (
        "an assertion that failed, or a check that the compiler put in",
        (
            "__assert(_fail|_fail_base|_rtn|2|_perror_fail|13|)|_wassert|_assert|g_assertion_message(_\\w+)?|g_abort",
            "__(fortify_fail|chk_fail|stack_chk_fail)\\w*|__glibcxx_assert_fail|std::__glibcxx_assert_fail",
            "std::__replacement_assert|std::__libcpp_verbose_abort|QMessageLogger::fatal|qt_assert(_x)?|qFatal",
            "(logging|google|absl|absl::log_internal)::(LogMessage\\w*|CheckError|\\w*Fail\\w*)(::.*)?",
            "(Swift\\.)?(_assertionFailure|_fatalErrorMessage|fatalError|preconditionFailure|assertionFailure)",
            "_?swift_runtime_on_report|swift_(deletedMethodError|abort\\w*)",
        ),
    ),
    (
        "throwing, and what ends the program when nobody catches",
        (
            "__cxa_(throw|rethrow|bad_cast|bad_typeid|call_terminate|call_unexpected)|_Unwind_\\w+",
            "std::(terminate|unexpected|__terminate|rethrow_exception|__throw_\\w+)|terminate|__terminate",
            "(__gnu_cxx|__cxxabiv1)::.*|demangling_terminate_handler|_CxxThrowException|_?RaiseException",
            "(Rtl|Nt|Zw)RaiseException|RtlDispatchException|KiUserExceptionDispatch(er)?|UnhandledExceptionFilter",
            "__C_specific_handler|_except_handler\\w*|RtlpCallVectoredHandlers|__CxxFrameHandler\\w*|_XcptFilter",
            "objc_exception_(throw|rethrow)|__exceptionPreprocess|_?objc_terminate|[-+]\\[NSException raise.*\\]",
            "-\\[NSAssertionHandler .*\\]|_CFThrowFormattedException|__cxa_rethrow_primary_exception",
        ),
    ),
    (
        "the allocator: what it finds broken, somebody else broke",
        (
            "(__libc_|je_|tc_|mi_|__|_)?(malloc|free|calloc|realloc|memalign|aligned_alloc|posix_memalign|cfree)",
            "_int_(malloc|free|realloc|memalign|free_\\w+)|malloc_(printerr|consolidate|zone_\\w+|error_break|vreport)",
            "unlink_chunk|sysmalloc(_\\w+)?|tcache_\\w+|_?(free|malloc|realloc|calloc)_(base|dbg)",
            "operator (new|delete)(\\[\\])?|(szone|tiny|small|large|nano|xzm)_(malloc|free|size|realloc)\\w*",
            "Rtlp?\\w*Heap\\w*|HeapFree|HeapAlloc|HeapReAlloc|scudo::.*|dlmalloc|dlfree|std::__libcpp_\\w*allocate",
            "std::(__)?(new_)?allocator(_traits)?::\\w*allocate|__rust_(alloc|dealloc|realloc|alloc_zeroed)|__rdl_\\w+",
            "alloc::alloc::\\w+|alloc::raw_vec::(handle_error|capacity_overflow)|__rg_\\w+",
        ),
    ),
    (
        "panics of Rust and Go, and Go's runtime",
        (
            "rust_panic\\w*|rust_begin_unwind|_?_rust_(start_panic|begin_short_backtrace|end_short_backtrace)",
            "(std|core)::panicking::.*|panic_(unwind|abort)::.*|core::(option|result)::(unwrap|expect)\\w*_failed",
            "core::(option::Option|result::Result)::(unwrap|expect)(_err)?|core::str::slice_error_fail\\w*",
            "core::slice::(index::)?\\w*_fail\\w*|std::sys(_common)?::backtrace::.*|std::alloc::.*|rust_eh_personality",
            "runtime\\..*|runtime/debug\\..*|panic|crosscall\\w*|_cgo_\\w+|_rt0_\\w+",
        ),
    ),
    (
        "catching the signal and writing the report",
        (
            "<signal handler called>|__restore_rt|_sigtramp|__kernel_(rt_)?sigreturn\\w*|sigaction_tramp",
            "(crashpad|google_breakpad|bcd|sentry)::.*|sentry__\\w+|bt_\\w*crash\\w*|crash_handler",
            "(__asan|__interceptor|__ubsan|__tsan|__msan)_\\w+|__sanitizer::.*|__(asan|ubsan|tsan|msan|hwasan)::.*",
        ),
    ),
    (
        "how threads and programs begin",
        (
            "_start|__libc_start_(main(_impl)?|call_main)|generic_start_main|start_thread|__?clone3?|clone3?",
            "_pthread_(start|body)|__pthread_start|thread_start|_?_?(Base|Rtl)\\w*Thread(Init\\w*|Start)",
            "__scrt_\\w+|invoke_main|w?(main|WinMain)CRTStartup|__tmainCRTStartup|std::rt::\\w+(::.*)?",
            "(core|std)::ops::function::(FnOnce|FnMut|Fn)::\\w+|std::sys::(\\w+::)*thread::.*thread_start",
        ),
    ),
)

_JVM: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("making and throwing", ("java\\.lang\\.Throwable\\..*", "kotlin\\.jvm\\.internal\\.Intrinsics\\..*")),
    (
        "checks of arguments",
        ("java\\.util\\.Objects\\.require\\w+", "com\\.google\\.common\\.base\\.Preconditions\\..*"),
    ),
    (
        "calls by reflection, which the virtual machine does in ways of its own",
        ("(java\\.lang\\.(reflect|invoke)|jdk\\.internal\\.reflect|sun\\.reflect)\\..*", ".*\\$Proxy\\..*"),
    ),
    ("how threads begin", ("java\\.lang\\.Thread\\.run", "java\\.util\\.concurrent\\.ThreadPoolExecutor.*")),
)

_JAVASCRIPT: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("making and throwing", ("(\\w*Error)", "(Error\\.)?captureStackTrace", "(assert|invariant)(\\.\\w+)?")),
    (
        "how turns of the event loop begin",
        ("(process\\.)?processTicksAndRejections", "Promise(\\.\\w+)?", "queueMicrotask"),
    ),
)

# Their frames without a name are those of throwing.
_MODULES: Final = re.compile(
    r"(?:kernelbase|vcruntime\d+(?:_\d)?d?|ucrtbased?|msvcp\d+d?)(?:\.dll|\.pdb)?", re.IGNORECASE
)


def _compiled(table: Iterable[tuple[str, tuple[str, ...]]]) -> re.Pattern[str]:
    return re.compile("|".join(pattern for _reason, patterns in table for pattern in patterns))


_TABLES: Final = {NATIVE: _compiled(_NATIVE), JVM: _compiled(_JVM), JAVASCRIPT: _compiled(_JAVASCRIPT)}


def is_machinery(name: str, family: str) -> bool:
    """Whether a function, by its plain name, stands in every crash of a kind."""
    table = _TABLES.get(family)
    return table is not None and table.fullmatch(name) is not None


def is_machinery_module(name: str) -> bool:
    """Whether the nameless frames of a module, by its base name, are those of throwing."""
    return _MODULES.fullmatch(name) is not None
