"""The project as a source of a real Symbolicator: debug files by `files/dsyms/`, artifacts by `artifact-lookup/`.

Both decode answers strictly: one word that they do not know spoils a whole list.
"""
