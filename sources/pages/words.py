"""Words of the forms: layouts, casings, kinds of files and of modules, the steps of a test."""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from sources.testing.steps import StepName
from sources.types.common import FILETYPES

LAYOUT_WORDS: Final = MappingProxyType(
    {
        "native": "native: as each platform's own tools lay files out",
        "symstore": "symstore: Microsoft's SymStore, name/id/name",
        "symstore_index2": "symstore_index2: SymStore with folders of two letters",
        "ssqp": "ssqp: Microsoft's protocol for all systems, lower case",
        "unified": "unified: by id alone, id/debuginfo",
        "debuginfod": "debuginfod: of elfutils, build id/debuginfo",
        "slashsymbols": "slashsymbols: name/id/symbols",
    }
)
CASING_WORDS: Final = MappingProxyType(
    {"default": "as the layout has it", "lowercase": "all in lower case", "uppercase": "ALL IN UPPER CASE"}
)
_FILES: Final = {
    "pe": "PE: Windows programs and libraries",
    "pdb": "PDB: their debug files",
    "portablepdb": "Portable PDB: of .NET",
    "mach_code": "Mach-O programs",
    "mach_debug": "Mach-O debug files (dSYM)",
    "elf_code": "ELF programs",
    "elf_debug": "ELF debug files",
    "wasm_code": "WebAssembly programs",
    "wasm_debug": "WebAssembly debug files",
    "breakpad": "Breakpad symbol files",
    "sourcebundle": "Source bundles",
    "uuidmap": "UUID maps",
    "bcsymbolmap": "BCSymbolMap",
    "il2cpp": "IL2CPP maps",
    "proguard": "ProGuard maps",
}
FILE_WORDS: Final = MappingProxyType({name: _FILES.get(name, name) for name in FILETYPES})
MODULE_WORDS: Final = MappingProxyType(
    {
        "": "any",
        "elf": "ELF (Linux, Android)",
        "pe": "PE (Windows)",
        "macho": "Mach-O (Apple)",
        "pe_dotnet": ".NET",
        "wasm": "WebAssembly",
    }
)
SAMPLE_WORDS: Final = MappingProxyType(
    {"elf": "libledger.so (Linux)", "pe": "ledger.dll and ledger.pdb (Windows)", "macho": "Ledger (macOS, iOS)"}
)
STEP_WORDS: Final = MappingProxyType(
    {
        StepName.RESOLVE: "Find the host",
        StepName.CONNECT: "Connect",
        StepName.TLS: "Check the certificate",
        StepName.AUTHENTICATE: "Sign in",
        StepName.LIST: "List",
        StepName.READ: "Read",
        StepName.FILE: "Find the file",
        StepName.LAYOUT: "Recognize the layout",
    }
)
TYPE_WORDS: Final = MappingProxyType(
    {
        "http": "A symbol server or any web server that files lie on, with or without a password.",
        "s3": "A bucket of Amazon S3, or of a service with the same API, such as MinIO, R2 or Ceph.",
        "gcs": "A bucket of Google Cloud Storage, read by a service account.",
        "appStoreConnect": "dSYM files of builds that Apple keeps are imported into the project.",
    }
)
