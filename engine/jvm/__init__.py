"""Obfuscated Java and Kotlin stacks, made readable."""
