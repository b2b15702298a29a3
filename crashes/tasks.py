"""The jobs of this room's folders: they are found through here."""

from crashes.retention import tasks as retention  # noqa: F401
