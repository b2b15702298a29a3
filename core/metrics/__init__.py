"""Figures for Prometheus: what is counted while things happen. Everything that there is stands in `declared`."""
