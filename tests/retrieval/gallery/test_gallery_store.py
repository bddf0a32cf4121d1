import json
import resource
from contextlib import suppress
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rpc.data.files import DataError
from rpc.retrieval.gallery import gallery_edit
from rpc.retrieval.gallery.gallery import Gallery
from rpc.retrieval.gallery.gallery_edit import (
    NewPhoto,
    NewSku,
    add_photos,
    add_skus,
    create_gallery,
    remove_skus,
    rename_sku,
    set_setting,
    store_index,
)
from rpc.retrieval.gallery.gallery_files import read_state, remove_gallery
from rpc.retrieval.gallery.index import build_index, read_index, write_index
from tests.retrieval.gallery.gallery_makers import (
    DIMENSION,
    RECIPE,
    make_gallery,
    new_sku,
    unit_vectors,
)

QUERIES = unit_vectors(np.random.default_rng(9), 5, DIMENSION)


def answers(folder, count=3):
    found = Gallery.open(folder, RECIPE).search(QUERIES, count)
    return [[(hit.sku.name, hit.score) for hit in hits] for hits in found]


def test_a_search_is_the_best_row_of_each_sku_by_a_naive_loop(tmp_path):
    gallery = Gallery.open(make_gallery(tmp_path), RECIPE)
    stored = {}
    for seed, name in enumerate(("cola", "soap", "tea")):
        embeddings = [row for photo in new_sku(name, seed).photos for row in photo.embeddings]
        stored[name] = [row.astype(np.float16).astype(np.float64) for row in embeddings]
    for query, hits in zip(QUERIES, gallery.search(QUERIES, 3), strict=True):
        best = {
            name: max(float(row @ query) for row in embeddings)
            for name, embeddings in stored.items()
        }
        wanted = sorted(best, key=lambda name: -best[name])
        assert [hit.sku.name for hit in hits] == wanted
        np.testing.assert_allclose([hit.score for hit in hits], [best[n] for n in wanted], 1e-6)


def test_search_and_similarities_agree_to_the_last_bit(tmp_path):
    gallery = Gallery.open(make_gallery(tmp_path), RECIPE)
    table = gallery.similarities(QUERIES)
    for row, hits in zip(table, gallery.search(QUERIES, 3), strict=True):
        assert {hit.sku.name: hit.score for hit in hits} == dict(
            zip(gallery.names, row.tolist(), strict=True)
        )


def test_the_scores_of_old_skus_are_bit_identical_after_adding_one(tmp_path):
    before = Gallery.open(make_gallery(tmp_path), RECIPE).similarities(QUERIES)
    add_skus(tmp_path, RECIPE, [new_sku("milk", 7, photos=40)])
    gallery = Gallery.open(tmp_path, RECIPE)
    after = gallery.similarities(QUERIES)
    kept = [gallery.names.index(name) for name in ("cola", "soap", "tea")]
    assert after[:, kept].tobytes() == before.tobytes()


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(["a", "b", "c", "d"]), gone=st.sampled_from(["a", "b", "c", "d"]))
def test_the_order_of_adding_and_removing_leaves_no_trace(tmp_path_factory, order, gone):
    folder = tmp_path_factory.mktemp("ordered")
    create_gallery(folder, RECIPE, DIMENSION)
    for name in order:
        add_skus(folder, RECIPE, [new_sku(name, ord(name), category_id=ord(name))])
    remove_skus(folder, [gone])
    other = tmp_path_factory.mktemp("once")
    create_gallery(other, RECIPE, DIMENSION)
    kept = [new_sku(n, ord(n), category_id=ord(n)) for n in "abcd" if n != gone]
    add_skus(other, RECIPE, kept)
    assert answers(folder) == answers(other)


def test_a_removed_sku_is_never_found_again(tmp_path):
    make_gallery(tmp_path)
    remove_skus(tmp_path, ["soap"])
    gallery = Gallery.open(tmp_path, RECIPE)
    query = np.array(new_sku("soap", 1).photos[0].embeddings)
    assert all(hit.sku.name != "soap" for hits in gallery.search(query, 5) for hit in hits)
    assert len(gallery.embeddings) == 8


