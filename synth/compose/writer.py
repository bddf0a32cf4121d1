"""Scenes on disk: images and shards of annotations by chunk, merged into one COCO file.

A shard is a text file with one line of JSON a scene; it is written after the images of its chunk,
so a chunk whose shard is there is finished.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from rpc.data.files import DataError, atomic_path, write_bytes
from rpc.data.images import write_image
from synth.compose.scene import Item, Scene

CHUNK = 32  # scenes a shard; fixed, so that shards do not depend on the number of workers


def image_name(index: int) -> str:
    """File name of a scene's image."""
    return f"{index:08d}.jpg"


def shard_path(out: Path, chunk: int) -> Path:
    """Where the annotations of a chunk are."""
    return out / "shards" / f"{chunk:06d}.jsonl"


def chunk_range(chunk: int, count: int) -> range:
    """The scenes of a chunk in a set of `count`."""
    return range(chunk * CHUNK, min((chunk + 1) * CHUNK, count))


def write_scene(out: Path, scene: Scene, quality: int) -> str:
    """Write a scene's image; returns its line for the shard."""
    write_image(out / "images" / image_name(scene.index), scene.image, quality)
    return json.dumps(scene_entry(scene), separators=(",", ":"))


def write_shard(out: Path, chunk: int, lines: Sequence[str]) -> None:
    """Write the annotations of a chunk: from now on it counts as finished."""
    write_bytes(shard_path(out, chunk), ("\n".join(lines) + "\n").encode("utf-8"))


def is_finished(out: Path, chunk: int, count: int) -> bool:
    """Whether a chunk has all the scenes that a set of `count` wants of it."""
    try:
        with shard_path(out, chunk).open("rb") as file:
            return sum(1 for _ in file) >= len(chunk_range(chunk, count))
    except FileNotFoundError:
        return False
    except OSError as error:
        raise DataError(f"{shard_path(out, chunk)}: cannot be read: {error.strerror}") from error


def scene_entry(scene: Scene) -> dict[str, Any]:
    """COCO's image and annotations of a scene; annotations have no id yet."""
    height, width = scene.image.shape[:2]
    image = {
        "id": scene.index,
        "file_name": image_name(scene.index),
        "width": width,
        "height": height,
        "level": scene.level,
    }
    return {"image": image, "annotations": [_annotation(scene.index, i) for i in scene.items]}


def merge_shards(out: Path, count: int, categories: list[dict[str, Any]], info: Any) -> Path:
    """Stream the shards into `instances.json`; memory does not grow with `count`.

    Annotation ids count from 1 in the order of the scenes.

    Raises:
        DataError: a shard is damaged, or the file cannot be written.
    """
    path = out / "instances.json"
    with atomic_path(path) as part, part.open("w", encoding="utf-8") as file:
        file.write('{"info":' + _dump(info) + ',"licenses":[],"categories":' + _dump(categories))
        file.write(',"images":[')
        _write_list(file, (_dump(entry["image"]) for entry in _read_shards(out, count)))
        file.write('],"annotations":[')
        annotations = (a for entry in _read_shards(out, count) for a in entry["annotations"])
        _write_list(file, (_dump({"id": n, **a}) for n, a in enumerate(annotations, start=1)))
        file.write("]}\n")
    return path


def _write_list(file: IO[str], texts: Iterator[str]) -> None:
    for number, text in enumerate(texts):
        file.write(f",\n{text}" if number else f"\n{text}")


def _read_shards(out: Path, count: int) -> Iterator[dict[str, Any]]:
    """Entries of the scenes 0 to `count` - 1, in order."""
    for chunk in range(-(-count // CHUNK)):
        path, wanted = shard_path(out, chunk), chunk_range(chunk, count)
        try:
            with path.open(encoding="utf-8") as file:
                for index, line in zip(wanted, file, strict=False):
                    entry = json.loads(line)
                    if entry["image"]["id"] != index:
                        raise ValueError(f"expected scene {index}")
                    yield entry
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path}: damaged ({error}); delete it and run the same command again"
            ) from error


def _annotation(index: int, item: Item) -> dict[str, Any]:
    return {
        "image_id": index,
        "category_id": item.category_id,
        "bbox": _xywh(item.box),
        "area": item.area,
        "iscrowd": 0,
        "segmentation": item.segmentation,
        "visible": round(item.visible, 4),
        "full_bbox": _xywh(item.full_box),
        "full_segmentation": item.full_segmentation,
        "point_xy": [round(item.point[0], 1), round(item.point[1], 1)],
        "cutout": item.cutout,
    }


def _xywh(box: tuple[int, int, int, int]) -> list[int]:
    return [box[0], box[1], box[2] - box[0], box[3] - box[1]]


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
