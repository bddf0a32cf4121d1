"""One layer on what several networks say of a photo: streams, scales or parts, put together.

Key: B photos, V vectors of a photo, D values of one, K classes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rpc.data.files import DataError

LENGTH: Final = 4.0  # of a vector that the layer is given: unit vectors would learn slowly


class JoinedHead(nn.Module):
    """V vectors, each brought to one length, side by side under one layer.

    Started from layers that know one vector each (`start`, `start_by`), it says at first about the
    mean of what they say; a layer from nothing would have to learn every class again, which takes
    longer than what is left of a short training.

    Args:
        sizes: D of each vector.
        num_classes: K.
        dropout: before the layer.

    Raises:
        ValueError: no vector.
    """

    def __init__(self, sizes: Sequence[int], num_classes: int, dropout: float = 0.0) -> None:
        super().__init__()
        if not sizes:
            raise ValueError("joined head: expected a vector or more")
        self.sizes = tuple(sizes)
        self.dropout = nn.Dropout(dropout)
        self.layer = nn.Linear(sum(self.sizes), num_classes)

    def forward(self, vectors: Sequence[Tensor]) -> Tensor:
        """V vectors (B, D) to scores (B, K)."""
        unit = [F.normalize(own, dim=1) for own in vectors]
        return self.layer(self.dropout(LENGTH * torch.cat(unit, dim=1)))  # type: ignore[no-any-return]

    @torch.no_grad()
    def start(self, layers: Sequence[nn.Linear], lengths: Tensor) -> None:
        """Begin at the mean of what `layers` say, exactly so for vectors of these lengths.

        Args:
            layers: V of them, each of one vector to K scores.
            lengths: (V,) what the vectors' lengths are on average; see `mean_lengths`.

        Raises:
            ValueError: other numbers of layers or lengths than of vectors, or another size of one.
        """
        sizes = tuple(layer.in_features for layer in layers)
        if sizes != self.sizes or lengths.shape != (len(sizes),):
            raise ValueError(
                f"joined head: expected layers of {self.sizes} values and a length each, got "
                f"{sizes} and {tuple(lengths.shape)}"
            )
        share = lengths / (LENGTH * len(sizes))
        blocks = [own * layer.weight for own, layer in zip(share, layers, strict=True)]
        self.layer.weight.copy_(torch.cat(blocks, dim=1))
        self.layer.bias.copy_(torch.stack([layer.bias for layer in layers]).mean(dim=0))

    def start_by(
        self,
        layers: Sequence[nn.Linear],
        batches: Iterable[Tensor],
        describe: Callable[[Tensor], Sequence[Tensor]],
    ) -> None:
        """`start` with lengths seen on photos.

        Args:
            layers: as there.
            batches: photos, (B, 3, S, S) each, on any device.
            describe: photos to V vectors (B, D).

        Raises:
            ValueError: as there.
            DataError: see `mean_lengths`.
        """
        device = self.layer.weight.device
        self.start(layers, mean_lengths((photos.to(device) for photos in batches), describe))


def mean_lengths(
    batches: Iterable[Tensor], describe: Callable[[Tensor], Sequence[Tensor]]
) -> Tensor:
    """Mean lengths (V,) of the V vectors of photos.

    Args:
        batches: photos, (B, 3, S, S) each.
        describe: photos to V vectors (B, D).

    Raises:
        DataError: a vector is zero or not finite on every photo: its network has died.
    """
    found = [
        torch.stack([own.float().norm(dim=1) for own in describe(photos)]) for photos in batches
    ]  # (V, B) each
    lengths = torch.cat(found, dim=1).mean(dim=1)
    if not (torch.isfinite(lengths) & (lengths > 0)).all():
        raise DataError(
            "recognition: a network says nothing of any photo; lower the learning rate and train "
            "again"
        )
    return lengths
