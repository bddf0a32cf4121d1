"""Annotated photos and contact sheets."""
