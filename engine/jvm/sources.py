"""Source files of JVM code, from the bundles that build plug-ins upload."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from engine.formats.source_bundle import SourceBundle
from engine.formats.source_context import source_context
from engine.jvm.wire import JvmFrame


def with_context(frame: JvmFrame, bundles: Sequence[SourceBundle]) -> JvmFrame:
    """The frame with the lines around its own, where a bundle has them. Raises FormatError for a broken member."""
    if not frame.lineno:
        return frame
    text = next(_contents(frame, bundles), None)
    around = source_context(text, frame.lineno) if text is not None else None
    if around is None:
        return frame
    return msgspec.structs.replace(
        frame,
        pre_context=list(around.pre_context) or None,
        context_line=around.context_line,
        post_context=list(around.post_context) or None,
    )


def source_url(frame: JvmFrame) -> str:
    """The URL that a bundle gives to the file of a frame.

    Code lies beside its class unless it says another file; classes within classes lie in the file of the outermost.
    """
    path = frame.abs_path or ""
    if "." in path and "$" not in path:
        package = frame.module.rpartition(".")[0]
        stem = path.rpartition(".")[0]
        inside = f"{package}.{stem}" if package else stem
    else:
        inside = frame.module.partition("$")[0]
    return f"~/{inside.replace('.', '/')}.jvm"


def _contents(frame: JvmFrame, bundles: Sequence[SourceBundle]) -> Iterator[bytes]:
    url = source_url(frame)
    for bundle in bundles:
        content = bundle.find_url(url)
        if content is not None:
            yield content
