"""How a tuned gallery compares crops with its exemplars: its own scatter, then the camera's mean.

Both come from `rpc-checkout gallery tune` and need no label; docs/naming.md says what each is
worth. A gallery that was never tuned compares descriptors as they are.

Key: N crops, D dimensions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rpc.retrieval.gallery.camera import CameraMean, usable_rows
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.index import build_index
from rpc.retrieval.gallery.own_scatter import OwnScatter

FloatArray = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Comparison:
    """A gallery, and what is done to descriptors before they are compared.

    Attributes:
        original: the gallery as it was opened.
        scatter: made small in exemplars and queries; None changes nothing.
        camera: taken off queries after that; None takes nothing off.
    """

    original: Gallery
    scatter: OwnScatter | None = None
    camera: CameraMean | None = None

    @classmethod
    def of_settings(cls, gallery: Gallery, settings: Mapping[str, Any] | None = None) -> Comparison:
        """As this gallery was tuned.

        Args:
            gallery: with the exemplars.
            settings: None takes the gallery's own; those of its fusion are in them.

        Raises:
            ValueError: its settings are damaged.
        """
        settings = gallery.state.settings if settings is None else settings
        dimension = gallery.state.dimension
        scatter, camera = settings.get("scatter"), settings.get("camera")
        return cls(
            gallery,
            None if scatter is None else OwnScatter.from_dict(scatter, dimension),
            None if camera is None else CameraMean.from_dict(camera, dimension),
        )

    @classmethod
    def learnt(cls, gallery: Gallery, embeddings: FloatArray) -> Comparison:
        """From the gallery's exemplars and descriptors (N, D) of its camera's crops, unlabelled."""
        scatter = OwnScatter.of_embeddings(gallery.embeddings, gallery.sku_of, gallery.photo_of)
        rows = np.asarray(embeddings[usable_rows(embeddings)], np.float64)
        if scatter is not None:
            rows = scatter(rows)
        return cls(gallery, scatter, CameraMean.of_crops(rows))

    def to_settings(self) -> dict[str, Mapping[str, Any] | None]:
        """Settings of the gallery; None removes one that an earlier tuning left."""
        return {
            "scatter": None if self.scatter is None else self.scatter.to_dict(),
            "camera": None if self.camera is None else self.camera.to_dict(),
        }

    @cached_property
    def gallery(self) -> Gallery:
        """The gallery to search in with `queries`; it is searched exactly where it is mapped."""
        if self.scatter is None:
            return self.original
        embeddings = self.scatter.stored(self.original.embeddings)
        return replace(self.original, embeddings=embeddings, index=build_index("exact", embeddings))

    def queries(self, embeddings: FloatArray) -> NDArray[np.float64]:
        """Descriptors (N, D) of crops to queries; a row that tells nothing becomes zeros."""
        usable = usable_rows(embeddings)
        rows = np.asarray(embeddings[usable], np.float64)
        for step in (self.scatter, self.camera):
            rows = rows if step is None else step(rows)
        found = np.zeros(np.shape(embeddings))
        found[usable] = rows
        return found

    def similarities(self, embeddings: FloatArray) -> NDArray[np.float64]:
        """Best similarity (N, K) of crops with each SKU by name; -1 where a row tells nothing."""
        queries = self.queries(embeddings)
        told = usable_rows(queries)
        table = np.full((len(queries), len(self.original)), -1.0)
        if told.any():
            table[told] = self.gallery.similarities(queries[told])
        return table
