"""Composed scenes made to look like checkout photos ('Render'): pixels change, annotations do not."""
