"""The exemplars that products are named by: stored, edited, searched."""
