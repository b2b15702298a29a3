"""Debug files of other systems, through the real lookup: values that another implementation gives for them."""

from __future__ import annotations

from symbolic import Archive

from tests.engine.run.serving import ask, frames, http_source, read_image
from tests.engine.shared_fixtures import shared
from tests.engine.webserver import reply

BASE = 0x400000


def at(engine, server, module, *offsets):
    asked = {
        "stacktraces": [{"frames": [{"instruction_addr": hex(BASE + offset)} for offset in offsets]}],
        "modules": [module],
    }
    return ask(engine, asked, [http_source(server)])


def functions_of(data, arch=None):
    """An address inside some functions with lines, from the library's own reading of the file."""
    archive = Archive.from_bytes(data)
    cache = (archive.get_object(arch=arch) if arch else next(archive.iter_objects())).make_symcache()
    for address in range(0x800, 0x60000, 0x35):
        found = cache.lookup(address)
        if found and found[-1].full_path and found[-1].line:
            yield address, found


def agree(answer, found, address):
    ours = frames(answer)
    assert [frame["status"] for frame in ours] == ["symbolicated"] * len(found)
    assert [frame["symbol"] for frame in ours] == [location.symbol for location in found]
    assert [frame["lineno"] for frame in ours] == [location.line for location in found]
    assert [frame["abs_path"] for frame in ours] == [location.full_path for location in found]
    assert int(ours[-1]["sym_addr"], 16) == BASE + found[-1].sym_addr
    assert {frame["instruction_addr"] for frame in ours} == {hex(BASE + address)}


def compare(engine, server, module, data, arch=None, *, alignment=1):
    compared = 0
    for address, found in functions_of(data, arch):
        if address % alignment == 0:
            agree(at(engine, server, module, address), found, address)
            compared += 1
            if compared == 10:
                return
    assert compared


def test_a_windows_pdb(engine, server):
    data = shared("fixtures/peers/symbolic/windows/crash.pdb").read_bytes()
    image = read_image(data, "crash.pdb", type="pe")
    known = "3249D99D0C4049318610F4E4FB0B69361"
    server.routes[f"/crash.pdb/{known}/crash.pdb"] = reply(body=data)
    module = image.module(BASE, code_id="5ab380779000", code_file="C:\\app\\crash.exe", debug_id=known)
    compare(engine, server, module, data)
    frame = frames(at(engine, server, module, 0x2D96 - 0x1000 + 0x1000))[0]
    assert frame["package"] == "C:\\app\\crash.exe"
    assert frame["filename"] == frame["abs_path"].split("\\")[-1]
    assert "__cdecl" not in frame["function"]


def test_a_macos_debug_symbol_file(engine, server):
    data = shared("fixtures/peers/symbolic/macos/crash.dSYM/Contents/Resources/DWARF/crash").read_bytes()
    image = read_image(data, "crash", type="macho")
    hexed = image.debug_id.replace("-", "").upper()
    server.routes["/" + "/".join([hexed[at : at + 4] for at in range(0, 20, 4)] + [hexed[20:]])] = reply(body=data)
    compare(engine, server, image.module(BASE, code_id=None), data)


def test_a_breakpad_file(engine, server):
    data = shared("fixtures/peers/symbolic/macos/crash.inlines.sym").read_bytes()
    image = read_image(data, "crash", type="macho")
    breakpad = image.debug_id.replace("-", "").upper() + "0"
    server.routes[f"/crash/{breakpad}/crash.sym"] = reply(body=data)
    compare(engine, server, image.module(BASE, code_id=None), data)


def test_web_assembly_has_relative_addresses_only(engine, server):
    data = shared("fixtures/peers/symbolic/wasm/simple.wasm").read_bytes()
    image = read_image(data, "simple.wasm", type="wasm")
    code_id = image.code_id or image.debug_id.replace("-", "")
    for suffix in ("", ".debug"):
        server.routes[f"/{code_id[:2]}/{code_id[2:]}{suffix}"] = reply(body=data)
    asked = {
        "stacktraces": [{"frames": [{"instruction_addr": "0x8b", "addr_mode": "rel:0"}]}],
        "modules": [image.module(0, code_id=code_id)],
    }
    frame = frames(ask(engine, asked, [http_source(server)]))[0]
    assert (frame["status"], frame["function"], frame["sym_addr"]) == ("symbolicated", "internal_func", "0x8b")
    assert (frame["addr_mode"], frame["instruction_addr"]) == ("rel:0", "0x8b")
    expected = next(Archive.from_bytes(data).iter_objects()).make_symcache().lookup(0x8B)
    assert frame["lineno"] == expected[0].line
