"""Every figure of `/metrics`: its name, kind, labels and meaning. `docs/metrics.md` is generated from it.

Labels name kinds of things, never tenants: their number is bounded by what the program has. Counters and histograms
are counted where things happen, by every process of a supervisor into files that they share (the library's
multi-process mode, where its variable names a directory); gauges are read when Prometheus asks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics

COUNTER: Final = "counter"
HISTOGRAM: Final = "histogram"
GAUGE: Final = "gauge"

registry: Final = CollectorRegistry(auto_describe=True)
# When counting began would be a figure of its own for each.
disable_created_metrics()  # type: ignore[no-untyped-call]


@dataclass(frozen=True, slots=True)
class Declared:
    """A figure. The name of a counter ends with `_total` in what Prometheus reads."""

    name: str
    kind: str
    help: str
    labels: tuple[str, ...] = ()
    # Upper bounds in seconds.
    buckets: tuple[float, ...] = ()


REQUESTS: Final = Declared(
    "symbolsvc_requests_total",
    COUNTER,
    "Answered requests, by the view that answered (`none`: no view) and the status.",
    ("view", "status"),
)
REQUEST_SECONDS: Final = Declared(
    "symbolsvc_request_seconds",
    HISTOGRAM,
    "Seconds from a request's head to its answer's head, by room of the program.",
    ("room",),
    (0.005, 0.02, 0.1, 0.5, 2.0, 10.0, 60.0),
)
SUBMISSIONS: Final = Declared(
    "symbolsvc_submissions_total",
    COUNTER,
    "Crash reports that clients sent, by what came of them: accepted, malformed, token, too_large, rate, busy, other.",
    ("outcome",),
)
PROCESSED: Final = Declared(
    "symbolsvc_crashes_processed_total",
    COUNTER,
    "Tries to process a crash, by how they ended: done, set_aside, put_back.",
    ("outcome",),
)
PROCESS_SECONDS: Final = Declared(
    "symbolsvc_crash_process_seconds",
    HISTOGRAM,
    "Seconds that a try to process a crash took.",
    (),
    (0.05, 0.2, 0.5, 1.0, 5.0, 20.0, 60.0, 300.0),
)
LOOKUPS: Final = Declared(
    "symbolsvc_lookups_total",
    COUNTER,
    "Modules that were looked for in a symbol source, by what it answered: found, not_found and so on; `known` where"
    " the cache had the answer.",
    ("answer",),
)
CRASHES: Final = Declared(
    "symbolsvc_crashes", GAUGE, "Crashes that are not done with, by state: pending, running, set_aside.", ("state",)
)
CRASH_AGE: Final = Declared(
    "symbolsvc_crash_queue_age_seconds", GAUGE, "For how long the crash has waited that has waited longest and may run."
)
JOBS: Final = Declared(
    "symbolsvc_jobs", GAUGE, "Background jobs, by queue and state: waiting, running, failed.", ("queue", "state")
)
JOB_AGE: Final = Declared(
    "symbolsvc_job_age_seconds",
    GAUGE,
    "For how long the job has waited that has waited longest and may run.",
    ("queue",),
)
WORKERS: Final = Declared(
    "symbolsvc_workers",
    GAUGE,
    "Processes that run jobs, by whether they were heard of lately: alive, silent.",
    ("state",),
)
ANSWERS: Final = Declared(
    "symbolsvc_source_answers_today",
    GAUGE,
    "Answers of projects' symbol sources since midnight UTC: hits, misses, failures.",
    ("outcome",),
)
CACHE_BYTES: Final = Declared("symbolsvc_cache_bytes", GAUGE, "What the cache of the answering host takes on its disk.")
CACHE_LIMIT: Final = Declared("symbolsvc_cache_limit_bytes", GAUGE, "What it may take.")
CACHE_FILES: Final = Declared("symbolsvc_cache_files", GAUGE, "Files in it.")
LEFT_ALONE: Final = Declared(
    "symbolsvc_hosts_left_alone",
    GAUGE,
    "Hosts that the answering host leaves alone, because downloads failed too often.",
)
DATABASE_BYTES: Final = Declared("symbolsvc_database_bytes", GAUGE, "What the database takes.")
BUILD: Final = Declared(
    "symbolsvc_build_info", GAUGE, "1, with the versions of what runs as labels.", ("version", "python", "postgresql")
)

DECLARED: Final[tuple[Declared, ...]] = (
    REQUESTS,
    REQUEST_SECONDS,
    SUBMISSIONS,
    PROCESSED,
    PROCESS_SECONDS,
    LOOKUPS,
    CRASHES,
    CRASH_AGE,
    JOBS,
    JOB_AGE,
    WORKERS,
    ANSWERS,
    CACHE_BYTES,
    CACHE_LIMIT,
    CACHE_FILES,
    LEFT_ALONE,
    DATABASE_BYTES,
    BUILD,
)


def _counter(declared: Declared) -> Counter:
    return Counter(declared.name, declared.help, declared.labels, registry=registry)


def _histogram(declared: Declared) -> Histogram:
    return Histogram(declared.name, declared.help, declared.labels, registry=registry, buckets=declared.buckets)


requests: Final = _counter(REQUESTS)
request_seconds: Final = _histogram(REQUEST_SECONDS)
submissions: Final = _counter(SUBMISSIONS)
processed: Final = _counter(PROCESSED)
lookups: Final = _counter(LOOKUPS)
process_seconds: Final = _histogram(PROCESS_SECONDS)
