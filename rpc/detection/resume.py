"""The point from which a stopped training goes on: `last.pth` in its work folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mmengine.dist import is_main_process
from mmengine.model import is_model_wrapper

from rpc.data.files import DataError
from rpc.detection.model_file import read_tensors, write_tensors
from rpc.detection.optim import check_weights
from rpc.runs.tensor_files import require_plain, weights_of

NAME = "last.pth"
ELAPSED = "elapsed_seconds"
CUT = "cut"  # what a cap on the time left of the updates, see `rpc.runs.update_plan`
COUNTING = "counting"  # the message hub's name for the counting rule that was chosen last


def save_resume_point(runner: Any, elapsed: float, cut: dict[str, Any] | None = None) -> None:
    """Write weights, averaged weights, optimizer, counters and the time used, atomically.

    Args:
        runner: mmengine's, between two iterations.
        elapsed: seconds of training so far.
        cut: of the updates, where a cap has made one.

    Raises:
        DivergedError: a weight is not finite; the older file stays.
        DataError: the file cannot be written; the older one stays.
    """
    if not is_main_process():
        return
    model = runner.model.module if is_model_wrapper(runner.model) else runner.model
    check_weights(model)
    content = {
        "meta": {
            "epoch": 0,
            "iter": runner.iter,
            "seed": runner.seed,
            "dataset_meta": runner.train_dataloader.dataset.metainfo,
            ELAPSED: elapsed,
            CUT: cut,
        },
        "state_dict": dict(model.state_dict()),
        "optimizer": runner.optim_wrapper.state_dict(),
        # mmengine would put its histories of losses here, which hold functions: no safe reader
        # would load them again. What is lost is the smoothing of a few log lines.
        "message_hub": {
            "log_scalars": {},
            "runtime_info": {COUNTING: runner.message_hub.runtime_info.get(COUNTING)},
            "resumed_keys": {COUNTING: True},
        },
    }
    runner.call_hook("before_save_checkpoint", checkpoint=content)  # adds the averaged weights
    write_tensors(Path(runner.work_dir) / NAME, content)


def find_resume_point(
    work_dir: str | Path, classes: tuple[str, ...], scenes: str | None = None
) -> Path | None:
    """The resume point of a work folder, checked; None where there is none.

    Args:
        work_dir: of the training.
        classes: names of what is to be trained now.
        scenes: fingerprint of the scenes that are streamed now; None for a written set.

    Raises:
        DataError: the file is damaged, would execute code, or belongs to other data.
    """
    path = Path(work_dir) / NAME
    if not path.exists():
        return None
    content = read_tensors(path)
    meta = content.get("meta")
    if not isinstance(meta, dict) or not isinstance(content.get("state_dict"), dict):
        raise DataError(f"{path}: not a resume point of a training")
    require_plain(meta, f"{path}: meta")
    weights_of(content["state_dict"], f"{path}: 'state_dict'")
    used = meta.get(ELAPSED)
    if type(meta.get("iter")) is not int or not isinstance(used, int | float) or not used >= 0:
        raise DataError(f"{path}: not a resume point of a training: its counters are no numbers")
    data = meta.get("dataset_meta")
    data = data if isinstance(data, dict) else {}
    classes_then = data.get("classes")
    known = tuple(classes_then) if isinstance(classes_then, list | tuple) else ()
    if known != classes:
        raise DataError(
            f"{path}: checkpoint of another data set ({len(known)} classes {known[:2]}..., "
            f"now {len(classes)} {classes[:2]}...); choose another work folder"
        )
    if data.get("scenes") != scenes:  # None: a written set, which may lie elsewhere now
        raise DataError(
            f"{path}: a training on other scenes ({data.get('scenes') or 'a written set'} then, "
            f"{scenes or 'a written set'} now); choose another work folder"
        )
    return path
