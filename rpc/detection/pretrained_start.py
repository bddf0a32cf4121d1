"""Starting a training from another model's weights, whatever SKUs that one knew."""

from __future__ import annotations

import logging
from pathlib import Path

from torch import nn

from rpc.data.files import DataError
from rpc.detection.model_file import load_model


def load_start(model: nn.Module, path: str | Path) -> int:
    """Take over all weights of a model file that fit; a last layer for other SKUs does not.

    Args:
        model: the detector to be trained.
        path: a model file, such as the class-agnostic start.

    Returns:
        How many tensors were taken over.

    Raises:
        DataError: the file cannot be read, or less than half of the model's weights fit it.
    """
    saved = load_model(path).state_dict
    own = model.state_dict()
    fitting = {k: v for k, v in saved.items() if k in own and own[k].shape == v.shape}
    taken = sum(own[name].numel() for name in fitting)
    if taken < 0.5 * sum(value.numel() for value in own.values()):
        raise DataError(f"{path}: a model of another architecture; it can not start this one")
    model.load_state_dict(fitting, strict=False)
    logging.getLogger(__name__).info("%s: %d of %d tensors", path, len(fitting), len(own))
    return len(fitting)
