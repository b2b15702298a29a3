"""Backtrace's submission of reports: bodies, modifiers, late attachments, answers."""
