"""Readers of files that other programs wrote: pure, bounded, and suspicious of every byte.

Each takes bytes, a memoryview or an mmap and answers frozen dataclasses. Input that breaks its format's rules raises
`engine.formats.bytewise.FormatError` and nothing else; time and memory are bounded by the size of the input and by
the limits that each module names.
"""
