"""Portable PDB: the debug information of .NET, as a file of its own.

After the "Portable PDB v1.0" specification (dotnet/runtime) on top of ECMA-335, partition II: metadata of which only
the debug tables are filled.
"""

from engine.formats.portable_pdb.reader import PortablePdb, SourcePoint

__all__ = ["PortablePdb", "SourcePoint"]
