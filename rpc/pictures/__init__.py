"""Annotated photos and contact sheets."""

from rpc.pictures.draw import draw_tray

__all__ = ["draw_tray"]
