"""Invented packages, drawn from random numbers: what the start learns from, free of any licence."""

from synth.drawn.cutouts import draw_cutouts, drawn_taxonomy
from synth.drawn.package import draw_package
from synth.drawn.texture import draw_texture
from synth.drawn.tray_view import tray_view

__all__ = ["draw_cutouts", "draw_package", "draw_texture", "drawn_taxonomy", "tray_view"]
