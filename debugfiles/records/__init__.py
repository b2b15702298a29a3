"""What was uploaded when, by whom, and what became of every file in it."""
