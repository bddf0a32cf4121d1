"""Doubt: how probable it is that a line, or a whole shopping list, is right."""
