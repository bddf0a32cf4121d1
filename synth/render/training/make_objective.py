"""The objective that belongs to its settings."""

from __future__ import annotations

from synth.render.training.contrastive import ContrastiveTranslation
from synth.render.training.cyclegan import CycleTranslation
from synth.render.training.objective import Objective
from synth.render.training.settings import ContrastiveSettings, CycleSettings, GeneratorSettings


def make_objective(
    settings: CycleSettings | ContrastiveSettings, generator: GeneratorSettings
) -> Objective:
    """The objective that the settings belong to; its weights are yet to be drawn."""
    if isinstance(settings, CycleSettings):
        return CycleTranslation(settings, generator)
    return ContrastiveTranslation(settings, generator)
