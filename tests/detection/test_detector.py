"""A photo goes into the square, its boxes come back; parts that do not fit are refused."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.registry import init_default_scope
from torch import nn

from rpc.checkout import words as counter_words
from rpc.checkout.loading import load
from rpc.checkout.trained import load_checkout
from rpc.counting import CountingRule
from rpc.counting.doubt.calibration import Calibration
from rpc.counting.doubt.doubt import Doubt
from rpc.data import Category, DataError, Taxonomy
from rpc.data.store import Store
from rpc.detection import runtime
from rpc.detection.config import build_config, model_text, taxonomy_of
from rpc.detection.detector import Detector
from rpc.detection.model_file import SavedModel, load_model, write_model
from rpc.features.local.sku_pictures import pack_pictures
from rpc.features.text.sku_words import SkuWords
from rpc.recognition.counter.recogniser import Recogniser
from rpc.recognition.second_look import LooksAgain
from rpc.recognition.systems.crop_classifier import CropClassifier
from rpc.structures.readings import Reading
from tests.detection.drawn_store import SKUS, TINY
from tests.features.local.packs import lying, pack
from tests.features.text.fake_reader import FakeReader
from tests.runs.device_calls import META, devices_used


class FindsWhite(nn.Module):
    """Says that there is one item, where the square is white; a second box lies in the padding."""

    def data_preprocessor(self, data):
        return data

    def predict(self, inputs, samples):
        rows, columns = np.nonzero((inputs[0].numpy() == 255).all(axis=0))
        box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        height, width = inputs[0].shape[1:]
        boxes = torch.tensor([[width, height, width, height], box], dtype=torch.float32)
        found = SimpleNamespace(
            bboxes=boxes, scores=torch.tensor([0.3, 0.9]), labels=torch.tensor([1, 2])
        )
        return [SimpleNamespace(pred_instances=found)]


def saved(head, **more):
    return SavedModel({}, json.dumps({"model": head}), SKUS, None, {}, "x.pth", **more)


@pytest.fixture
def finds_white():
    return Detector(FindsWhite(), saved({"bbox_head": {"num_classes": 3}}), (64, 64))


@pytest.mark.parametrize("shape", [(200, 320), (320, 200), (40, 64), (24, 16)])
def test_boxes_come_back_in_pixels_of_the_photo(finds_white, shape):
    photo = np.zeros((*shape, 3), np.uint8)
    height, width = shape
    expected = [width // 4, height // 4, width // 2, 3 * height // 4]
    photo[expected[1] : expected[3], expected[0] : expected[2]] = 255
    found = finds_white.predict(photo)
    assert found.labels.tolist() == [2]  # the box without size, outside the photo, is left out
    assert found.scores.tolist() == pytest.approx([0.9])
    pixel = max(shape) / 64  # of the square, in the photo
    np.testing.assert_allclose(found.boxes[0], expected, atol=max(pixel, 1))


def test_photos_of_several_shapes_get_their_own_boxes_back_in_order():
    class CountsCalls(FindsWhite):
        sizes = ()

        def predict(self, inputs, samples):
            self.sizes += (len(inputs),)
            alone = super().predict
            return [alone([one], None)[0] for one in inputs]

    network = CountsCalls()
    detector = Detector(network, saved({"bbox_head": {"num_classes": 3}}), (96, 64))
    photos = []
    for height, width, x in [(40, 60, 5), (60, 40, 10), (40, 60, 25), (80, 120, 30)]:
        photo = np.zeros((height, width, 3), np.uint8)
        photo[10:30, x : x + 10] = 255
        photos.append(photo)
    found = detector.predict_batch(photos)
    # The first three are of two shapes in the network, and the last is one of them, scaled.
    assert sorted(network.sizes) == [1, 3]
    for photo, one in zip(photos, found, strict=True):
        np.testing.assert_array_equal(one.boxes, detector.predict(photo).boxes)
    np.testing.assert_allclose([one.boxes[0, 0] for one in found], [5, 10, 25, 30], atol=1)
    assert detector.predict_batch([]) == []


@pytest.mark.parametrize("photo", [np.zeros((9, 9)), np.zeros((9, 9, 3)), np.zeros((9, 9, 4), "B")])
def test_what_is_no_rgb_photo_is_refused(finds_white, photo):
    with pytest.raises(ValueError, match=r"expected \(H, W, 3\) uint8, got"):
        finds_white.predict(photo)


@pytest.mark.parametrize(
    ("head", "agnostic"),
    [
        ({"bbox_head": {"num_classes": 1}}, True),
        ({"bbox_head": {"num_classes": 3}}, False),
        ({"roi_head": {"bbox_head": {"num_classes": 1}}}, True),
        ({"roi_head": {"bbox_head": {"num_classes": 3}}}, False),
    ],
)
def test_a_detector_of_one_or_two_stages_knows_whether_it_names_skus(head, agnostic):
    assert Detector(FindsWhite(), saved(head), 64).agnostic is agnostic


@pytest.fixture(scope="module")
def built(tiny_store):
    """Weights and description of a tiny detector: of all SKUs, and class-agnostic."""
    runtime.setup()  # the warning filters are those of this moment, before any test's
    init_default_scope("mmdet")
    parts = {}
    for agnostic in (False, True):
        options = {**TINY, "agnostic": agnostic}
        config = build_config("configs/rtmdet_tiny_rpc.py", tiny_store, None, options)
        parts[agnostic] = (MODELS.build(config.model).state_dict(), model_text(config))
    return parts


@pytest.fixture
def write(built, tmp_path):
    def write(agnostic, recogniser=None, counting=None, text=None):
        state, described = built[agnostic]
        weights = None if recogniser is None else recogniser.state_dict()
        path = tmp_path / "model.pth"
        model = SavedModel(state, text or described, SKUS, counting, recogniser=weights)
        return write_model(path, model)

    return write


def test_a_model_file_becomes_a_counter(write):
    rule = {
        "threshold": 0.3,
        "nms_iou": 0.6,
        "agnostic_iou": 1.0,
        "containment": 1.0,
        "max_items": 9,
    }
    path = write(True, CropClassifier(len(SKUS) + 1, pretrained=False), rule)
    checkout = load_checkout(path)
    assert checkout.taxonomy == SKUS
    # The rule is one of a former version; it counts as it did then.
    later = {"agnostic_containment": 1.0, "counts_by": "score", "repeat_gain": 0.0}
    assert checkout.rule.to_dict() == rule | later | {"foreign_odds": 1.0}
    assert checkout.recogniser.model.head.out_features == len(SKUS) + 1
    photo = np.random.default_rng(0).integers(0, 256, (50, 80, 3), np.uint8)
    found = checkout.detect(photo)
    assert (found.boxes <= [80, 50, 80, 50]).all()
    assert all(label < len(SKUS) for label in found.labels)


def test_a_model_with_words_makes_a_counter_that_reads_what_it_doubts(write, monkeypatch):
    torch.manual_seed(0)
    rule = CountingRule(0.0).to_dict()
    path = write(True, CropClassifier(len(SKUS) + 1, pretrained=False), rule)
    words = [SkuWords((Reading(name, 0.9),), 8) for name in SKUS.names]
    write_model(path, load_model(path).with_words(words))
    monkeypatch.setattr(counter_words, "missing_reader", lambda: "")
    reader = FakeReader({})
    monkeypatch.setattr(counter_words, "shared_reader", lambda: reader)
    reads = load(path, device="cpu").recogniser
    assert isinstance(reads, LooksAgain)
    for without in (load(path, device="cpu", words=False), load_checkout(path)):
        assert isinstance(without.recogniser, Recogniser)
    photo = np.random.default_rng(0).integers(0, 256, (50, 80, 3), np.uint8)
    boxes = np.array([[5.0, 5.0, 40.0, 40.0]])
    found = reads.probabilities(photo, boxes)
    assert reader.asked == 1  # an untrained recogniser is in doubt
    np.testing.assert_array_equal(found, reads.first.probabilities(photo, boxes))
    monkeypatch.setattr(counter_words, "missing_reader", lambda: "no reader")
    untold = load(path, device="cpu")
    assert untold.notes == ("no reader",)
    assert isinstance(untold.recogniser, Recogniser)


def test_a_model_with_pictures_makes_a_counter_that_compares_what_it_doubts(write):
    torch.manual_seed(0)
    path = write(True, CropClassifier(len(SKUS) + 1, pretrained=False), CountingRule(0.0).to_dict())
    pictures = [pack_pictures([pack(family)]) for family in range(len(SKUS))]
    write_model(path, load_model(path).with_pictures(pictures))
    compares = load(path, device="cpu").recogniser
    assert isinstance(compares, LooksAgain)
    for without in (load(path, device="cpu", pictures=False), load_checkout(path)):
        assert isinstance(without.recogniser, Recogniser)
    boxes = np.array([[0.0, 0.0, 320.0, 320.0]])
    for family in range(len(SKUS)):
        found = compares.probabilities(lying(pack(family)), boxes)
        first = compares.first.probabilities(lying(pack(family)), boxes)
        assert found[0, family] > first[0, family]


def test_a_detector_and_its_recogniser_compute_on_the_device_of_load(write):
    path = write(True, CropClassifier(len(SKUS) + 1, pretrained=False), CountingRule(0.3).to_dict())
    photo = np.zeros((50, 80, 3), np.uint8)
    detector = Detector.load(path, device=META)
    assert devices_used(lambda: detector.predict(photo)) == {"meta"}
    with pytest.raises(DataError, match="device 'gpu': expected auto, cpu"):
        load(path, device="gpu")
    checkout = load_checkout(path, device=META)
    assert checkout.recogniser.device == checkout.detector.device == META
    assert checkout.device == "meta"


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_counts_what_the_cpu_counts():
    store = Store.open(Path(__file__).parents[2] / "examples" / "ministore")
    photos = [store.image_path("val", image) for image in store.split("val").images]
    lists = [[one.counts for one in load(device=name)(photos)] for name in ("cpu", "cuda")]
    assert lists[0] == lists[1]


def test_a_counter_asks_by_the_doubt_of_its_file_and_refuses_one_that_makes_no_sense(write):
    path = write(True, CropClassifier(len(SKUS) + 1, pretrained=False), CountingRule(0.3).to_dict())
    assert load_checkout(path).doubt is None
    doubt = Doubt(Calibration(), 0.98, 0.99, "val", 18)
    write_model(path, load_model(path).with_doubt(doubt.to_dict()))
    assert load_checkout(path).doubt == doubt
    receipt = load_checkout(path)(np.zeros((50, 80, 3), np.uint8))
    assert receipt.passes == (receipt.questions == ())
    write_model(path, load_model(path).with_doubt(doubt.to_dict() | {"limit": 7}))
    with pytest.raises(DataError, match=r"model\.pth: doubt: limit: expected 0 to 1, got 7"):
        load_checkout(path)


def test_a_detector_that_names_skus_needs_no_recogniser(write):
    checkout = load_checkout(write(False))
    assert checkout.recogniser is None
    assert checkout.rule is None


def test_an_agnostic_detector_without_a_recogniser_is_refused(write):
    with pytest.raises(DataError, match=r"model\.pth: a class-agnostic detector without"):
        load_checkout(write(True))


def test_a_recogniser_of_other_skus_is_refused(write):
    with pytest.raises(DataError, match="its recogniser knows 5 SKUs, the file 3"):
        load_checkout(write(True, CropClassifier(6, pretrained=False)))


def test_a_recogniser_of_another_shape_is_refused_in_one_line(write):
    class Other(nn.Linear):
        def state_dict(self):
            return {"head.bias": torch.zeros(4)}

    with pytest.raises(DataError, match="its recogniser: its description asks") as caught:
        load_checkout(write(True, Other(1, 1)))
    assert "\n" not in str(caught.value)


def test_a_counting_rule_out_of_range_is_refused_with_the_files_name(write):
    with pytest.raises(DataError, match=r"model\.pth: counting rule: "):
        load_checkout(write(False, counting={"threshold": 7.0}))


@pytest.mark.parametrize("text", ["{}", "[]", "nonsense", '{"image_size": 64, "model": {}}'])
def test_a_description_that_describes_no_model_is_refused(write, text):
    told = r"model\.pth: .*(config is not the JSON|model.type: expected).*nothing was built"
    with pytest.raises(DataError, match=told) as caught:
        load_checkout(write(False, text=text))
    assert "\n" not in str(caught.value)


def test_weights_of_another_model_are_refused(built, tmp_path):
    mixed = SavedModel(built[True][0], built[False][1], SKUS)
    path = write_model(tmp_path / "m.pth", mixed)
    with pytest.raises(DataError, match=r"m\.pth: its weights do not fit"):
        Detector.load(path)


def test_a_model_of_one_sku_names_it_without_a_recogniser():
    one = Taxonomy([Category(1, "only")])
    text = json.dumps({"model": {"bbox_head": {"num_classes": 1}}})
    assert not Detector(nn.Identity(), SavedModel({}, text, one, None, {}, "x.pth"), 64).agnostic


@pytest.mark.slow
def test_the_papers_baseline_goes_from_its_config_to_detections(tmp_path):
    root = Path(__file__).parents[2]
    config = build_config(
        root / "configs" / "faster_rcnn_r50_fpn_rpc.py", root / "examples" / "ministore"
    )
    config.model.backbone.init_cfg = None  # no download
    init_default_scope("mmdet")
    state = MODELS.build(config.model).state_dict()
    model = SavedModel(state, model_text(config), taxonomy_of(config))
    path = write_model(tmp_path / "model.pth", model)
    detector = Detector.load(path)
    assert detector.image_size == (1333, 800)
    photo = np.random.default_rng(0).integers(0, 256, (60, 90, 3), np.uint8)
    found = detector.predict(photo)  # untrained: anything, but inside the photo
    assert (found.boxes >= 0).all()
    assert (found.boxes <= [90, 60, 90, 60]).all()
