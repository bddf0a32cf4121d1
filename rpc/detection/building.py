"""mmengine's runner, whose parts are built with an error in one line where a config is at fault."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmengine.runner import Runner

from rpc.data.files import DataError
from rpc.runs.tensor_files import first_misfit

_FAULTS = (AssertionError, AttributeError, KeyError, NotImplementedError, RuntimeError, TypeError)


class ToldRunner(Runner):
    """Says which part of a config cannot be built, and why, instead of a traceback."""

    def build_model(self, model: Any) -> Any:
        """The network."""
        return self._told("model", super().build_model, model)

    def build_train_loop(self, loop: Any) -> Any:
        """The loop with its data."""
        return self._told("train_cfg or train_dataloader", super().build_train_loop, loop)

    def build_val_loop(self, loop: Any) -> Any:
        """The validation with its data."""
        return self._told("val_cfg, val_dataloader or val_evaluator", super().build_val_loop, loop)

    def build_optim_wrapper(self, optim_wrapper: Any) -> Any:
        """The optimiser."""
        return self._told("optim_wrapper", super().build_optim_wrapper, optim_wrapper)

    def register_hooks(self, default_hooks: Any = None, custom_hooks: Any = None) -> None:
        """Hooks: the schedule, the average of weights, the display."""
        self._told(
            "hooks, schedule, ema or display", super().register_hooks, default_hooks, custom_hooks
        )

    def _told(self, part: str, build: Callable[..., Any], *values: Any) -> Any:
        with told(str(self.cfg.filename or "config"), part):
            return build(*values)


@contextmanager
def told(config: str, part: str) -> Iterator[None]:
    """Turn what building a part raises into one line.

    Raises:
        DataError: the part cannot be built as the config says.
    """
    try:
        yield
    except DataError:
        raise
    except (*_FAULTS, ValueError) as error:
        raise DataError(
            f"{Path(config).name}: {part}: cannot be built as the config says: "
            f"{first_misfit(error)}"
        ) from error
