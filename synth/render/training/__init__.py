"""Learned renderers: networks, losses and their training."""