def test_a_renamed_sku_keeps_its_scores_and_its_id(tmp_path):
    make_gallery(tmp_path)
    before = answers(tmp_path)
    number = Gallery.open(tmp_path).state.sku("soap").category_id
    rename_sku(tmp_path, "soap", "zebra soap", title="Soap with stripes")
    after = [[("soap" if n == "zebra soap" else n, s) for n, s in row] for row in answers(tmp_path)]
    assert after == before
    sku = Gallery.open(tmp_path).state.sku("zebra soap")
    assert (sku.category_id, sku.title) == (number, "Soap with stripes")


def test_more_photos_of_a_known_sku_join_it(tmp_path):
    make_gallery(tmp_path)
    add_skus(tmp_path, RECIPE, [new_sku("tea", 50, photos=3)])
    gallery = Gallery.open(tmp_path, RECIPE)
    assert len(gallery) == 3
    assert len(gallery.state.sku("tea").photos) == 5
    hits = gallery.search(new_sku("tea", 50).photos[1].embeddings, 1)
    assert {hit[0].sku.name for hit in hits} == {"tea"}


def test_two_skus_with_the_very_same_photo_both_answer(tmp_path):
    make_gallery(tmp_path)
    twin = NewSku("cola twin", new_sku("cola", 0).photos)
    add_skus(tmp_path, RECIPE, [twin])
    hits = Gallery.open(tmp_path, RECIPE).search(twin.photos[0].embeddings[:1], 2)[0]
    assert [hit.sku.name for hit in hits] == ["cola", "cola twin"]
    assert hits[0].score == hits[1].score


def test_an_opened_gallery_does_not_change_under_its_reader(tmp_path):
    make_gallery(tmp_path)
    opened = Gallery.open(tmp_path, RECIPE)
    before = opened.similarities(QUERIES)
    remove_skus(tmp_path, ["cola", "tea"])
    assert opened.similarities(QUERIES).tobytes() == before.tobytes()


def test_an_empty_gallery_answers_with_nothing(tmp_path):
    create_gallery(tmp_path, RECIPE, DIMENSION)
    gallery = Gallery.open(tmp_path, RECIPE)
    assert gallery.search(QUERIES, 5) == [[]] * 5
    assert gallery.similarities(QUERIES).shape == (5, 0)
    with pytest.raises(DataError, match="empty"):
        _ = gallery.taxonomy


def test_one_sku_and_no_query(tmp_path):
    gallery = Gallery.open(make_gallery(tmp_path, ["only"]), RECIPE)
    assert [h.sku.name for h in gallery.search(QUERIES[:1], 5)[0]] == ["only"]
    assert gallery.search(np.zeros((0, DIMENSION)), 5) == []
    assert gallery.similarities(np.zeros((0, DIMENSION))).shape == (0, 1)


@pytest.mark.parametrize(
    ("embeddings", "told"),
    [
        (np.zeros((1, DIMENSION)), "is zero"),
        (np.full((1, DIMENSION), np.nan), "not finite"),
        (np.full((1, DIMENSION), np.inf), "not finite"),
        (np.ones((1, DIMENSION + 1)), "expected"),
        (np.ones(DIMENSION), "expected"),
        (np.ones((0, DIMENSION)), "at least one"),
    ],
)
def test_useless_descriptors_are_refused_and_the_gallery_stays(tmp_path, embeddings, told):
    make_gallery(tmp_path)
    before = answers(tmp_path)
    with pytest.raises(DataError, match=told) as caught:
        add_skus(
            tmp_path, RECIPE, [new_sku("good", 4), NewSku("bad", [NewPhoto(embeddings, "x.jpg")])]
        )
    assert "\n" not in str(caught.value)
    assert "bad" in str(caught.value)
    assert answers(tmp_path) == before


