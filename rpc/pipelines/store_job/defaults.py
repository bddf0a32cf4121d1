"""Files and numbers of a job where nothing else is asked for; without torch, for the options."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Literal, get_args

from rpc.data.shipped import shipped

Method = Literal["Single", "Syn", "Render", "Syn+Render"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)  # worst first, by the paper

CONFIG: Final[Path] = shipped("configs/cpu_default.py")
RENDERER: Final[Path] = shipped("configs/render/classical.py")
START: Final[Path] = shipped("rpc/weights/start.pth")
RECOGNISER_START: Final[Path] = shipped("rpc/weights/recogniser_start.pth")
MINUTES: Final = 12.0
SCENES: Final = 2000
WORKERS: Final[int] = os.cpu_count() or 1
