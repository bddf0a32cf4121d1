"""Training images from several sources as one folder of `images/` and `instances.json`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from rpc.data.dataset import Annotation, Dataset, ImageInfo, read_dataset, write_dataset
from rpc.data.files import DataError, link_or_copy, safe_join
from rpc.data.store import Store

Source = tuple[str, Dataset, Callable[[ImageInfo], Path]]  # prefix of names, images, their files


def join_scene_sets(sets: Mapping[str, str | Path], out: str | Path) -> Path:
    """Several folders of scenes as one, such as Syn and Render.

    Images are linked, not copied, where the file system can; images and annotations are numbered
    anew, in the order of the folders. Run again, it goes on.

    Args:
        sets: folders with `images/` and `instances.json`, by a short name; the images of `syn` are
            named `syn_<file name>`.
        out: folder of the whole; made if it is missing.

    Returns:
        The path of `instances.json`.

    Raises:
        DataError: a folder is missing or damaged, they show different SKUs, or nothing is given.
    """
    if not sets:
        raise DataError("join_scene_sets: expected at least one folder of scenes")
    sources: list[Source] = []
    for name, folder in sets.items():
        dataset = read_dataset(Path(folder) / "instances.json")
        if sources and (unlike := sources[0][1].taxonomy.difference(dataset.taxonomy)):
            raise DataError(
                f"{folder}: shows other SKUs than {next(iter(sets.values()))}: {unlike}"
            )
        sources.append((f"{name}_", dataset, _in_folder(Path(folder) / "images")))
    return _write(sources, Path(out))


def exemplars_as_scenes(store: Store, out: str | Path) -> Path:
    """The raw exemplars of a store as training images, one product each: the baseline 'Single'.

    Returns:
        The path of `instances.json`.

    Raises:
        DataError: an exemplar is missing, or a file cannot be written.
    """

    def path_of(image: ImageInfo) -> Path:
        return store.image_path("train", image)

    return _write([("", store.split("train"), path_of)], Path(out))


def _in_folder(folder: Path) -> Callable[[ImageInfo], Path]:
    return lambda image: safe_join(folder, image.file_name)


def _write(sources: Iterable[Source], out: Path) -> Path:
    """Link the images, then write the annotations: a folder with `instances.json` is whole."""
    images: list[ImageInfo] = []
    annotations: list[Annotation] = []
    taxonomy = None
    for prefix, dataset, path_of in sources:
        taxonomy = dataset.taxonomy
        ids = {}
        for image in dataset.images:
            name = f"{prefix}{image.file_name}"
            link_or_copy(path_of(image), safe_join(out / "images", name))
            ids[image.id] = len(images)
            images.append(replace(image, id=ids[image.id], file_name=name))
        for item in dataset.annotations:
            number = len(annotations) + 1
            annotations.append(replace(item, id=number, image_id=ids[item.image_id]))
    assert taxonomy is not None
    whole = Dataset(tuple(images), tuple(annotations), taxonomy)
    return write_dataset(out / "instances.json", whole)
