"""Words and small pieces that all pages share."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

register = template.Library()

_STEPS: Final = ((60, 1, "s"), (3600, 60, "min"), (86400, 3600, "h"), (30 * 86400, 86400, "d"))
_UNITS: Final = ("bytes", "KB", "MB", "GB", "TB")
_LINE_WIDTH: Final = 120
_LINE_HEIGHT: Final = 24


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """How long ago, or in how long; the exact moment on hover."""
    if moment is None:
        return "never"
    exact = moment.astimezone(UTC)
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        exact.isoformat(timespec="seconds"),
        exact.strftime("%Y-%m-%d %H:%M:%S UTC"),
        _distance((timezone.now() - moment).total_seconds()),
    )


@register.filter
def size(count: int | None) -> str:
    """Bytes in words: `1.2 MB`."""
    if count is None:
        return ""
    number, unit = float(count), 0
    while number >= 1000 and unit < len(_UNITS) - 1:
        number, unit = number / 1000, unit + 1
    return f"{count} bytes" if unit == 0 else f"{number:.1f} {_UNITS[unit]}"


@register.filter
def number(count: int | None) -> str:
    """With separators: `12,345`."""
    return "" if count is None else f"{count:,}"


@register.simple_tag
def spark(counts: Sequence[int], label: str) -> SafeString:
    """A small chart of counts in their order; `label` says it in words."""
    width = _LINE_WIDTH / max(len(counts), 1)
    tallest = max(counts, default=0) or 1
    bars = "".join(_bar(place * width, width, count / tallest) for place, count in enumerate(counts))
    return format_html(
        '<svg class="spark" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}</svg>',
        _LINE_WIDTH,
        _LINE_HEIGHT,
        label,
        label,
        mark_safe(bars),  # noqa: S308 - numbers of ours
    )


@register.inclusion_tag("pages/copy.html")
def copyable(text: str, label: str = "Copy") -> dict[str, str]:
    """A text to copy, in one click where scripts run."""
    return {"text": text, "label": label}


@register.simple_tag(takes_context=True)
def with_query(context: template.Context, **changes: object) -> str:
    """The query of this page's address with some parameters changed; None or empty takes one away."""
    query = context["request"].GET.copy()
    for name, value in changes.items():
        query.pop(name, None)
        if value not in (None, ""):
            query[name] = str(value)
    return f"?{query.urlencode()}" if query else "?"


def _bar(left: float, width: float, part: float) -> str:
    height = max(_LINE_HEIGHT * part, 1.0) if part else 0.5
    across = f'x="{left:.1f}" width="{max(width - 1, 0.5):.1f}"'
    return f'<rect {across} y="{_LINE_HEIGHT - height:.1f}" height="{height:.1f}"/>'


def _distance(seconds: float) -> str:
    past = seconds >= 0
    seconds = abs(seconds)
    if seconds < 5:
        return "just now"
    for end, unit, word in _STEPS:
        if seconds < end:
            text = f"{int(seconds // unit)} {word}"
            break
    else:
        days = int(seconds // 86400)
        text = f"{days // 365} y" if days >= 365 else f"{days // 30} mo"
    return f"{text} ago" if past else f"in {text}"
