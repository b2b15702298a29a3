"""Backtrace's object and query API: fetching crashes and their files, and asking questions about many of them."""
