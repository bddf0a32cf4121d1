"""Tiny scenes and photos to learn a translation from."""

import pytest

from tests.synth.render.tiny_translation import make_pictures


@pytest.fixture(scope="session")
def pictures(tmp_path_factory):
    """Files of 5 dark scenes and of 4 bright photos."""
    root = tmp_path_factory.mktemp("pictures")
    return (
        make_pictures(root / "scenes" / "images", 5, 10, 150),
        make_pictures(root / "photos", 4, 90, 250, side=64),
    )
