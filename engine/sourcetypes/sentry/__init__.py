"""Debug files of a project on a server that is compatible with Sentry's debug file API.

The server is asked for a list by debug id and code id (`GET url?debug_id=…&code_id=…`), answers an array of objects
with `id` and `symbolType`, and gives a file for `GET url?id=…`. It is given the bearer `token`, or the `cookies`.
Lists that came are kept for an hour; a changing parameter in the URL, such as `_last_upload`, makes them new.
"""

from engine.sourcetypes.sentry.source import SentrySource

__all__ = ["SentrySource"]