@pytest.mark.parametrize("query", [np.zeros((1, DIMENSION)), np.full((1, DIMENSION), np.nan)])
def test_useless_queries_are_refused(tmp_path, query):
    with pytest.raises(ValueError, match="vector 0"):
        Gallery.open(make_gallery(tmp_path), RECIPE).search(query)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda f: remove_skus(f, ["no such"]), "not in the gallery"),
        (lambda f: rename_sku(f, "no such", "x"), "not in the gallery"),
        (lambda f: rename_sku(f, "cola", "tea"), "already"),
        (lambda f: rename_sku(f, "cola", " "), "name"),
        (lambda f: add_skus(f, RECIPE, [new_sku("a\nb", 3)]), "name"),
        (lambda f: add_skus(f, RECIPE, []), "no photo"),
        (lambda f: add_skus(f, {**RECIPE, "side": 32}, [new_sku("x", 3)]), "side = 64"),
        (lambda f: add_skus(f, RECIPE, [new_sku("x", 3, category_id=1)]), "belongs to"),
        (lambda f: add_skus(f, RECIPE, [new_sku("cola", 3, category_id=9)]), "category id"),
        (lambda f: create_gallery(f, RECIPE, DIMENSION + 1), "dimensions"),
        (lambda f: create_gallery(f, {"name": "other"}, DIMENSION), "other"),
        (lambda f: Gallery.open(f, {**RECIPE, "backbone": "vgg16"}), "backbone = None"),
        (lambda f: Gallery.open(f / "nowhere"), "no gallery"),
        (lambda f: remove_skus(f / "nowhere", ["x"]), "no gallery"),
    ],
)
def test_a_wrong_change_is_one_clear_line_and_changes_nothing(tmp_path, change, told):
    make_gallery(tmp_path)
    before = answers(tmp_path)
    with pytest.raises(DataError, match=told) as caught:
        change(tmp_path)
    assert "\n" not in str(caught.value)
    assert answers(tmp_path) == before


def test_a_folder_with_other_files_is_not_taken_for_a_gallery(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(DataError, match=r"holds other files \(holiday.jpg\)"):
        create_gallery(tmp_path, RECIPE, DIMENSION)


@pytest.mark.parametrize(
    "use",
    [
        lambda f: Gallery.open(f),
        lambda f: add_skus(f, RECIPE, [new_sku("x", 1)]),
        lambda f: remove_skus(f, ["x"]),
        lambda f: store_index(f, "ivf"),
    ],
)
def test_a_folder_without_a_gallery_is_left_as_it_was(tmp_path, use):
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(DataError, match="no gallery"):
        use(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def damaged(field, value):
    def change(folder):
        path = folder / "gallery.json"
        content = json.loads(path.read_text())
        content[field] = value
        path.write_text(json.dumps(content))

    return change


def cut_segment(folder):
    path = next((folder / "descriptors").iterdir())
    path.write_bytes(path.read_bytes()[:-3])


def lose_segment(folder):
    next((folder / "descriptors").iterdir()).unlink()


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        (damaged("format", "other"), "not a gallery"),
        (damaged("version", 99), "version 99"),
        (damaged("dimension", 0), "damaged"),
        (damaged("dimension", DIMENSION + 1), "expected"),
        (damaged("segments", []), "damaged"),
        (damaged("segments", [["../../evil.npy", 4, 1]]), "damaged"),
        (damaged("skus", [{"name": "x", "category_id": 1, "title": "", "photos": []}]), "damaged"),
        (damaged("skus", [{"name": "x"}]), "damaged"),
        (damaged("skus", None), "damaged"),
        (damaged("index", ["hnsw", "/etc/passwd", 1, []]), "damaged"),
        (damaged("index", ["pickle", "x.faiss", 1, []]), "damaged"),
        (cut_segment, "checksum"),
        (lose_segment, "cannot be read"),
    ],
)
def test_a_damaged_gallery_is_one_clear_line(tmp_path, harm, told):
    make_gallery(tmp_path)
    harm(tmp_path)
    with pytest.raises(DataError, match=told) as caught:
        Gallery.open(tmp_path, RECIPE)
    assert "\n" not in str(caught.value)


