"""Fuzzing: every parser that reads what strangers send, given bent input. See `fuzz/README.md`."""
