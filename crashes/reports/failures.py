"""The exceptions of reports in JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from crashes.reports import loose
from crashes.reports.material import GivenStack, Kind
from crashes.results import Failure
from crashes.scrubbing.values import scrubbed_text

_TYPE_LENGTH: Final = 500
_VALUE_LENGTH: Final = 8192
# What clients call every error.
_GENERAL: Final = frozenset(
    {"exception", "unhandled exception", "message", "crash", "unhandled rejection", "hang", "error"}
)


def of_report(
    report: Mapping[str, Any], attributes: Mapping[str, Any], classifiers: Sequence[str], stacks: Sequence[GivenStack]
) -> list[Failure]:
    """The exception of a report of Backtrace's, from wherever its client put it."""
    annotations = loose.mapping(report.get("annotations"))
    error = loose.mapping(annotations.get("error"))
    exception = loose.mapping(annotations.get("Exception") or annotations.get("exception"))
    attribute = loose.text(attributes.get("error.type"))
    kind = loose.first_text(
        exception.get("type"),
        error.get("name"),
        *(name for name in classifiers if name),
        "" if attribute.lower() in _GENERAL else attribute,
    )
    value = loose.first_text(exception.get("message"), error.get("message"), attributes.get("error.message"))
    if not kind and not value:
        return []
    crashed = next((at for at, stack in enumerate(stacks) if stack.crashed), None)
    is_jvm = any(given.kind is Kind.JVM for stack in stacks for given in stack.frames)
    return [failure(kind or attribute, value, split=is_jvm, stack=crashed)]


def failure(kind: str, value: str, *, module: str = "", split: bool = False, stack: int | None = None) -> Failure:
    """An exception, scrubbed and cut; with `split` the package stands before its type's last dot."""
    if split and not module:
        module, _, kind = kind.rpartition(".")
    return Failure(
        scrubbed_text(kind[: 2 * _TYPE_LENGTH])[:_TYPE_LENGTH],
        scrubbed_text(value[: 2 * _VALUE_LENGTH])[:_VALUE_LENGTH],
        scrubbed_text(module[: 2 * _TYPE_LENGTH])[:_TYPE_LENGTH],
        stack,
    )
