"""What Apple's API answers (JSON:API), as far as it is read. Fields of other types than documented are refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import msgspec

from core.text import storable

ID_LENGTH: Final = 64
TEXT_LENGTH: Final = 64
BUNDLES: Final = "buildBundles"


class _AppAttributes(msgspec.Struct, frozen=True, rename="camel"):
    name: str | None = None
    bundle_id: str | None = None


class App(msgspec.Struct, frozen=True):
    """One app of the account."""

    id: str
    attributes: _AppAttributes = _AppAttributes()


class Apps(msgspec.Struct, frozen=True):
    """A list of apps."""

    data: list[App]


class _Reference(msgspec.Struct, frozen=True):
    id: str
    type: str = BUNDLES


class _References(msgspec.Struct, frozen=True):
    data: list[_Reference] | None = None


class _Relationships(msgspec.Struct, frozen=True, rename="camel"):
    build_bundles: _References = _References()


class _BuildAttributes(msgspec.Struct, frozen=True, rename="camel"):
    version: str | None = None
    uploaded_date: str | None = None
    processing_state: str | None = None


class _Build(msgspec.Struct, frozen=True):
    id: str
    attributes: _BuildAttributes = _BuildAttributes()
    relationships: _Relationships = _Relationships()


class _Included(msgspec.Struct, frozen=True):
    id: str
    type: str
    attributes: msgspec.Raw = msgspec.Raw(b"{}")


class _BundleAttributes(msgspec.Struct, frozen=True, rename="camel"):
    dsym_url: str | None = msgspec.field(default=None, name="dSYMUrl")


class _Links(msgspec.Struct, frozen=True):
    next: str | None = None


class Builds(msgspec.Struct, frozen=True):
    """A page of builds, with what was asked to be included."""

    data: list[_Build]
    included: list[_Included] = []
    links: _Links = _Links()


class _Error(msgspec.Struct, frozen=True):
    code: str = ""


class Errors(msgspec.Struct, frozen=True):
    """Why Apple refuses."""

    errors: list[_Error] = []


@dataclass(frozen=True, slots=True)
class Bundle:
    """A part of a build, such as the app or its clip. The address opens to whoever has it, for some minutes."""

    id: str
    dsym_url: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Build:
    """A build of the app. `processing` is Apple's word for how far it is."""

    id: str
    version: str
    uploaded_at: datetime | None
    processing: str
    bundles: tuple[Bundle, ...]


def builds_of(page: Builds) -> tuple[Build, ...]:
    """The builds of a page with their parts. Raises msgspec.DecodeError; ids that cannot be kept are left out."""
    bundles = {item.id: item for item in page.included if item.type == BUNDLES}
    return tuple(_build(build, bundles) for build in page.data if _keepable(build.id))


def _build(build: _Build, included: dict[str, _Included]) -> Build:
    attributes = build.attributes
    return Build(
        id=build.id,
        version=shown(attributes.version),
        uploaded_at=_moment(attributes.uploaded_date),
        processing=shown(attributes.processing_state),
        bundles=tuple(_bundles(build, included)),
    )


def _bundles(build: _Build, included: dict[str, _Included]) -> Iterator[Bundle]:
    for reference in build.relationships.build_bundles.data or ():
        found = included.get(reference.id)
        if found is not None and _keepable(found.id):
            attributes = msgspec.json.decode(found.attributes, type=_BundleAttributes)
            yield Bundle(found.id, attributes.dsym_url or None)


def shown(text: str | None) -> str:
    """A text of Apple's as it can be kept and shown."""
    return storable(text or "")[:TEXT_LENGTH]


def _keepable(text: str) -> bool:
    return 0 < len(text) <= ID_LENGTH and text.isascii() and text.isprintable()


def _moment(text: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return found if found.tzinfo is not None else None
