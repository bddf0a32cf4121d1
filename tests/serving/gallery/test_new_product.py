"""A real gallery, real networks, real pictures: a new product is named on the next tray."""

import pytest

from tests.serving.gallery.new_product import try_product


@pytest.mark.slow
def test_a_product_is_named_after_five_photos_and_was_not_before(tmp_path):
    trial = try_product("chips_bag_0", tmp_path, trays=1)
    assert trial.before.named == 0
    assert trial.before.asked == trial.before.items > 0
    assert trial.after.named == trial.after.items
    assert trial.add_seconds < 30
