"""Where systems and languages keep what is theirs. Paths are in lower case, with slashes."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# Linux, Android, macOS and iOS, Windows without the letter of the drive.
_SYSTEM: Final = re.compile(
    r"/(?:usr/)?(?:local/)?lib(?:32|64|x32|exec)?/|/(?:usr/)?s?bin/|/snap/core\d*/|/nix/store/[^/]*-(?:glibc|gcc)-"
    r"|/(?:system|system_ext|apex|vendor|product|odm)/"
    r"|/usr/lib/|/library/(?:apple|developer)/|/private/preboot/cryptexes/|/developer/|/private/var/staged_system_apps/"
    r"|/applications/xcode[^/]*/|/windows/|/systemroot/|/winnt/"
    r"|/program files(?: \(x86\))?/(?:common files|windowsapps/microsoft\.)"
)
_SYSTEM_DIRECTORY: Final = re.compile(
    r"/(?:usr/)?(?:local/)?(?:lib(?:32|64|x32|exec)?|s?bin)/(?:[a-z0-9_]+-linux-[a-z0-9]+/)?"
    r"|/(?:system|system_ext|apex|vendor|product|odm|windows|winnt|systemroot)/.*|/library/(?:apple|developer)/.*"
)
# Where even executables are the system's.
NEVER_OWN: Final = ("/windows/", "/systemroot/", "/winnt/", "/system/", "/apex/", "/vendor/", "/usr/lib/dyld")
_RUNTIME: Final = re.compile(
    r"(?:lib(?:c|m|dl|rt|pthread|util|resolv|nsl|crypt|anl|gcc_s|stdc\+\+|c\+\+|c\+\+abi|c\+\+_shared|unwind|atomic|gomp"
    r"|asan|tsan|ubsan|lsan|android|log|art|jvm|objc|system|dyld|swift[a-z_]*)(?:-[\d.]+)?\.(?:so|dylib|[a-z]\.dylib)(?:\.[\d.]+)?"
    r"|libsystem_[a-z]+\.dylib|ld-linux[\w.-]*|ld-musl[\w.-]*|ld[.-][\d.]*so[\d.]*|linux-(?:gate|vdso)[\w.]*|\[vdso\]|\[vsyscall\]"
    r"|dyld(?:_sim)?|libsystem\.b\.dylib|app_process(?:32|64)?|linker(?:64)?"
    r"|(?:ntdll|kernel32|kernelbase|user32|gdi32(?:full)?|win32u|win32k|advapi32|ole32|oleaut32|combase|rpcrt4|sechost|shell32"
    r"|shlwapi|ws2_32|mswsock|wow64(?:cpu|win)?|ucrtbased?|msvcrtd?|comctl32|imm32|clr|coreclr|clrjit|mscorlib[\w.]*"
    r"|(?:msvcp|msvcr|vcruntime|concrt|vccorlib|mfc)\d[\w]*|api-ms-win-[\w-]+|ext-ms-win-[\w-]+)(?:\.dll)?)"
)
_DRIVE: Final = re.compile(r"(?:[/?.]*)?[a-z]:(?=/)|//\?/|/\?\?/|/device/harddiskvolume\d+(?=/)")
_LIBRARY: Final = re.compile(
    r"\.(?:so(?:\.[\w.]+)?|dylib|dll|drv|sys|ocx|cpl|ax|node|apk|jar|oat|odex|vdex|dex|art|wasm)$"
)
_JAVA: Final = re.compile(
    r"(?:java|javax|jdk|sun|com\.sun|kotlin|kotlinx|scala|groovy|clojure|android|androidx|dalvik|libcore|com\.android"
    r"|org\.apache\.harmony|com\.google\.android)\."
)
_DOTNET: Final = re.compile(r"(?:system|microsoft|mscorlib|windows|mono)(?:\.|$)")
_SCRIPTS: Final = re.compile(
    r"(?:^|/)node_modules/|^node:|^internal/|^native |^<anonymous>|^\[native code\]"
    r"|^(?:chrome|moz|safari(?:-web)?)-extension:"
    r"|/webpack/bootstrap|^webpack:///?\(?webpack\)?/|^(?:events|fs|net|http|timers|module|util|stream|vm|path|_[a-z_]+)\.js$"
)
_PYTHON: Final = re.compile(
    r"/(?:site|dist)-packages/|/lib(?:64)?/(?:python|pypy)\d[\d.]*/|/python\d*\.zip/|^<frozen |^<string>|/lib/python\d"
)
_OTHERS: Final = re.compile(
    r"/usr/local/go/|/go/pkg/mod/|/gems/|/ruby/\d|/vendor/|/rustc/|/\.cargo/|/usr/lib/|/usr/share/"
)


@lru_cache(maxsize=8192)
def plain(path: str) -> str:
    """A path in lower case, with slashes, without the letter of a drive."""
    lowered = path[:4096].replace("\\", "/").lower()
    return lowered[match.end() :] if (match := _DRIVE.match(lowered)) else lowered


def is_executable(path: str) -> bool:
    """Whether a module is a program, no library, as far as its name tells."""
    name = path.rpartition("/")[2]
    if not name or name.startswith(("[", "<")) or _LIBRARY.search(name) or ".so" in name:
        return False
    if is_runtime(path) or ".framework/" in path:
        return False
    return "/" in path or name.endswith(".exe")


def is_runtime(path: str) -> bool:
    """Whether a module is part of a system or of a language's runtime by its name alone."""
    return _RUNTIME.fullmatch(path.rpartition("/")[2]) is not None


def is_of_systems(path: str, *, exact: bool = False) -> bool:
    """Whether a path lies where a system keeps its own; `exact`: whether a directory itself is the system's."""
    if exact:
        return path == "/" or _SYSTEM_DIRECTORY.fullmatch(path) is not None
    return _SYSTEM.match(path) is not None or ".simruntime/" in path


def is_written_here(language: str, file: str, package: str) -> bool:
    """Whether a frame of a language is no part of what comes with it, by its file and its package or class."""
    path = plain(file)
    match language:
        case "javascript":
            return _SCRIPTS.search(path) is None
        case "jvm":
            return _JAVA.match(package) is None
        case "python":
            return _PYTHON.search(path) is None
        case "csharp":
            return _DOTNET.match(package.lower()) is None
        case _:
            return _OTHERS.search(path) is None and _PYTHON.search(path) is None and _SCRIPTS.search(path) is None
