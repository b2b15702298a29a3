"""Writes of records of uploads."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec
from django.db.models import QuerySet

from core.text import storable
from debugfiles.identify import shown_name
from debugfiles.models import DebugFile
from debugfiles.records.models import NAME_LENGTH, TAG_LENGTH, UploadRecord
from debugfiles.taking import Outcome
from projects.access import Actor
from projects.models import Project

KEY_LENGTH: Final = 200
VALUE_LENGTH: Final = 2000
MOST_VALUES: Final = 100


@dataclass(frozen=True, slots=True)
class UploadFacts:
    """What a client said about its upload: by which door it came, under which name, with which tag and values."""

    format: str
    name: str
    size: int
    tag: str = ""
    values: Mapping[str, str] = field(default_factory=dict)


def new_rxid() -> str:
    """An id in the form that clients of Backtrace know: eight random bytes, then eight of zero."""
    text = secrets.token_hex(8)
    return f"{text[:8]}-{text[8:12]}-{text[12:]}-0000-000000000000"


def record_upload(*, project: Project, actor: Actor, facts: UploadFacts, outcome: Outcome) -> UploadRecord:
    """Keep what was uploaded and what became of it. Texts are made storable and cut where they are too long."""
    kept = list(facts.values.items())[:MOST_VALUES]
    return UploadRecord.objects.create(
        project=project,
        rxid=new_rxid(),
        format=facts.format,
        name=storable(facts.name)[:NAME_LENGTH],
        size=facts.size,
        tag=storable(facts.tag)[:TAG_LENGTH],
        values={storable(key)[:KEY_LENGTH]: storable(value)[:VALUE_LENGTH] for key, value in kept},
        taken=outcome.taken_count,
        refused=outcome.refused_count,
        outcomes=outcomes_of(outcome),
        problem=outcome.problem,
        user_id=actor.user_id,
        token_id=actor.token_id,
        token_prefix=actor.token_prefix,
    )


def name_debug_files(*, project: Project, files: QuerySet[DebugFile], name: str) -> None:
    """Give a name to those of the project's `files` that were uploaded without one."""
    if name:
        nameless = files.filter(project=project, object_name=shown_name(""))
        nameless.update(object_name=storable(name)[:NAME_LENGTH])


def outcomes_of(outcome: Outcome) -> dict[str, Any]:
    """The files by name, the taken ones with their ids, the others with the reason."""
    listed: dict[str, Any] = msgspec.to_builtins({"taken": outcome.taken, "refused": outcome.refused})
    return listed
