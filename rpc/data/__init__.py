"""The only package that knows file layouts: JSON, stores, exemplars, photos, cut-outs."""

from rpc.data.cutouts import Cutout, CutoutSet, read_cutouts, write_cutouts
from rpc.data.dataset import (
    Annotation,
    Dataset,
    ImageInfo,
    Problem,
    read_dataset,
    scan_dataset,
    write_dataset,
)
from rpc.data.exemplars import Exemplar, parse_exemplar_name
from rpc.data.files import DataError, atomic_path, read_json, safe_join, write_json
from rpc.data.images import image_size, read_image, read_photo, read_rgba, write_image
from rpc.data.levels import LEVEL_RULES, LEVELS, Level, LevelRule, level_of
from rpc.data.store import Store
from rpc.data.taxonomy import Category, Taxonomy

__all__ = [
    "LEVELS",
    "LEVEL_RULES",
    "Annotation",
    "Category",
    "Cutout",
    "CutoutSet",
    "DataError",
    "Dataset",
    "Exemplar",
    "ImageInfo",
    "Level",
    "LevelRule",
    "Problem",
    "Store",
    "Taxonomy",
    "atomic_path",
    "image_size",
    "level_of",
    "parse_exemplar_name",
    "read_cutouts",
    "read_dataset",
    "read_image",
    "read_json",
    "read_photo",
    "read_rgba",
    "safe_join",
    "scan_dataset",
    "write_cutouts",
    "write_dataset",
    "write_image",
    "write_json",
]
