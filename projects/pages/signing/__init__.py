"""Signing in and out, and the password of whoever is signed in."""
