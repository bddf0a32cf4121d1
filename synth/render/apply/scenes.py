"""A folder of composed scenes as rendering sees it: images, and where every item is in sight."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rpc.data.dataset import Dataset, read_dataset
from rpc.data.files import DataError, safe_join
from rpc.data.images import read_image
from rpc.data.records import Annotation, ImageInfo
from rpc.structures.masks import BoolMask, decode_rle
from synth.render.colours import Rgb

ANNOTATIONS = "instances.json"
IMAGES = "images"


@dataclass(frozen=True)
class SceneFolder:
    """Scenes on disk, as rpc-checkout compose writes them.

    Attributes:
        root: holds `instances.json` and `images/`.
        dataset: what `instances.json` says.
    """

    root: Path
    dataset: Dataset

    @classmethod
    def open(cls, root: str | Path) -> SceneFolder:
        """Read and check the annotations.

        Raises:
            DataError: the folder or its `instances.json` is missing or damaged, or lists no image.
        """
        root = Path(root)
        if not root.is_dir():
            raise DataError(f"{root}: no such folder; expected scenes of rpc-checkout compose")
        dataset = read_dataset(root / ANNOTATIONS)
        if not dataset.images:
            raise DataError(f"{root / ANNOTATIONS}: lists no image; compose some scenes first")
        return cls(root, dataset)

    def image_path(self, image: ImageInfo) -> Path:
        """Where an image lies, never outside the folder.

        Raises:
            DataError: its file name leads out of the folder.
        """
        return safe_join(self.root / IMAGES, image.file_name)

    def read(self, image: ImageInfo) -> Rgb:
        """An image (H, W, 3).

        Raises:
            DataError: it is missing or damaged, or not of the size that the annotations say.
        """
        path = self.image_path(image)
        rgb = read_image(path)
        if rgb.shape[:2] != (image.height, image.width):
            raise DataError(
                f"{path}: is {rgb.shape[1]}x{rgb.shape[0]} px, and {ANNOTATIONS} says "
                f"{image.width}x{image.height}: image and annotations are of different sets"
            )
        return rgb

    def masks(self, image: ImageInfo) -> list[BoolMask]:
        """The visible part of each item, (H, W) each, in the order of `dataset.annotations_of`.

        Raises:
            DataError: an annotation has no RLE mask, or a damaged one.
        """
        return [self._mask(image, item) for item in self.dataset.annotations_of(image.id)]

    def _mask(self, image: ImageInfo, item: Annotation) -> BoolMask:
        try:
            if not isinstance(item.segmentation, dict):
                raise ValueError("no RLE segmentation")
            mask = decode_rle(item.segmentation)
            if mask.shape != (image.height, image.width):
                raise ValueError(f"a mask of {mask.shape[1]}x{mask.shape[0]} px")
        except ValueError as error:
            raise DataError(
                f"{self.root / ANNOTATIONS}: annotation {item.id}: {error}; expected the mask of "
                "what is in sight, as rpc-checkout compose writes it"
            ) from error
        return mask
