"""Training a detector: a config in, a model file out."""

from __future__ import annotations

import contextlib
import errno
import importlib.util
import logging
import secrets
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.error import URLError

import torch
from mmengine.config import Config
from mmengine.dist import is_main_process
from mmengine.model import is_model_wrapper
from mmengine.runner import runner as runner_module
from torch import nn

from rpc.data.files import DataError
from rpc.data.scene_stream import SceneSource
from rpc.detection.building import ToldRunner
from rpc.detection.config import build_config, model_text, taxonomy_of
from rpc.detection.model_file import SavedModel, read_tensors, write_model
from rpc.detection.pretrained_start import load_start
from rpc.detection.resume import COUNTING, NAME, find_resume_point
from rpc.detection.streamed_dataset import STREAMED
from rpc.runs.data_workers import TrainingLoader
from rpc.runs.folder_lock import writes_files, writes_into
from rpc.runs.optimizer_state import require_optimizer_state
from rpc.runs.tensor_files import first_misfit

__all__ = ["build_config", "train"]

MODEL = "model.pth"

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@writes_into(lambda config, work_dir, *_, **__: work_dir if writes_files(config.launcher) else None)
def train(
    config: Config,
    work_dir: str | Path,
    resume: bool = False,
    *,
    scenes: SceneSource | None = None,
) -> Path:
    """Train until the config's budget is used, then write `model.pth`.

    Args:
        config: of `build_config`.
        work_dir: for the model, the resume point `last.pth`, logs and TensorBoard scalars.
        resume: go on from `last.pth` where there is one; otherwise such a folder is refused.
        scenes: what makes the scenes while the training runs, where `build_config` was given that
            too. A training that was stopped and resumed then gives the same weights as one that
            was not, bit for bit on one kind of machine.

    Returns:
        The model file (see `rpc.detection.model_file`), with averaged weights where the config
        averages them, and with the counting rule of the last validation.

    Raises:
        DataError: unusable data, a folder that holds the training of other data, or a full disk.
        DivergedError: the loss became NaN or infinite; `last.pth` holds the last good state.
        KeyboardInterrupt: Ctrl-C or SIGTERM; `last.pth` is written first.
    """
    work_dir = Path(work_dir)
    taxonomy = taxonomy_of(config)
    point = find_resume_point(
        work_dir, taxonomy.names, None if scenes is None else scenes.fingerprint
    )
    if point is not None and not resume:
        raise DataError(
            f"{point}: a training lies here already; resume it or choose another folder"
        )
    work_dir.mkdir(parents=True, exist_ok=True)
    config = Config(config.to_dict(), filename=config.filename)
    config.work_dir = str(work_dir)
    config.load_from, config.resume = (None, False) if point is None else (str(point), True)
    # mmengine keys loggers, message hubs and visualisers by name: two trainings must not share one.
    config.experiment_name = config.visualizer.name = f"train_{secrets.token_hex(4)}"
    config.visualizer.vis_backends = _installed(config.visualizer.get("vis_backends") or [])
    try:
        with _current(torch.device(config.device)):
            runner = TrainingRunner.from_cfg(config)
            runner.scenes = scenes
            runner.train()
    except DataError as error:
        raise type(error)(_without_traceback(str(error))) from error
    except URLError as error:  # an OSError too
        raise DataError(
            f"{Path(config.filename or 'config').name}: its backbone's pretrained weights cannot "
            f"be fetched ({error.reason}): go online once, or train from scratch with "
            "--cfg-options model.backbone.init_cfg=None"
        ) from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise DataError(  # from a log or a scalar: mmengine's own files
            f"{work_dir}: cannot be written: {error.strerror}; what was saved is kept, make room "
            "and resume"
        ) from error
    path = work_dir / MODEL
    if is_main_process():
        state = read_tensors(work_dir / NAME)["state_dict"]
        rule = runner.message_hub.runtime_info.get(COUNTING)
        about = _meta(runner, config)
        write_model(path, SavedModel(state, model_text(config), taxonomy, rule, about))
    _wait_for_all()
    return path


def _installed(backends: list[Any]) -> list[Any]:
    """The places that curves are written to; TensorBoard only where it is installed."""
    there = importlib.util.find_spec("tensorboard") is not None
    return [one for one in backends if there or one["type"] != "TensorboardVisBackend"]


