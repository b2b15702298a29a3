"""Secrets out of what clients send: by the names that values stand under, and by what texts look like.

Clients put environment variables, headers and whole configurations into their reports. What is stored of a report
besides the report itself goes through here; the report as it came can be had with a permission of its own only.
"""

from crashes.scrubbing.attributes import MOST_ATTRIBUTES, NAME_LENGTH, VALUE_LENGTH, scrub_attributes
from crashes.scrubbing.texts import MASK, scrub_text
from crashes.scrubbing.values import scrub

__all__ = [
    "MASK",
    "MOST_ATTRIBUTES",
    "NAME_LENGTH",
    "VALUE_LENGTH",
    "scrub",
    "scrub_attributes",
    "scrub_text",
]
