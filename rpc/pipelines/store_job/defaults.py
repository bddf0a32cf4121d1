"""Files and numbers of a job where nothing else is asked for; without torch, for the options."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal, get_args

from rpc.data.files import DataError
from rpc.data.shipped import shipped

Method = Literal["Single", "Syn", "Render", "Syn+Render"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)  # worst first, by the paper

CONFIG: Final[Path] = shipped("configs/cpu_default.py")
RENDERER: Final[Path] = shipped("configs/render/classical.py")
START: Final[Path] = shipped("rpc/weights/start.pth")
RECOGNISER_START: Final[Path] = shipped("rpc/weights/recogniser_start.pth")
WORKERS: Final[int] = os.cpu_count() or 1

# Updates a minute on two quiet cores: the detector at 416 px with 8 scenes, the recogniser at
# 128 px with 48 crops. They only say how a cap on the time is divided.
DETECTOR_PACE: Final = 70.0
RECOGNISER_PACE: Final = 180.0
RULE_SCENES: Final = 300
# Foreign odds of a counting rule to choose from, the likeliest first: a recogniser learns on one
# foreign scene for ten of the store's, and on a counter's trays foreign things are rarer.
FOREIGN_ODDS: Final = (0.1, 0.3, 1.0)
BATCHES: Final = 2  # of the recogniser for each update of the detector, where one number is given


@dataclass(frozen=True)
class Recipe:
    """How much a job learns, in updates: the result does not depend on the machine's speed.

    Attributes:
        detector_updates: of a detector that finds products for a recogniser to name.
        recogniser_updates: of the recogniser.
        alone_updates: of a detector without a recogniser beside it.
        scenes: composed scenes to train on, where they are written first.
        scene_side: pixels of a scene at most; it is as large as the store's trays otherwise.
        detector_side: pixels of the longer side that the detector of the default config looks at;
            None for what the config says.

    Raises:
        DataError: a number is below its least.
    """

    detector_updates: int
    recogniser_updates: int
    alone_updates: int
    scenes: int
    scene_side: int = 1024
    detector_side: int | None = None

    def __post_init__(self) -> None:
        least = {"scene_side": 64, "detector_side": 32}
        for name, value in vars(self).items():
            if value is not None and not value >= least.get(name, 1):
                raise DataError(
                    f"--{name.replace('_', '-')}: expected {least.get(name, 1)} or more, "
                    f"got {value}"
                )


RecipeName = Literal["quick", "standard", "long"]
# Minutes of training on two quiet cores, by the paces above: 13, 29 and 70.
RECIPES: Final[Mapping[RecipeName, Recipe]] = MappingProxyType(
    {
        "quick": Recipe(300, 1600, 1000, scenes=2000),
        "standard": Recipe(650, 3600, 2400, scenes=4000),
        "long": Recipe(1200, 9600, 6000, scenes=8000),
    }
)
RECIPE: Final[RecipeName] = "quick"
