"""The pages of symbol sources: what lookups ask, in which order, how each does, and forms for all of it."""
