from __future__ import annotations

import json

import pytest

from engine.formats.bytewise import FormatError
from engine.formats.il2cpp import LineMapping, ManagedLine

CPP = "/build/il2cpp/Assembly-CSharp.cpp"
CONTENT = {
    "__debug-id__": "c8374b6d-6e96-34d8-ae38-efaa5fec424f",
    CPP: {"/src/B.cs": {"100": 7, "160": 9}, "/src/A.cs": {"20": 3, "120": 4}},
    "/build/broken.cpp": {"/src/C.cs": {"one": 1}},
}
MAPPING = LineMapping(json.dumps(CONTENT).encode())


@pytest.mark.parametrize(
    ("line", "found"),
    [
        (19, None),
        (20, ("/src/A.cs", 3)),
        (70, ("/src/A.cs", 3)),
        (71, None),
        (119, ("/src/B.cs", 7)),
        (120, ("/src/A.cs", 4)),
        (159, ("/src/A.cs", 4)),
        (210, ("/src/B.cs", 9)),
        (211, None),
        (0, None),
    ],
)
def test_the_nearest_line_above_counts_up_to_fifty_lines_away(line: int, found: tuple[str, int] | None):
    assert MAPPING.find(CPP, line) == (ManagedLine(*found) if found else None)


@pytest.mark.parametrize("file", ["/build/other.cpp", "__debug-id__", ""])
def test_other_files_have_no_mapping(file: str):
    assert MAPPING.find(file, 100) is None


def test_a_broken_file_does_not_hide_the_others():
    with pytest.raises(FormatError):
        MAPPING.find("/build/broken.cpp", 1)
    assert MAPPING.find(CPP, 20) is not None


@pytest.mark.parametrize("data", [b"", b"[]", b"{", b"\xff", b'{"\xff": {}}', b'{"a":' * 100_000])
def test_what_is_no_mapping_is_malformed(data: bytes):
    with pytest.raises(FormatError):
        LineMapping(data)
