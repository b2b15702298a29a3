"""What a dump says besides stacks and modules, for people; never the environment or command line of its process."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import islice

from engine.minidump import Crashpad, Minidump, ModuleAnnotations
from engine.native.fragments import json_text
from engine.run.dump_modules import ShownImages

MAX_ENTRIES = 256
MAX_TEXT = 4096


def dump_facts(dump: Minidump, shown: ShownImages) -> str:
    """The JSON of what the dump says about its process and itself; long texts and lists are cut."""
    crashpad = dump.crashpad or Crashpad()
    said: dict[str, object] = {
        "report_id": crashpad.report_id and str(crashpad.report_id),
        "client_id": crashpad.client_id and str(crashpad.client_id),
        "annotations": _pairs(crashpad.annotations),
        "module_annotations": list(islice(_module_annotations(crashpad, dump, shown), MAX_ENTRIES)),
        **_process(dump),
        "unloaded_modules": [_cut(module.name) for module in dump.unloaded_modules[:MAX_ENTRIES]],
        "damaged_streams": [
            {"stream": hex(stream.type), "reason": _cut(stream.reason)} for stream in dump.damaged[:MAX_ENTRIES]
        ],
    }
    return json_text({name: value for name, value in said.items() if value not in (None, [], {})})


def _process(dump: Minidump) -> dict[str, object]:
    misc = dump.misc
    if misc is None:
        return {}
    started = misc.create_time
    uptime = dump.timestamp - started if started and started <= dump.timestamp else None
    return {"process_id": misc.process_id, "process_started": started or None, "process_uptime_seconds": uptime}


def _module_annotations(crashpad: Crashpad, dump: Minidump, shown: ShownImages) -> Iterable[dict[str, object]]:
    """Annotations of modules; `module` is the index in the answer of the one they belong to, if it is there."""
    indexes = {module.number: index for index, module in enumerate(dump.modules)}
    for number, own in sorted(crashpad.modules.items()):
        place = shown.places.get(indexes.get(number, -1))
        if said := _said(own):
            yield said if place is None else {"module": place, **said}


def _said(annotations: ModuleAnnotations) -> dict[str, object]:
    objects = {item.name: item.text for item in annotations.objects if item.text is not None}
    said: dict[str, object] = {
        "annotations": _pairs({**annotations.simple, **objects}),
        "messages": [_cut(line) for line in annotations.lines[:MAX_ENTRIES]],
    }
    return {name: value for name, value in said.items() if value}


def _pairs(texts: Mapping[str, str]) -> dict[str, str]:
    return {_cut(name): _cut(text) for name, text in islice(texts.items(), MAX_ENTRIES)}


def _cut(text: str) -> str:
    return text if len(text) <= MAX_TEXT else text[:MAX_TEXT]
