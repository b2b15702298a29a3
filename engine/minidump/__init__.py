"""Reading minidumps: streams, threads, registers, memory, modules, and why the process crashed."""
