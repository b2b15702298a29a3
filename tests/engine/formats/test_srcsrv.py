from __future__ import annotations

import struct
from pathlib import Path

import pytest

from engine.formats.bytewise import FormatError
from engine.formats.msf import Msf
from engine.formats.srcsrv import Vcs, version_control
from tests.engine.formats import builders


def pdb(text: bytes, *, name: bytes = b"srcsrv", block: int = 512) -> bytes:
    info = builders.pdb_info({b"/LinkInfo": 0, name: 3, b"/names": 2})
    return builders.msf([b"old directory", info, b"x" * 3000, text], block=block)


def script(system: bytes) -> bytes:
    head = b"SRCSRV: ini ------\r\nVERSION=1\r\n"
    return head + b"VERCTRL=" + system + b"\r\nSRCSRV: variables ------\r\nSRCSRVTRG=%targ%\r\n"


@pytest.mark.parametrize(
    ("system", "vcs"),
    [
        (b"git", Vcs.GIT),
        (b"Team Foundation Git", Vcs.GIT),
        (b"http-GitHub", Vcs.GIT),
        (b"Perforce", Vcs.PERFORCE),
        (b"Subversion", Vcs.OTHER),
        (b"", Vcs.OTHER),
    ],
)
@pytest.mark.parametrize("block", [512, 4096])
def test_the_system_is_one_of_three(system: bytes, vcs: Vcs, block: int):
    assert version_control(pdb(script(system), block=block)) == vcs


def test_without_the_stream_or_the_variable_there_is_no_system():
    assert version_control(pdb(script(b"git"), name=b"other")) is None
    assert version_control(pdb(b"SRCSRV: ini\r\nVERSION=2\r\n")) is None
    assert version_control(pdb(b"")) is None
    assert version_control(builders.msf([])) is None


@pytest.mark.parametrize(
    ("name", "vcs"),
    [("crash_with_srcsrv.pdb", Vcs.PERFORCE), ("crash.pdb", None), ("CrashWithException.pdb", None)],
)
def test_the_system_of_compiled_files(symbolic_files: Path, name: str, vcs: Vcs | None):
    assert version_control((symbolic_files / "windows" / name).read_bytes()) == vcs


def test_streams_of_a_compiled_file_are_read_whole(symbolic_files: Path):
    file = Msf((symbolic_files / "windows/crash_with_srcsrv.pdb").read_bytes())
    text = file.stream(file.named_streams()[b"srcsrv"], 1 << 20)
    assert text.startswith(b"SRCSRV: ini --")
    assert text.rstrip().endswith(b"SRCSRV: end ------------------------------------------------")


def test_streams_that_were_deleted_have_no_blocks():
    data = bytearray(pdb(script(b"git")))
    sizes = data.find(struct.pack("<II", 4, len(b"old directory")))
    data[sizes + 4 : sizes + 8] = b"\xff\xff\xff\xff"
    assert Msf(data).stream(0, 100) == b""


def test_a_directory_of_too_many_streams_is_malformed():
    with pytest.raises(FormatError, match="too many streams"):
        version_control(builders.msf([b""] * ((1 << 16) + 1), block=32768))


@pytest.mark.parametrize("data", [b"", b"BSJB", b"Microsoft C/C++ program database 2.00\r\n\x1aJG\0\0", b"\0" * 4096])
def test_other_files_are_refused(data: bytes):
    with pytest.raises(FormatError, match="not an MSF"):
        version_control(data)


@pytest.mark.parametrize(("at", "value"), [(32, 7), (32, 0), (44, 0xFFFFFFFF), (44, 3 << 24), (52, 0xFFFFFFFF)])
def test_a_header_that_leads_nowhere_is_malformed(at: int, value: int):
    data = bytearray(pdb(script(b"git")))
    data[at : at + 4] = struct.pack("<I", value)
    with pytest.raises(FormatError):
        version_control(data)
