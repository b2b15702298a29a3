"""The files of a project, for debuggers and other symbolicators."""
