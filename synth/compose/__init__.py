"""Cut-outs to checkout scenes with masks and boxes: the synthetic set 'Syn'."""

from synth.compose.backgrounds import Backgrounds
from synth.compose.config import SceneConfig
from synth.compose.dataset import compose_dataset
from synth.compose.exemplar_backgrounds import exemplar_backgrounds
from synth.compose.library import CutoutLibrary
from synth.compose.scene import Item, Scene, compose_scene

__all__ = [
    "Backgrounds",
    "CutoutLibrary",
    "Item",
    "Scene",
    "SceneConfig",
    "compose_dataset",
    "compose_scene",
    "exemplar_backgrounds",
]
