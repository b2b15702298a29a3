"""Everything that the engine of a process remembers."""

from __future__ import annotations

from engine.lookup.store import Store
from engine.native.contexts import Contexts
from engine.native.demangle import Demangler
from engine.native.fragments import FragmentCache
from engine.native.gate import Gate
from engine.native.images import ImageIdentities
from engine.native.managed import ManagedLines, OpenPortablePdbs
from engine.native.reading import RequestReader
from engine.native.renaming import Renamings
from engine.native.stencils import Stencils
from engine.native.symcache import OpenSymcaches
from engine.run.filling import Readers
from engine.run.resolved import ResolvedModules
from engine.run.unwound import UnwoundModules
from engine.unwind import OpenCfis


class Remembered:
    """What requests share: caches, open files, and threads to wait with. Safe to use from several threads."""

    def __init__(self, store: Store, gate: Gate) -> None:
        self.store = store
        self.gate = gate
        self.modules = ResolvedModules()
        self.unwound = UnwoundModules()
        self.cfis = OpenCfis()
        self.identities = ImageIdentities()
        self.reader = RequestReader(self.identities)
        self.fragments = FragmentCache()
        self.stencils = Stencils()
        self.demangler = Demangler()
        self.symcaches = OpenSymcaches()
        self.managed_lines = ManagedLines()
        self.portable_pdbs = OpenPortablePdbs()
        self.renamings = Renamings()
        self.contexts = Contexts(gate)

    @property
    def readers(self) -> Readers:
        """What looking up needs of all this."""
        return Readers(
            self.gate,
            self.demangler,
            self.fragments,
            self.symcaches,
            self.renamings,
            self.portable_pdbs,
            self.contexts,
        )
