"""The processors whose stacks can be walked, one module each."""

from __future__ import annotations

from engine.unwind.cpus.arm import ARM
from engine.unwind.cpus.arm64 import ARM64
from engine.unwind.cpus.base import CpuModel, Scene, Values
from engine.unwind.cpus.mips import MIPS, MIPS64
from engine.unwind.cpus.x86 import X86
from engine.unwind.cpus.x86_64 import X86_64

# By the name that the wire has for the processor. Of others the first frame is all there is.
CPUS = {cpu.name: cpu for cpu in (X86, X86_64, ARM, ARM64, MIPS, MIPS64)}

__all__ = ["CPUS", "CpuModel", "Scene", "Values"]
