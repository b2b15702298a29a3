"""Compressed files and archives, read as streams within bounds."""
