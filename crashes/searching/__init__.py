"""What lists of crashes and groups are asked for: by API, by the words of a search box, by runs over many crashes."""

from crashes.searching.asked import Asked, read_query
from crashes.searching.rows import any_crash, lacking, matching_crashes, matching_groups
from crashes.searching.words import read_words

__all__ = ["Asked", "any_crash", "lacking", "matching_crashes", "matching_groups", "read_query", "read_words"]
