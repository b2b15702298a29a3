"""A directory of the host, set up by the operator only.

Files lie below `path` by the rules of the layout. Links are followed as long as they stay below it; nothing that
leads out of it, and nothing but a plain file, is ever opened.
"""

from engine.sourcetypes.filesystem.source import FilesystemSource

__all__ = ["FilesystemSource"]
