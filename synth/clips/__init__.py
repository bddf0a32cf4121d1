"""Clips of a tray under a camera, made of one photo: hands put items down, light changes."""

from synth.clips.clip import Clip, ClipFrame
from synth.clips.script import KINDS, ClipKind, write_script
from synth.clips.stage import Stage, stage_of

__all__ = ["KINDS", "Clip", "ClipFrame", "ClipKind", "Stage", "stage_of", "write_script"]
