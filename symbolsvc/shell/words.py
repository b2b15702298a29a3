"""Texts of crash files, made fit for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """Without what would steer the terminal: a crash file can hold anything."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else f"\\x{ord(letter):02x}" for letter in text)


def base_name(path: str) -> str:
    """The last part of a path of any system."""
    return path.replace("\\", "/").rpartition("/")[2] or path
