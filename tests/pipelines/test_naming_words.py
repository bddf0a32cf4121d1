import json

import numpy as np
import pytest

from rpc.pipelines.naming import measure
from rpc.pipelines.naming.run import Crops
from rpc.pipelines.naming.words import with_words, word_evidence
from rpc.retrieval.gallery.open_set import OpenSet
from tests.features.text.fake_reader import FakeReader

TEXTS = {10: ["CHERRY"], 20: ["ORANGE"], 30: ["0RAN6E"]}


def crops(reds, labels):
    pictures = [np.full((30, 30, 3), red, np.uint8) for red in reds]
    names = [f"{place}.jpg" for place in range(len(reds))]
    boxes = np.tile([0.0, 0, 30, 30], (len(reds), 1))
    return Crops(pictures, np.array(labels), np.array(names), names, boxes)


def test_queries_are_compared_with_the_words_of_each_skus_exemplars():
    reader = FakeReader(TEXTS)
    exemplars, queries = crops([10, 20, 99], [0, 1, 1]), crops([30, 10, 99], [1, 0, 1])
    steps = []
    evidence = word_evidence(
        exemplars,
        exemplars.labels,
        queries,
        reader,
        lambda done, total: steps.append((done, total)),
    )
    assert evidence.shape == (3, 2)
    assert evidence[:2].argmax(axis=1).tolist() == [1, 0]
    assert not evidence[2].any()
    assert steps[-1] == (6, 6)
    assert reader.asked == 6


def test_a_groups_temperature_is_chosen_on_the_others():
    rng = np.random.default_rng(4)
    truth = rng.integers(0, 3, 40)
    scores = 0.3 * np.eye(3)[truth] + 0.1 * rng.standard_normal((40, 3))
    groups = np.repeat(["a", "b"], 20)
    joined = with_words(scores, np.zeros((40, 3)), truth, groups)
    changed = truth.copy()
    changed[:20] = (truth[:20] + 1) % 3  # other truths of its own group change nothing for it
    again = with_words(scores, np.zeros((40, 3)), changed, groups)
    np.testing.assert_array_equal(joined[:20], again[:20])
    assert (joined[20:] != again[20:]).any()
    assert (joined.argmax(axis=1) == scores.argmax(axis=1)).all()


def test_words_turn_a_close_call_and_one_group_has_the_default_temperature():
    scores, evidence = np.array([[0.50, 0.51]]), np.array([[1.0, 0.0]])
    joined = with_words(scores, evidence, np.array([0]), ["a"])
    np.testing.assert_allclose(joined, scores / OpenSet().temperature + evidence)
    assert joined.argmax() == 0


def test_the_report_tells_what_words_add(tmp_path, monkeypatch):
    request = measure.NamingRequest(tmp_path, tmp_path / "out", words=True)
    queries = crops([10, 20], [0, 1])
    naming = type("Naming", (), {"queries": queries, "truth": queries.labels})
    scores = np.array([[0.5, 0.51], [0.4, 0.6]])
    ranks = np.array([1, 0])
    row = measure._more_evidence(request, naming, scores, np.array([[3.0, 0], [0, 0]]), ranks)
    assert list(row) == ["words", "tray"]
    told = json.loads(json.dumps(row))["words"]
    assert (told["top1"], told["legible"]) == (1.0, 0.5)
    assert told["lead"][0] == pytest.approx(0.5)
