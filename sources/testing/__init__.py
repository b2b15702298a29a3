"""Testing a source before or after it is stored: each step on the way to a file, timed, and what came of it."""
