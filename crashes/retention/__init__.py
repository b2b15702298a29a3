"""How long crashes are kept, how much a project's crashes may take, and how they go."""
