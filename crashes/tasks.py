"""The jobs of this room's folders: they are found through here."""

from crashes.again import tasks as again  # noqa: F401
from crashes.grouping import tasks as grouping  # noqa: F401
from crashes.processing import tasks as processing  # noqa: F401
from crashes.retention import tasks as retention  # noqa: F401
