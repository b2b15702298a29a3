"""How long uploads are kept after their last use, and how much a project's uploads may take."""
