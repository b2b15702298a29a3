"""The lines of text reports that hold a frame, a loaded binary or registers.

Every pattern is anchored or bounded, so that no line costs more than its length.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from engine.apple.report import UNKNOWN_ARCH, AppleFrame, AppleImage, UnreadableReport
from engine.apple.values import known_uuid, parse_arch, parse_uuid

_INDEX = re.compile(r"\s{0,64}\d{1,6}\s+(?=\S)", re.ASCII)
_ADDRESS = re.compile(r"\s0x([0-9a-fA-F]{1,16})(?!\S)", re.ASCII)
_RAW_ADDRESS = re.compile(r"(?<![0-9A-Za-z_])0x([0-9a-fA-F]{1,16})(?![0-9A-Za-z_])", re.ASCII)
_RANGE = re.compile(r"\s*0x([0-9a-fA-F]{1,16})\s*-\s*0x([0-9a-fA-F]{1,16})\s+[+*]?", re.ASCII)
_REGISTER = re.compile(
    r"(?<![0-9A-Za-z_])([a-z][a-z0-9_]{0,15}):\s{0,32}0x([0-9a-fA-F]{1,16})(?![0-9A-Za-z_])", re.ASCII
)
_OFFSET = re.compile(r"\d{1,20}(?: |\Z)", re.ASCII)
_NOT_KNOWN = "???"
_INLINED = "[inlined]"


@dataclass(frozen=True, slots=True)
class ImageLine:
    """A loaded binary, and the processor that its line names."""

    image: AppleImage
    arch: str


def read_frame(line: str) -> AppleFrame | None:
    """`12  Some Module  0x0000000108b7092b symbol + 491`; None for other lines.

    None too for a function that was inlined into the next frame: whoever symbolicates finds it by the next one.
    """
    index = _INDEX.match(line)
    address = index and _ADDRESS.search(line, index.end())
    if index is None or address is None:
        return None
    rest = line[address.end() :].strip()
    if _INLINED in rest:
        return None
    package = line[index.end() : address.start()].strip()
    return AppleFrame(int(address[1], 16), None if package in (_NOT_KNOWN, "") else package, _symbol(rest))


def read_addresses(line: str) -> list[AppleFrame]:
    """The frames of `(0x18c5f1c50 0x18c5f2d44 …)`: what devices write when they know no module."""
    if not line.lstrip().startswith(("(0x", "0x")):
        return []
    return [AppleFrame(int(address, 16)) for address in _RAW_ADDRESS.findall(line)]


def read_registers(line: str) -> dict[str, int]:
    """All `rip: 0x00000001090a0132` of a line."""
    return {name: int(value, 16) for name, value in _REGISTER.findall(line)}


def read_image(line: str) -> ImageLine | None:
    """`0x10864e000 - 0x10ee0ffff +Name x86_64 (1.0) <uuid> /path`; name, arch, version and uuid may be absent.

    None for other lines, and for the line that stands for all memory without a binary. Raises UnreadableReport when
    what stands in angle brackets is no UUID.
    """
    found = _RANGE.match(line)
    if found is None:
        return None
    start, end = int(found[1], 16), int(found[2], 16)
    name, uuid, path = _split(line[found.end() :])
    if uuid is not None and parse_uuid(uuid) is None:
        raise UnreadableReport("a binary image has an id that is not a UUID")
    if name.startswith(_NOT_KNOWN) and path in (_NOT_KNOWN, ""):
        return None
    known = known_uuid(uuid) if uuid else None
    words = name.split(" (", 1)[0].split()
    arch = parse_arch(words[-1]) if len(words) > 1 else UNKNOWN_ARCH
    bare = words[:-1] if arch != UNKNOWN_ARCH else words
    return ImageLine(AppleImage(path or " ".join(bare), known, start, max(end - start, 0)), arch)


def _split(rest: str) -> tuple[str, str | None, str]:
    """Name with arch and version, what stands in angle brackets, and the path."""
    opened = rest.find("<")
    closed = rest.find(">", opened) if opened >= 0 else -1
    if closed >= 0:
        return rest[:opened].strip(), rest[opened + 1 : closed].strip(), rest[closed + 1 :].strip()
    name, slash, path = rest.partition(" /")
    return name.strip(), None, (slash + path).strip()


def _symbol(rest: str) -> str | None:
    """The name in `-[Cart checkout:] + 80 (Cart.m:12)`; None where only the module's start or nothing stands."""
    at = rest.rfind(" + ")
    name = rest[:at] if at >= 0 and _OFFSET.match(rest, at + 3) else rest
    name = name.strip()
    return None if not name or name.startswith((_NOT_KNOWN, "0x")) else name
