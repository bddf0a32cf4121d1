"""The shared fine-grained core: backbones and what is built on their maps. torch, no mmdet."""

from rpc.features.backbones.efficientnet_lite import (
    IMAGENET_LITE_MEAN,
    IMAGENET_LITE_STD,
    create_efficientnet_lite,
    fold_batch_norm,
)
from rpc.features.backbones.embedding import Embedder, fit_square

__all__ = [
    "IMAGENET_LITE_MEAN",
    "IMAGENET_LITE_STD",
    "Embedder",
    "create_efficientnet_lite",
    "fit_square",
    "fold_batch_norm",
]
