"""Source files beside the small library: their text, bundles of them, and where those lie on a symbol server."""

from __future__ import annotations

from tests.engine.formats import builders
from tests.engine.run.serving import BASE, PLAIN, ask, frames, stack
from tests.engine.webserver import reply


def text(tag="line", lines=60):
    """A source file in which every line tells its number."""
    return "".join(f"{tag} {number}\n" for number in range(1, lines + 1)).encode()


def bundle(files, links=None, debug_id="426f9862-c46b-48c4-d981-64228ac3631d"):
    """A source bundle of texts by path."""
    listed = {f"files/{at}": {"type": "source", "path": path} for at, path in enumerate(files)}
    manifest = {"files": listed, "debug_id": debug_id, "arch": "x86_64", "object_name": "x"}
    if links:
        manifest["source_links"] = links
    return builders.source_bundle(manifest, {f"files/{at}": content for at, content in enumerate(files.values())})


def bundle_path(image):
    """Where the native layout has the bundle of an ELF module."""
    return f"/{image.code_id[:2]}/{image.code_id[2:]}.src.zip"


def request(image, *offsets, base=BASE, candidates=False, **fields):
    options = {"dif_candidates": candidates} | fields.pop("options", {})
    return {"stacktraces": [stack(*offsets, base=base)], "modules": [image.module(base)], "options": options} | fields


def source_path(engine, image, source, scope="p1"):
    """The path of the library's source file, as its debug information has it."""
    asked = request(image, PLAIN, options={"apply_source_context": False})
    return frames(ask(engine, asked, [source], scope=scope))[0]["abs_path"]


def serve_bundle(server, image, content):
    server.routes[bundle_path(image)] = reply(body=content)


def rows(answer, module=0):
    """The candidates of a module by the end of their location."""
    found = answer["modules"][module].get("candidates", [])
    return {row["location"].rpartition("/")[2]: row for row in found}
