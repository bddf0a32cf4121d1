"""The demonstration's own copy of the example's gallery."""

from rpc.checkout.exported.loading import descriptor_of, read_description
from rpc.checkout.loading import EXPORTED
from rpc.data.shipped import shipped
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_edit import remove_skus
from rpc.retrieval.gallery.gallery_files import read_state
from rpc.serving.demo import CENTS, GALLERY, demo_gallery


def test_the_copy_is_made_once_and_keeps_what_was_changed(tmp_path):
    before = read_state(shipped(GALLERY))
    folder = demo_gallery(tmp_path)
    assert read_state(folder) == before
    remove_skus(folder, ["soda_can_0"])
    assert demo_gallery(tmp_path) == folder
    assert "soda_can_0" not in {sku.name for sku in read_state(folder).skus}
    assert read_state(shipped(GALLERY)) == before
    assert [path.name for path in tmp_path.iterdir()] == [folder.name]


def test_it_holds_the_priced_products_and_is_described_as_the_shipped_counter_describes(tmp_path):
    folder, exported = demo_gallery(tmp_path), shipped(EXPORTED)
    describe = descriptor_of(exported, read_description(exported))
    gallery = Gallery.open(folder, describe.recipe)
    assert set(gallery.names) == set(CENTS) == set(read_description(exported).taxonomy.names)
    assert {len(sku.photos) for sku in gallery.state.skus} == {8}
    assert {"open_set", "fusion", "camera"} <= set(gallery.state.settings)
