"""Minified JavaScript frames become source lines: artifacts, source maps, and what the web has of both."""
