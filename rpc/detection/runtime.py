"""Makes mmdet run on a current torch. Importing `rpc.detection` calls `setup()`.

Five things are in the way, each repaired here and nowhere else: the compiled half of mmcv is
absent, mmengine assumes a GPU in every distributed run, a few harmless warnings repeat at every
start, albumentations, which mmdet imports, asks the network for its newest version each time, and
a `type` that no registry knows is imported and called, whatever it is.
(A sixth, that `torch.load` refuses mmengine's checkpoints, is solved where they are written, by
leaving out of them what is not plain: see `rpc.detection.resume`.)
"""

from __future__ import annotations

import functools
import importlib
import importlib.util
import sys
import warnings
from collections.abc import Callable
from typing import Any
from unittest import mock

import torch

from rpc.data.packages import keep_off_the_network

# Warnings of our dependencies that a user can do nothing about: (start of the text, category).
_HARMLESS: tuple[tuple[str, type[Warning]], ...] = (
    (r"pkg_resources is deprecated", UserWarning),
    (r"pkg_resources is deprecated", DeprecationWarning),
    (r"Deprecated call to `pkg_resources\.declare_namespace", DeprecationWarning),
    (r"``MultiScaleDeformableAttention`` has been moved", ImportWarning),
    (r"torch\.meshgrid: in an upcoming release", UserWarning),
    (r"`torch\.cuda\.amp\.autocast\(args\.\.\.\)` is deprecated", FutureWarning),
    (r"`torch\.cuda\.amp\.GradScaler\(args\.\.\.\)` is deprecated", FutureWarning),
)
FRAMEWORKS = ("mmcv", "mmdet", "mmengine", "rpc")
_done = False


def setup() -> None:
    """Make `import mmdet` work; safe and cheap to call again.

    `torch.load` keeps its safe default (`weights_only=True`), and nothing is added to the names
    that it allows.
    """
    global _done
    keep_off_the_network()
    _quiet_harmless_warnings()  # each time: a test runner restores the filters between tests
    if _done:
        return
    _register_operators()
    _allow_distributed_without_gpu()
    _build_registered_parts_only()
    _done = True


def has_compiled_operators() -> bool:
    """Whether mmcv's own compiled extension is the one in use."""
    setup()
    return getattr(sys.modules.get("mmcv._ext"), "__file__", None) is not None


def _quiet_harmless_warnings() -> None:
    present = {(f[0], getattr(f[1], "pattern", f[1]), f[2]) for f in warnings.filters}
    for message, category in _HARMLESS:
        if ("ignore", message, category) not in present:
            warnings.filterwarnings("ignore", message=message, category=category)


def _register_operators() -> None:
    """Put the torchvision-backed module in the place of `mmcv._ext` where that does not exist."""
    name = "mmcv._ext"
    if name in sys.modules or importlib.util.find_spec(name) is not None:
        return
    from rpc.detection.operators import extension_module

    sys.modules[name] = extension_module(name)


def _allow_distributed_without_gpu() -> None:
    """Mmengine picks a GPU before it joins the group; without one, join over gloo instead."""
    from mmengine.dist import utils

    for name in ("_init_dist_pytorch", "_init_dist_slurm", "_init_dist_mpi"):
        setattr(utils, name, _over_gloo_without_gpu(getattr(utils, name)))


def _build_registered_parts_only() -> None:
    """Take from mmengine and mmcv the ways from a text in a config to any function of Python.

    A `type` that no registry holds would be imported by its dotted name and called, `_scope_` and
    the part before a dot would be imported as `SCOPE.registry`, and the name of a suppression is
    evaluated as an expression.
    """
    import mmcv.ops
    from mmengine.registry import registry

    registry.get_object_from_string = lambda name: None
    registry.import_module = _import_of_framework
    functions = {name: getattr(mmcv.ops, name) for name in ("nms", "soft_nms")}
    suppression: Any = sys.modules["mmcv.ops.nms"]  # `mmcv.ops.nms` is the function
    suppression.eval = functions.__getitem__


def _import_of_framework(name: str) -> Any:
    """`importlib.import_module` for what a registry may import: its own frameworks.

    Raises:
        ImportError: something else.
    """
    if name.partition(".")[0] not in FRAMEWORKS:
        raise ImportError(f"{name}: not among {', '.join(FRAMEWORKS)}")
    return importlib.import_module(name)


def _over_gloo_without_gpu(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def wrapper(backend: str, **kwargs: Any) -> None:
        if torch.cuda.is_available():
            init(backend, **kwargs)
            return
        with mock.patch.object(torch.cuda, "set_device"):
            init("gloo", **kwargs)

    return wrapper
