"""A load of every kind for minutes, then too much of it: `make soak`."""
