"""What a service under load takes and how far it is behind, looked at every few seconds."""

from __future__ import annotations

import threading
import time
import urllib.request
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

MB = 1 << 20
_METRICS = {
    "symbolsvc_crash_queue_age_seconds": "queue_age",
    "symbolsvc_job_age_seconds": "job_age",
    "symbolsvc_cache_bytes": "cache_bytes",
}


@dataclass(frozen=True)
class Look:
    """`at` in seconds since the beginning; memory as PSS in MB, by kind of process; ages in seconds."""

    at: float
    memory: dict[str, float]
    queue_age: float
    job_age: float
    cache_bytes: float

    @property
    def total(self) -> float:
        return sum(self.memory.values())


@dataclass
class Watch:
    """Looks at the processes below `pid` and at the metrics of `url`, as long as the context is open."""

    pid: int
    url: str
    every: float = 5.0
    looks: list[Look] = field(default_factory=list)
    _end: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watch:
        self._began = time.monotonic()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(self.every):
            at = time.monotonic() - self._began
            told = metrics(self.url)
            ages = {name: max(told.get(metric, [0.0])) for metric, name in _METRICS.items()}
            self.looks.append(Look(at, memory(self.pid), **ages))


def metrics(url: str) -> dict[str, list[float]]:
    """All samples of the service, by name."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=30) as answer:
        text = answer.read().decode()
    found: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.value)
    return found


def memory(pid: int) -> dict[str, float]:
    """The PSS in MB of a process and of all below it, by kind of process."""
    sizes: dict[str, float] = {}
    for each in _below(pid):
        try:
            words = (Path("/proc") / str(each) / "smaps_rollup").read_text().split()
            name = _kind((Path("/proc") / str(each) / "cmdline").read_bytes())
        except OSError:
            continue
        if "Pss:" in words:
            sizes[name] = sizes.get(name, 0.0) + int(words[words.index("Pss:") + 1]) * 1024 / MB
    return sizes


def _below(pid: int) -> Iterable[int]:
    parents: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(entry.name))
    waiting = [pid]
    while waiting:
        one = waiting.pop()
        yield one
        waiting.extend(parents.get(one, ()))


def _kind(line: bytes) -> str:
    words = line.replace(b"\0", b" ").decode(errors="replace").split()
    if words and ("postgres" in words[0] or "postgres:" in words):
        return "database"
    named = {"engine.convert.server": "converter", "keeper": "cache keeper", "jobs": "jobs", "web": "web"}
    return next((kind for word, kind in named.items() if word in words), "supervisor")
