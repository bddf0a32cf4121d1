"""Invented packages, drawn from random numbers: what the class-agnostic start learns from, free of any licence."""

from synth.drawn.package import draw_package

__all__ = ["draw_package"]