class TrainingRunner(ToldRunner):
    """mmengine's runner with a quiet console and careful loading."""

    scenes: SceneSource | None = None  # of a streamed data set, which a config cannot hold

    def build_logger(self, *args: Any, **kwargs: Any) -> Any:
        """The details go to the log file; the console shows warnings, and our own display."""
        logger = super().build_logger(*args, **kwargs)
        for handler in logger.handlers:
            if type(handler) is logging.StreamHandler:
                handler.setLevel(logging.WARNING)
                handler.addFilter(_matters)
            elif isinstance(handler, logging.FileHandler):
                handler.handleError = _lose_line  # type: ignore[method-assign]
        return logger

    def build_dataloader(self, dataloader: Any, *args: Any, **kwargs: Any) -> Any:
        """A data loader whose workers leave signals to this process.

        Raises:
            DataError: it is to stream scenes, and there is nothing that makes them.
        """
        if isinstance(dataloader, dict) and dataloader["dataset"].get("type") == STREAMED:
            if self.scenes is None:
                raise DataError("training: its config streams scenes; give `train` their source")
            dataset = {**dataloader["dataset"], "source": self.scenes}
            dataloader = {**dataloader, "dataset": dataset}
        with mock.patch.object(runner_module, "DataLoader", TrainingLoader):
            return ToldRunner.build_dataloader(dataloader, *args, **kwargs)

    def wrap_model(self, model_wrapper_cfg: dict[str, Any] | None, model: nn.Module) -> nn.Module:
        """Put the model on the config's device; mmengine would take a GPU wherever there is one."""
        device: str = self.cfg.device
        with mock.patch.object(runner_module, "get_device", return_value=device):
            wrapped: nn.Module = super().wrap_model(model_wrapper_cfg, model)
        return wrapped

    def load_or_resume(self) -> None:
        """Resume, or take over the weights of the config's `start`.

        Here and not earlier: mmengine gives every layer its first weights just before.
        """
        try:
            super().load_or_resume()
        except DataError:
            raise
        except Exception as error:  # states of wrong types fail in any way
            raise DataError(
                f"{self._load_from}: a damaged resume point: {first_misfit(error)}; choose another "
                "work folder"
            ) from error
        if not self._resume and self.cfg.get("start"):
            load_start(self._bare_model, self.cfg.start)

    @property
    def _bare_model(self) -> nn.Module:
        model: nn.Module = self.model.module if is_model_wrapper(self.model) else self.model
        return model

    def load_checkpoint(self, filename: str, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Load a resume point; its `meta` stays as `resumed_meta`.

        Raises:
            DataError: the weights do not fit the model.
        """
        checkpoint = read_tensors(filename)
        self.resumed_meta: dict[str, Any] = checkpoint["meta"]
        self.resumed_meta.pop("config", None)  # mmengine would run this text as Python
        try:
            # The averaged weights first: the hook puts the model's own back into `state_dict`.
            self.call_hook("after_load_checkpoint", checkpoint=checkpoint)
            self._bare_model.load_state_dict(checkpoint["state_dict"])
        except RuntimeError as error:
            raise DataError(
                f"{filename}: holds another model than the config; resume with the config that it "
                "was trained with, or choose another folder"
            ) from error
        optimizer = getattr(self.optim_wrapper, "optimizer", None)
        if isinstance(optimizer, torch.optim.Optimizer):
            require_optimizer_state(optimizer, checkpoint.get("optimizer"), filename)
        self._has_loaded = True
        return checkpoint


def _current(device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """Make a certain GPU the one that mixed precision and new tensors use."""
    return contextlib.nullcontext() if device.index is None else torch.cuda.device(device)


def _lose_line(record: logging.LogRecord) -> None:
    """A full disk is told by the resume point, not by a traceback for each line of the log."""


def _matters(record: logging.LogRecord) -> bool:
    """Not what we do on purpose: shared convolutions, frozen layers, a rate without scheduler."""
    text = record.getMessage()
    on_purpose = ("is duplicate", "is skipped since its requires_grad", "resume_param_scheduler")
    return not any(words in text for words in on_purpose)


def _meta(runner: ToldRunner, config: Config) -> dict[str, Any]:
    loop = runner.train_loop
    plan = loop.budget.plan
    return {
        "config_name": Path(config.filename).stem if config.filename else "",
        "iterations": loop.iter,
        "iterations_asked": None if plan is None else plan.asked,
        "seconds": round(loop.budget.elapsed, 1),
        "seed": runner.seed,
        "torch": torch.__version__,
    }


def _without_traceback(text: str) -> str:
    """The error's own line, where a data worker wrapped it in its traceback."""
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > 1 and "Traceback" in text:
        return lines[-1].partition("DataError: ")[2] or lines[-1]
    return text


def _wait_for_all() -> None:
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.barrier()
