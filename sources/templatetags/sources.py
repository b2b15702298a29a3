"""Small pieces of the pages of symbol sources."""

from __future__ import annotations

from typing import Final

from django import forms, template
from django.urls import NoReverseMatch, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from projects.access import ProjectAccess
from sources.statistics.reading import DayCounts, SourceState

register = template.Library()

_WIDTH: Final = 112
_HEIGHT: Final = 24


@register.filter
def is_checkbox(field: forms.BoundField) -> bool:
    """Whether a field is one box to tick, whose label stands behind it."""
    return isinstance(field.field.widget, forms.CheckboxInput)


@register.simple_tag
def imports_address(access: ProjectAccess) -> str:
    """Where the imports of a project are shown, by the room above that does them; empty where nobody shows them."""
    try:
        return reverse("appstore_pages:imports", args=[access.organization.slug, access.project.slug])
    except NoReverseMatch:
        return ""


@register.simple_tag
def answers(state: SourceState) -> SafeString:
    """Two weeks as bars: files found at the bottom, not there above them, failures on top."""
    tallest = max((day.hits + day.misses + day.failures for day in state.days), default=0) or 1
    width = _WIDTH / len(state.days)
    bars = [bar for place, day in enumerate(state.days) for bar in _bars(day, place * width, width, tallest)]
    label = f"{state.hits} found, {state.misses} not there, {state.failures} failed in {len(state.days)} days"
    drawn = format_html_join("", '<rect class="{}" x="{}" y="{}" width="{}" height="{}"/>', bars)
    return format_html(
        '<svg class="answers" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}</svg>',
        _WIDTH,
        _HEIGHT,
        label,
        label,
        drawn,
    )


def _bars(day: DayCounts, left: float, width: float, tallest: int) -> list[tuple[str, str, str, str, str]]:
    bars, bottom = [], float(_HEIGHT)
    for name, count in (("hits", day.hits), ("misses", day.misses), ("failures", day.failures)):
        if count:
            height = max(count / tallest * _HEIGHT, 1.0)
            bottom -= height
            bars.append((name, f"{left:.1f}", f"{max(bottom, 0):.1f}", f"{width - 1:.1f}", f"{height:.1f}"))
    return bars or [("none", f"{left:.1f}", f"{_HEIGHT - 0.5:.1f}", f"{width - 1:.1f}", "0.5")]