def test_a_segment_that_holds_python_objects_is_refused(tmp_path):
    from zlib import crc32

    make_gallery(tmp_path, ["only"])
    path = next((tmp_path / "descriptors").iterdir())
    np.save(path, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    damaged("segments", [[path.name, 4, crc32(path.read_bytes())]])(tmp_path)
    with pytest.raises(DataError, match="objects, not numbers"):
        Gallery.open(tmp_path, RECIPE)


def test_settings_are_kept_beside_the_skus_and_forgotten_on_request(tmp_path):
    make_gallery(tmp_path)
    before = answers(tmp_path)
    set_setting(tmp_path, "open_set", {"threshold": 0.5})
    assert Gallery.open(tmp_path).state.settings == {"open_set": {"threshold": 0.5}}
    set_setting(tmp_path, "open_set", None)
    assert Gallery.open(tmp_path).state.settings == {}
    assert answers(tmp_path) == before


def test_many_small_changes_end_in_few_files_and_the_same_scores(tmp_path, monkeypatch):
    monkeypatch.setattr(gallery_edit, "MANY", 3)
    names = [f"sku {n}" for n in range(9)]
    make_gallery(tmp_path, names)
    remove_skus(tmp_path, names[:2])
    assert len(list((tmp_path / "descriptors").iterdir())) <= 4
    other = tmp_path / "other"
    create_gallery(other, RECIPE, DIMENSION)
    add_skus(other, RECIPE, [new_sku(n, seed) for seed, n in enumerate(names) if seed >= 2])
    assert answers(tmp_path) == answers(other)


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_a_stored_index_finds_later_skus_and_forgets_removed_ones(tmp_path, kind):
    make_gallery(tmp_path, [f"sku {n}" for n in range(12)])
    store_index(tmp_path, kind)
    assert Gallery.open(tmp_path).state.index.kind == kind
    remove_skus(tmp_path, ["sku 3"])
    add_skus(tmp_path, RECIPE, [new_sku("new", 77)])
    gallery = Gallery.open(tmp_path, RECIPE)
    embeddings = np.concatenate(
        [new_sku("new", 77).photos[0].embeddings, new_sku("sku 3", 3).photos[0].embeddings]
    )
    hits = gallery.search(embeddings, 3, effort=64)
    assert [hit[0].sku.name for hit in hits[:2]] == ["new", "new"]
    assert all(hit.sku.name != "sku 3" for row in hits for hit in row)
    exact = Gallery.open(tmp_path, RECIPE, kind="exact").search(embeddings, 3)
    assert [[h.sku.name for h in row] for row in hits] == [
        [h.sku.name for h in row] for row in exact
    ]
    store_index(tmp_path, "exact")
    assert not list((tmp_path / "indexes").iterdir())
    assert Gallery.open(tmp_path).state.index is None


@pytest.mark.parametrize("room", ["descriptors", "pictures", "indexes", ".readers", "gallery.json"])
@pytest.mark.parametrize("change", ["add", "remove", "rename", "set", "index"])
def test_a_gallery_with_a_link_in_it_is_not_changed(tmp_path, room, change):
    folder, victim = make_gallery(tmp_path / "gallery"), tmp_path / "victim"
    is_folder = not room.startswith(".") and room != "gallery.json"
    if (folder / room).exists():
        (folder / room).rename(victim)
    elif is_folder:
        victim.mkdir()
    else:
        victim.write_bytes(b"")
    (folder / room).symlink_to(victim)
    if is_folder:
        (victim / "0123456789abcdef01234567.jpg").write_bytes(b"mine")
        (victim / ".0123456789abcdef.part.jpg").write_bytes(b"mine")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    changes = {
        "add": lambda: add_skus(folder, RECIPE, [new_sku("milk", 8)]),
        "remove": lambda: remove_skus(folder, ["soap"]),
        "rename": lambda: rename_sku(folder, "soap", "suds"),
        "set": lambda: set_setting(folder, "open_set", {}),
        "index": lambda: store_index(folder, "exact"),
    }
    with pytest.raises(DataError, match=f"{room}: is a link; a gallery is changed only where"):
        changes[change]()
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_room_that_is_a_file_is_told(tmp_path):
    folder = make_gallery(tmp_path)
    (folder / "pictures").write_bytes(b"")
    with pytest.raises(DataError, match="pictures: is no folder"):
        remove_skus(folder, ["soap"])


def test_only_names_of_a_gallery_are_collected(tmp_path):
    folder = make_gallery(tmp_path)
    unnamed = "0123456789abcdef01234567"
    ours = [f"descriptors/{unnamed}.npy", f"pictures/{unnamed}.jpg", f"indexes/{unnamed}.faiss"]
    ours += ["pictures/.0123456789abcdef.part.jpg", ".0123456789abcdef.part.json"]
    theirs = ["pictures/precious.txt", "pictures/cat.jpg", "descriptors/x.npy", "pictures/.hidden"]
    theirs += [f"pictures/{unnamed}.JPG", f"pictures/{unnamed}.npy", "note.txt"]
    for name in (*ours, *theirs):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"x")
    remove_skus(folder, ["soap"])
    assert not [name for name in ours if (folder / name).exists()]
    assert not [name for name in theirs if not (folder / name).exists()]
    remove_gallery(folder)
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {name for name in left if not name.startswith(".")} == set(theirs)


