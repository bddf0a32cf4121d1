"""A recogniser's body that can tell look-alikes apart: written, and given to a new recogniser."""

from __future__ import annotations

from pathlib import Path

from rpc.data.files import DataError
from rpc.recognition.systems.crop_classifier import CropClassifier
from rpc.runs.tensor_files import read_tensors, weights_of, write_tensors

HEAD = "head."  # names the SKUs of one store: not taken over


def write_start(path: str | Path, model: CropClassifier) -> Path:
    """Write all weights but the head's, in half precision.

    Raises:
        DataError: the file cannot be written.
    """
    state = model.state_dict().items()
    body = {name: value.detach().half() for name, value in state if not name.startswith(HEAD)}
    return write_tensors(path, {"body": body})


def load_pretrained(model: CropClassifier, path: str | Path) -> None:
    """Give a new classifier the body that `write_start` wrote; its head stays as it is.

    Raises:
        DataError: the file is missing, damaged, unsafe or of another architecture.
    """
    body = read_tensors(path).get("body")
    if not isinstance(body, dict):
        raise DataError(f"{path}: not a recogniser to start from: expected 'body', its weights")
    body = weights_of(body, f"{path}: 'body'")
    wanted = {name for name in model.state_dict() if not name.startswith(HEAD)}
    if body.keys() != wanted:
        unlike = sorted(body.keys() ^ wanted)[0]
        raise DataError(f"{path}: the start of another architecture: '{unlike}' is in one only")
    try:
        model.load_state_dict({name: value.float() for name, value in body.items()}, strict=False)
    except RuntimeError as error:
        message = str(error).strip().splitlines()[-1].strip()
        raise DataError(f"{path}: the start of another architecture: {message}") from error
