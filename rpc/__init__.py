"""Automatic checkout: tray photo in, shopping list out, and an honest measure of how good it is."""

__version__ = "0.1.0"
