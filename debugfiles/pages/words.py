"""What ids, kinds and features of files mean, for people."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from django.http import HttpRequest

from projects.access import ProjectAccess
from projects.pages.commands import base_url

SYMBOL_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "elf": "ELF (Linux, Android)",
        "macho": "Mach-O (Apple)",
        "pe": "PE (Windows)",
        "pdb": "PDB (Windows)",
        "portablepdb": "Portable PDB (.NET)",
        "wasm": "WebAssembly",
        "breakpad": "Breakpad",
        "sourcebundle": "Source bundle",
        "uuidmap": "UUID map",
        "bcsymbolmap": "BCSymbolMap",
        "il2cpp": "IL2CPP line mapping",
        "proguard": "ProGuard or R8 mapping",
    }
)
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {"dbg": "debug companion", "exe": "executable", "lib": "library", "src": "sources", "rel": "object", "dump": "dump"}
)
FEATURES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "symtab": "Names of functions",
        "debug": "Files and lines, and functions that were inlined",
        "unwind": "How to walk the stack of a minidump",
        "sources": "Source code, shown around the line that crashed",
    }
)


def commands(request: HttpRequest, access: ProjectAccess) -> Mapping[str, str]:
    """Commands that upload from a build, by what they are for."""
    url, organization, project = base_url(request), access.organization.slug, access.project.slug
    cli = f"sentry-cli --url {url}/ --auth-token $TOKEN"
    place = f"--org {organization} --project {project}"
    curl = 'curl -H "Authorization: Bearer $TOKEN"'
    files = f"{url}/api/0/projects/{organization}/{project}/debug-files/"
    return {
        "Native debug files, with sentry-cli": f"{cli} debug-files upload {place} --wait --include-sources build/",
        "Source maps, with sentry-cli": (
            f"sentry-cli sourcemaps inject dist/ && {cli} sourcemaps upload {place} --wait dist/"
        ),
        "ProGuard or R8, with sentry-cli": f'{cli} upload-proguard {place} --uuid "$UUID" mapping.txt',
        "One file or an archive, with curl": f"{curl} -F file=@app.pdb {files}",
    }
