"""The address that Prometheus reads; it has no slash at its end anywhere."""

from __future__ import annotations

from django.urls import URLPattern, path

from symbolsvc.metrics.views import metrics

urlpatterns: list[URLPattern] = [path("metrics", metrics, name="metrics")]
