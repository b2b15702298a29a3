"""What comes of asking sources: hits, misses and failures by day, counted in the process and written now and then.

Whoever looks files up notes what came of it (`note`). Writing is best effort: the last seconds of a process that dies
are lost.
"""

from sources.statistics.counting import note
from sources.statistics.reading import SourceState, states_of
from sources.statistics.writing import flush

__all__ = ["SourceState", "flush", "note", "states_of"]
