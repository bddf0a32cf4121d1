"""Composed scenes made to look like checkout photos ("Render"): only pixels change."""
