"""Interface of systems that find named parts, so that it can be measured how well.

Key: B photos of a batch, S x S pixels, G parts.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from torch import Tensor

from rpc.recognition.systems.system import Batch


@runtime_checkable
class PartFinder(Protocol):
    """A system with a box for each of its parts."""

    @property
    def part_names(self) -> tuple[str, ...]:
        """Names of the G parts; empty where it was built to find none."""
        ...

    def found_parts(self, images: Tensor) -> Tensor:
        """Boxes (B, G, 4) of parts on photos (B, 3, S, S), px; NaN of a part that is not found."""
        ...

    def true_parts(self, batch: Batch) -> Tensor:
        """Boxes (B, G, 4) that it is taught of these photos; NaN of a part that is out of sight."""
        ...
