"""Composed scenes measured beside real photos."""