def test_photos_that_a_sku_has_are_told_and_not_added_again(tmp_path):
    folder = make_gallery(tmp_path)
    picture = np.full((8, 8, 3), 90, np.uint8)
    milk = new_sku("milk", 8)
    milk = replace(milk, photos=[replace(photo, picture=picture) for photo in milk.photos])
    first, known = add_photos(folder, RECIPE, [milk])
    assert known == ()
    again, known = add_photos(folder, RECIPE, [milk])
    assert known == ("milk_0.jpg", "milk_1.jpg")
    assert again == first  # no new change
    # By name and picture, too: another processor may give other last bits.
    moved = [replace(photo, embeddings=photo.embeddings[:, ::-1]) for photo in milk.photos]
    assert add_photos(folder, RECIPE, [replace(milk, photos=moved)])[0] == first
    more = new_sku("milk", 9).photos[0]
    mixed, known = add_photos(folder, RECIPE, [replace(milk, photos=[*milk.photos, more, more])])
    assert known == ("milk_0.jpg", "milk_1.jpg", "milk_0.jpg")
    assert len(mixed.sku("milk").photos) == 3
    titled, _ = add_photos(folder, RECIPE, [replace(milk, title="Milk 1 l")])
    assert titled.sku("milk").title == "Milk 1 l"
    same_look = new_sku("soy", 8)  # of another SKU: its photos are its own
    assert len(add_photos(folder, RECIPE, [same_look])[0].sku("soy").photos) == 2


@pytest.mark.parametrize("kind", ["hnsw", "ivf"])
def test_an_index_makes_no_more_room_than_its_file_takes(tmp_path, kind):
    """Sizes of gigabytes at any place of the file: the peak of this process grows by little."""
    embeddings = unit_vectors(np.random.default_rng(0), 300, 16).astype(np.float16)
    path = write_index(tmp_path / "a.faiss", build_index(kind, embeddings))
    good = path.read_bytes()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for place in range(4, 300, 3):
        for size in (2**31, 2**28):
            path.write_bytes(good[:place] + size.to_bytes(8, "little") + good[place + 8 :])
            with suppress(DataError):
                read_index(path, 16)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_files_that_are_named_twice_are_refused(tmp_path):
    folder = make_gallery(tmp_path / "g")
    state = json.loads((folder / "gallery.json").read_text())
    state["segments"] += [state["segments"][0]] * 5
    (folder / "gallery.json").write_text(json.dumps(state))
    with pytest.raises(DataError, match="a file of descriptors is named twice"):
        read_state(folder)
