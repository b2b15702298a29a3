"""7z archives, after the description of the format that 7-Zip comes with (7zFormat.txt)."""

from debugfiles.archives.sevenzip.reader import MAGIC, read_7z

__all__ = ["MAGIC", "read_7z"]
