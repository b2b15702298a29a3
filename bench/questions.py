"""What people and programs ask of a project that has much: each an address of a page or of the API."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

_LACKED: Final = str(uuid.UUID(hashlib.md5(b"lacked0").hexdigest()))
_SELDOM: Final = str(uuid.UUID(hashlib.md5(b"lacked97").hexdigest()))
_FILE: Final = str(uuid.UUID(hashlib.md5(b"file321").hexdigest()))
_CODE: Final = hashlib.md5(b"filecode321").hexdigest()

_PAGE: Final = "/organizations/acme/{project}/"
_API: Final = "/api/0/projects/acme/{project}/"
_WORDS: Final = {
    "by function": "fn:app::part7::",
    "by function, many": "fn:app",
    "by module": "module:lib12",
    "by text": "fault17",
    "by text that nothing has": "nosuchtext",
    "by version": "version:1.7",
    "by rare version": "version:0.1",
    "by platform": "platform:native",
    "by platform that nothing has": "platform:plan9",
    "by system": "os:Linux",
    "by rare system": "os:Haiku",
    "by system that nothing has": "os:plan9",
    "by rare attribute": "attr.customer:17",
    "by common attribute": "attr.channel:beta",
    "without names": "is:unnamed",
    "of a day": "since:1d",
    "before a day": "until:2w",
    "lacking what many lack": f"lacking:{_LACKED}",
    "lacking what few lack": f"lacking:{_SELDOM}",
    "by several words": "fn:app version:1.7 attr.hostname:web7 os:Linux",
}
_GROUPS: Final = {
    "": "",
    "by count": "?state=all&sort=count",
    "of any state": "?state=all",
    "ignored": "?state=ignored",
    "regressed": "?q=is:regressed",
}
_CRASHES: Final = {
    "": "",
    "set aside": "?state=set_aside",
    "waiting": "?state=pending",
    "kept": "?state=kept",
    "a page amid": "?cursor={amid}-1:0:0",
}
_OTHERS: Final = {
    "a group": f"{_PAGE}crashes/groups/{{group}}/",
    "what is missing": f"{_PAGE}crashes/missing/",
    "what is missing, by id": f"{_PAGE}crashes/missing/?for={_LACKED}",
    "what is missing, API": f"{_API}crashes/lacking/",
    "rules of crashes": f"{_PAGE}crashes/rules/",
    "rules of crashes, API": f"{_API}crash-rules/",
    "a project at a glance": _PAGE,
    "crashes, API": f"{_API}crashes/?per_page=100",
    "groups, API": f"{_API}crashes/groups/?per_page=100",
    "debug files": f"{_PAGE}files/",
    "debug files by name": f"{_PAGE}files/?query=libpart12",
    "debug files by a name that nothing has": f"{_PAGE}files/?query=nosuchname",
    "debug files by debug id": f"{_PAGE}files/?query={_FILE}",
    "debug files by the beginning of an id": f"{_PAGE}files/?query={_FILE[:8]}",
    "debug files by kind": f"{_PAGE}files/?kind=proguard",
    "debug files of a kind that nothing has": f"{_PAGE}files/?kind=wasm",
    "debug files by debug id, API": f"{_API}files/dsyms/?debug_id={_FILE}",
    "debug files by code id, API": f"{_API}files/dsyms/?code_id={_CODE}",
}


def addresses() -> Mapping[str, str]:
    """By name; `{project}`, `{group}` and `{amid}` (microseconds since the epoch) stand for a project's own."""
    found = {f"groups {name}".strip(): f"{_PAGE}crashes/{query}" for name, query in _GROUPS.items()}
    found |= {f"crashes {name}".strip(): f"{_PAGE}crashes/all/{query}" for name, query in _CRASHES.items()}
    for name, words in _WORDS.items():
        found[f"groups {name}"] = f"{_PAGE}crashes/?state=all&q={quote(words)}"
        found[f"crashes {name}"] = f"{_PAGE}crashes/all/?q={quote(words)}"
    return found | dict(_OTHERS)
