"""Second-order pooling: how channels vary together, over all cells of a map.

Bilinear pooling (Lin, RoyChowdhury, Maji, ICCV 2015), its tensor sketch (Gao et al., CVPR 2016) and
the matrix square root of the covariance by Newton-Schulz (Li et al., CVPR 2018, iSQRT-COV). All of
them are blind to where a cell lies.

Key: B pictures, D and E channels, N cells (h * w), d dimensions of a sketch.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from rpc.features.precision import full_precision

TINY = 1e-10  # below the square root: its slope at 0 has no bound


@full_precision
def bilinear(left: Tensor, right: Tensor) -> Tensor:
    """Mean over cells of the outer product of two maps (ICCV 2015, eq. 2 and 3).

    Args:
        left: (B, D, h, w).
        right: (B, E, h, w); the same tensor gives the symmetric [D, D] form.

    Returns:
        (B, D, E).

    Raises:
        ValueError: the maps differ in pictures or cells.
    """
    if left.ndim != 4 or left.shape[0] != right.shape[0] or left.shape[2:] != right.shape[2:]:
        raise ValueError(
            f"bilinear: expected maps (B, D, h, w) and (B, E, h, w), got {tuple(left.shape)} and "
            f"{tuple(right.shape)}"
        )
    first, second = left.flatten(2), right.flatten(2)  # (B, D, N), (B, E, N)
    pooled: Tensor = first @ second.transpose(1, 2) / first.shape[2]
    return pooled


def signed_root(values: Tensor) -> Tensor:
    """sign(x) sqrt(|x|), with a bounded slope at 0; same shape.

    (sqrt(x + eps) without the sign would be right for two equal, never negative maps alone.)
    """
    root: Tensor = (values.abs() + TINY).sqrt() - TINY**0.5
    return values.sign() * root


def normalised(vectors: Tensor) -> Tensor:
    """Signed root, then unit length: (B, D); zeros stay zeros."""
    return F.normalize(signed_root(vectors), dim=1)


class TensorSketch(nn.Module):
    """A vector of `d` values whose products estimate those of outer products, without bias.

    Each channel is added, with a random sign, to a random one of d places (count sketch); the
    sketch of the outer product of two vectors is the circular convolution of their sketches
    (Pham and Pagh 2013), a product after the Fourier transform. Summed over cells.

    Args:
        left: D.
        right: E.
        size: d; the paper takes 8,192 for 512 x 512.
        seed: of places and signs, which are saved with the weights.
    """

    places: Tensor
    signs: Tensor

    def __init__(self, left: int, right: int, size: int = 8192, seed: int = 0) -> None:
        super().__init__()
        if min(left, right, size) < 1:
            raise ValueError(f"tensor sketch: expected sizes above 0, got {left}, {right}, {size}")
        self.left, self.right, self.size = left, right, size
        chance = torch.Generator().manual_seed(seed)
        channels = left + right
        self.register_buffer("places", torch.randint(size, (channels,), generator=chance))
        signs = 2.0 * torch.randint(2, (channels,), generator=chance) - 1
        self.register_buffer("signs", signs)

    @full_precision
    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        """Maps (B, D, h, w) and (B, E, h, w) to (B, d), the mean over cells."""
        if not len(left):
            return left.new_zeros(0, self.size)  # some Fourier transforms refuse none
        split = [self.left, self.right]
        spectra = [
            torch.fft.rfft(self.count_sketch(maps.flatten(2).transpose(1, 2), places, signs))
            for maps, places, signs in zip(
                (left, right),
                torch.split(self.places, split),
                torch.split(self.signs, split),
                strict=True,
            )
        ]  # (B, N, d / 2 + 1) each
        # The transform is linear: cells are averaged before the way back, which is made once.
        sketched: Tensor = torch.fft.irfft((spectra[0] * spectra[1]).mean(dim=1), n=self.size)
        return sketched

    def count_sketch(self, values: Tensor, places: Tensor, signs: Tensor) -> Tensor:
        """(..., D) to (..., d): each value, with its sign, at its place."""
        sketch = values.new_zeros(*values.shape[:-1], self.size)
        return sketch.index_add(-1, places, values * signs.to(values))


@full_precision
def covariance(maps: Tensor) -> Tensor:
    """Covariance (B, D, D) over the cells of maps (B, D, h, w), divided by N (CVPR 2018, eq. 1)."""
    cells = maps.flatten(2)
    centred = cells - cells.mean(dim=2, keepdim=True)
    return centred @ centred.transpose(1, 2) / cells.shape[2]


@full_precision
def root_of(matrices: Tensor, iterations: int = 5) -> Tensor:
    """About the square root of positive semi-definite matrices (B, D, D); zeros stay zeros.

    The trace is divided out, Newton and Schulz's coupled iteration is run, and the root of the
    trace multiplied back (CVPR 2018, eq. 2 to 6). With the paper's 5 iterations small eigenvalues
    are not there yet: it is this recursion, not the root, that the paper trains with.

    Args:
        matrices: symmetric.
        iterations: 1 or more.
    """
    if iterations < 1:
        raise ValueError(f"root_of: expected 1 iteration or more, got {iterations}")
    trace = matrices.diagonal(dim1=1, dim2=2).sum(dim=1)[:, None, None]
    size = trace.clamp_min(torch.finfo(matrices.dtype).tiny ** 0.5)
    three = 3 * torch.eye(matrices.shape[1], dtype=matrices.dtype, device=matrices.device)
    y = matrices / size
    z: Tensor | None = None
    for _ in range(iterations):
        step = (three - (y if z is None else z @ y)) / 2  # z starts as the identity
        y = y @ step
        z = step if z is None else step @ z
    return y * torch.where(trace > 0, size, torch.zeros_like(size)).clamp_min(0).sqrt()


def upper_triangle(matrices: Tensor) -> Tensor:
    """The upper triangles of symmetric matrices (B, D, D), row by row: (B, D (D + 1) / 2)."""
    row, column = torch.triu_indices(matrices.shape[1], matrices.shape[2], device=matrices.device)
    return matrices[:, row, column]
