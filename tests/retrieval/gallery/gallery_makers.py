"""Galleries of invented descriptors, for tests."""

from pathlib import Path

import numpy as np

from rpc.retrieval.gallery.gallery_edit import NewPhoto, NewSku, add_skus, create_gallery

RECIPE = {"name": "invented", "side": 64}
DIMENSION = 16


def unit_vectors(rng, *shape):
    array = rng.standard_normal(shape).astype(np.float32)
    return array / np.linalg.norm(array, axis=-1, keepdims=True)


def new_sku(name, seed, photos=2, views=2, **fields):
    rng = np.random.default_rng(seed)
    embeddings = unit_vectors(rng, photos, views, DIMENSION)
    entries = [NewPhoto(block, f"{name}_{n}.jpg") for n, block in enumerate(embeddings)]
    return NewSku(name, entries, **fields)


def make_gallery(folder: Path, names=("cola", "soap", "tea")):
    create_gallery(folder, RECIPE, DIMENSION)
    for seed, name in enumerate(names):
        add_skus(folder, RECIPE, [new_sku(name, seed)])
    return folder
